"""The report folder as a whole."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract_tests.reports.common import escape_unprintable
from contract_tests.reports.write import write_reports
from contract_tests.results.findings import load_finding
from contract_tests.results.verdict import Report
from tests.support.reports import (
    HOSTILE,
    build_echoing_app,
    build_faulty_report,
    load_fixture_callers,
    make_hostile,
    run_app,
)


@pytest.fixture(scope="module")
def report() -> Report:
    """A report with every verdict in it."""
    return build_faulty_report()


@pytest.fixture(scope="module", params=[0, 130], ids=["whole", "cut"])
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The text of every file written about a target that repeats each caller's secret, whole or where it is cut."""
    folder = tmp_path_factory.mktemp("report")
    write_reports(run_app(build_echoing_app(request.param)), folder)
    return "".join(path.read_text("utf-8") for path in folder.rglob("*.*"))


def test_folder_holds_each_report_and_a_file_per_finding(report: Report, tmp_path: Path) -> None:
    """A report folder holds the five reports, and one file for each finding, and nothing else."""
    write_reports(report, tmp_path / "new" / "folder")
    names = {str(path.relative_to(tmp_path / "new" / "folder")) for path in tmp_path.rglob("*.*")}
    reports = {"report.json", "junit.xml", "report.md", "report.html", "traffic.har"}
    assert names == reports | {f"findings/{finding.id}.json" for finding in report.findings}


@pytest.mark.parametrize("caller", load_fixture_callers(), ids=lambda caller: caller.name)
def test_no_file_holds_a_secret(written: str, caller: object) -> None:
    """Nothing of a token is in any file, though the target repeats it in every header and body that it can."""
    token = caller.token  # type: ignore[attr-defined]
    assert "$TOKEN; $TOKEN" in written
    assert token[:-4] not in written


def test_findings_of_a_hostile_target_can_be_played_again(report: Report, tmp_path: Path) -> None:
    """A finding's file holds its case, whatever the target answered."""
    write_reports(make_hostile(report), tmp_path)
    cases = [load_finding(tmp_path / "findings" / f"{finding.id}.json")[0] for finding in report.findings]
    assert [case.id for case in cases] == [finding.case.id for finding in report.findings]


def test_visible_text_can_be_encoded_and_obeyed_by_nothing() -> None:
    """Text to be shown has no control character but newline and tab, no half of a pair and no override."""
    shown = escape_unprintable(HOSTILE)
    assert escape_unprintable("a\n\tb é 😀") == "a\n\tb é 😀"
    assert shown.encode().decode() == shown
    assert [c for c in "\x00\x1b\x07\r\u202e\ufffe" if c in shown] == []
    assert r"a\x00b\x1b[31mc\x07\x0d\u202e\ufffe\ud800" in shown


def test_terminal_needs_nothing_of_the_other_reports() -> None:
    """A run without a report folder imports no template engine and no format."""
    code = "import sys, contract_tests.cli.main, contract_tests.reports.terminal; print(*sorted(sys.modules))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {"jinja2", "junitparser", "harfile", "jsonschema", "playwright"} & set(
        shown.stdout.split()
    ) == set()
