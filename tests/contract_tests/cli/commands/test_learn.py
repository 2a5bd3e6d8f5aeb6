"""The command ``contract-tests learn``."""

import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from filelock import FileLock

from contract_tests.cli.main import build_command

MOCK = "wsgi:mock_server:create_app"
BROKEN = "wsgi:tests.contract_tests.cli.commands.test_learn:build_broken_mock"
HOOK = ("--control-hook", "/_mock/services/{id}/status/{status}")


def build_broken_mock() -> object:
    """Return a mock that updates busy services."""
    from mock_server import create_app

    return create_app(disabled_rules={"not-while-busy"})


def learn(*arguments: str | Path) -> Result:
    """Run the command in this process."""
    return CliRunner(env={"COLUMNS": "100"}).invoke(build_command(), ["learn", *map(str, arguments)])


@pytest.mark.slow
def test_the_states_and_the_verdict_are_shown(tmp_path: Path) -> None:
    """The folder gets the diagram beside the reports of a run, and no token is anywhere."""
    done = learn("--target", MOCK, *HOOK, "--report", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("5 states:\n  1  no service\n")
    assert "CONFORMS in 8 of 8 rules" in done.stdout
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names >= {"machine.md", "report.html", "report.json", "ledger.jsonl"}
    assert "stateDiagram-v2" in (tmp_path / "out" / "machine.md").read_text("utf-8")
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert not any("sk-red-5f0c7c1e9a" in path.read_text("utf-8") for path in files)


@pytest.mark.slow
def test_quiet_prints_the_verdict() -> None:
    """Neither the states nor the matrix."""
    (line,) = learn("--target", MOCK, *HOOK, "--quiet").stdout.splitlines()
    assert line.startswith("CONFORMS in 8 of 8 rules: ")


@pytest.mark.slow
def test_a_violation_is_exit_code_1() -> None:
    """It is a finding as of the gate, with commands to paste."""
    done = learn("--target", BROKEN, *HOOK, "--strict")
    assert done.exit_code == 1, done.output
    assert "✗ not-while-busy" in done.stdout
    assert "curl -i -X PUT" in done.stdout


def test_a_folder_to_which_another_run_reports_is_refused(tmp_path: Path) -> None:
    """Two at a time would mix their findings and replace the reports of each other; nothing is sent."""
    with FileLock(tmp_path / "lock"):
        done = learn("--target", MOCK, "--report", tmp_path)
    assert done.exit_code == 2
    assert f"another run reports to {tmp_path}" in done.output
    assert not (tmp_path / "report.json").exists()


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line names the package and the extra; nothing is sent."""
    for name in [name for name in sys.modules if name.startswith("contract_tests.learning")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "aalpy.base", None)
    monkeypatch.setitem(sys.modules, "aalpy", None)
    done = learn("--target", MOCK)
    assert done.exit_code == 2
    assert "AALpy is not installed; pip install 'cyberun-contract-kit[learn]'" in done.output
