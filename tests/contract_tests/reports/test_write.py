"""The report folder as a whole."""

import html
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract_tests.reports.content.common import escape_unprintable
from contract_tests.reports.write import write_reports
from contract_tests.results.findings import load_finding
from contract_tests.results.verdict import Report
from tests.quality.faults import FAULTS
from tests.support.reports import (
    HOSTILE,
    build_echoing_app,
    load_fixture_callers,
    make_hostile,
    run_app,
)


@pytest.fixture(scope="module", params=[0, 130], ids=["whole", "cut"])
def written_text(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the text of every file about a target that repeats each caller's secret, complete or cut."""
    folder = tmp_path_factory.mktemp("report")
    write_reports(run_app(build_echoing_app(request.param)), folder)
    return "".join(path.read_text("utf-8") for path in folder.rglob("*.*"))


def test_folder_holds_each_report_and_a_file_per_finding(report: Report, tmp_path: Path) -> None:
    """A report folder has the five reports and one file per finding."""
    write_reports(report, tmp_path / "new" / "folder")
    names = {str(path.relative_to(tmp_path / "new" / "folder")) for path in tmp_path.rglob("*.*")}
    reports = {"report.json", "junit.xml", "report.md", "report.html", "traffic.har"}
    assert names == reports | {f"findings/{finding.id}.json" for finding in report.findings}


def test_findings_of_an_earlier_run_are_replaced_and_no_other_file(report: Report, tmp_path: Path) -> None:
    """A folder of findings may be somebody's own: what no run wrote stays."""
    earlier = {"created-0a1b2c.json", "created-0a1b2c-1.body"}
    own = {"notes.json", "photo.body", "created.json"}
    (tmp_path / "findings").mkdir()
    for name in earlier | own:
        (tmp_path / "findings" / name).write_text("")
    write_reports(report, tmp_path)
    names = {path.name for path in (tmp_path / "findings").iterdir()}
    assert names == own | {f"{finding.id}.json" for finding in report.findings}


def test_bodies_that_cannot_be_pasted_are_files(tmp_path: Path) -> None:
    """A binary body is a file beside its finding, and the commands of every report read it from there."""
    fault = next(fault for fault in FAULTS if fault.name == "no-utf-8-crashes")
    report = run_app(fault.app(), layers=("wire",))
    write_reports(report, tmp_path)
    bodies = {path.name: path.read_bytes() for path in (tmp_path / "findings").glob("*.body")}
    assert set(bodies) == {f"{finding.id}-1.body" for finding in report.findings}
    assert all(b"\xe9" in content for content in bodies.values())
    for name in ("report.json", "junit.xml", "report.md", "report.html"):
        text = html.unescape((tmp_path / name).read_text("utf-8"))
        assert all(f"findings/{body}" in text for body in bodies), name


def test_one_file_that_cannot_be_written_keeps_no_other_back(report: Report, tmp_path: Path) -> None:
    """All others are written, a pipe or a link is replaced, and no file outside the folder changes."""
    foreign = tmp_path / "foreign"
    (foreign / "folder").mkdir(parents=True)
    (foreign / "folder" / "other.json").write_text("kept")
    (foreign / "file").write_text("kept")
    folder = tmp_path / "report"
    for name in ("junit.xml", "traffic.har"):
        (folder / name).mkdir(parents=True)
    os.mkfifo(folder / "report.md")
    (folder / "report.html").symlink_to(foreign / "file")
    (folder / "findings").symlink_to(foreign / "folder")
    with pytest.raises(ExceptionGroup) as error:
        write_reports(report, folder)
    assert [one.filename for one in error.value.exceptions] == [
        str(folder / name) for name in ("junit.xml", "traffic.har")
    ]
    assert all((folder / name).is_file() for name in ("report.json", "report.md", "report.html"))
    assert sorted(path.name for path in foreign.rglob("*")) == ["file", "folder", "other.json"]
    assert (foreign / "file").read_text() == (foreign / "folder" / "other.json").read_text() == "kept"


@pytest.mark.parametrize("caller", load_fixture_callers(), ids=lambda caller: caller.name)
@pytest.mark.slow
def test_no_file_contains_a_secret(written_text: str, caller: object) -> None:
    """No file contains a part of a token, although the target repeats it in every header and body."""
    token = caller.token  # type: ignore[attr-defined]
    assert "$TOKEN; $TOKEN" in written_text
    assert token[:-4] not in written_text


@pytest.mark.slow
def test_findings_of_a_hostile_target_can_be_loaded(report: Report, tmp_path: Path) -> None:
    """A finding's file contains its case, even for a hostile response."""
    write_reports(make_hostile(report), tmp_path)
    cases = [load_finding(tmp_path / "findings" / f"{finding.id}.json")[0] for finding in report.findings]
    assert [case.id for case in cases] == [finding.case.id for finding in report.findings]


def test_escaped_text_has_no_control_characters() -> None:
    """Escaped text has no control character except newline and tab, no half of a pair and no override."""
    shown = escape_unprintable(HOSTILE)
    assert escape_unprintable("a\n\tb é 😀") == "a\n\tb é 😀"
    assert shown.encode().decode() == shown
    assert [c for c in "\x00\x1b\x07\r\u202e\ufffe" if c in shown] == []
    assert r"a\x00b\x1b[31mc\x07\x0d\u202e\ufffe\ud800" in shown


def test_terminal_report_loads_no_other_format() -> None:
    """A run without a report folder imports no template engine and no report format."""
    code = (
        "import sys, contract_tests.reports.terminal; from contract_tests.cli.main import build_command; "
        "build_command(); print(*sorted(sys.modules))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {"jinja2", "junitparser", "harfile", "jsonschema", "playwright"} & set(
        shown.stdout.split()
    ) == set()
