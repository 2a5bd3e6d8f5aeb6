"""The option --format of the commands that write reports."""

from pathlib import Path

import pytest

from contract_tests.reports.code_hosts.formats import FORMAT_FILES
from tests.support.gate.odd_servers import run_command

pytestmark = pytest.mark.slow

MOCK = "wsgi:mock_server:create_app"
QUICK = ("--target", MOCK, "--layers", "cases", "-k", "slug", "--quiet")
ALL = tuple(word for name in FORMAT_FILES for word in ("--format", name))


def test_every_command_with_reports_writes_the_formats(tmp_path: Path) -> None:
    """run, merge and check write each chosen format beside the other reports."""
    folders = {name: tmp_path / name for name in ("run", "merge", "check")}
    assert run_command("run", *QUICK, "--report", folders["run"], *ALL).code == 0
    assert run_command("merge", folders["run"], "--report", folders["merge"], *ALL).code == 0
    har = folders["run"] / "traffic.har"
    assert run_command("check", har, "--report", folders["check"], *ALL).code == 0
    for folder in folders.values():
        names = {path.name for path in folder.iterdir()}
        assert {*FORMAT_FILES.values(), "report.html"} <= names


def test_a_resumed_run_keeps_its_formats(tmp_path: Path) -> None:
    """The formats are options of the run, written again when it is resumed."""
    assert run_command("run", *QUICK, "--report", tmp_path, "--format", "sarif").code == 0
    (tmp_path / "report.sarif").unlink()
    assert run_command("run", "--resume", tmp_path, "--target", MOCK, "--quiet").code == 0
    assert (tmp_path / "report.sarif").is_file()


def test_a_format_needs_a_folder() -> None:
    """Without --report the command ends with one line."""
    done = run_command("run", *QUICK, "--format", "sarif")
    assert (done.code, done.err) == (
        2, "contract-tests: --format sarif needs a folder for the report; add --report DIR\n",
    )  # fmt: skip
