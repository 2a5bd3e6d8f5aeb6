"""What `mock-server` and its commands print."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from mock_server import __version__
from mock_server.cli.main import main
from mock_server.contract import export
from tests.support.fixture_player import ROOT, load
from tests.support.processes import run


def test_the_version_is_that_of_the_package() -> None:
    """`--version` prints the version of the package."""
    assert run("--version").stdout == f"mock-server, version {__version__}\n"


def test_the_spec_is_printed_unchanged() -> None:
    """`mock-server spec` prints spec/openapi.yaml."""
    assert run("spec").stdout == (ROOT / "spec/openapi.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize("form", [[], ["--json"]], ids=["yaml", "json"])
@pytest.mark.parametrize("version", ["3.0", "3.1"])
@pytest.mark.slow
def test_a_view_is_printed(version: str, form: list[str]) -> None:
    """`mock-server spec --one-of --openapi …` prints that view."""
    output = run("spec", "--one-of", "--openapi", version, *form).stdout
    assert yaml.safe_load(output) == export.export_view(
        load("spec/openapi.yaml"), one_of=True, version=version
    )


def test_the_command_is_installed() -> None:
    """`mock-server` beside the interpreter is the same program."""
    program = Path(sys.executable).parent / "mock-server"
    result = subprocess.run([program, "rules"], capture_output=True, text=True, check=True)
    assert result.stdout.count("\n") == 1 + len(load("spec/rules.yaml")["rules"])


def test_the_list_of_commands_has_whole_sentences() -> None:
    """In 80 columns no summary of a command is cut."""
    shown = run("--help").stdout
    assert "Commands:" in shown
    assert "..." not in shown.partition("Commands:")[2]


@pytest.mark.parametrize("guess", ["serve", "run", "4010"])
def test_an_unknown_command_says_how_the_mock_is_served(guess: str) -> None:
    """A word that is no command is answered with the way to serve the mock, and with the commands."""
    done = CliRunner().invoke(main, [guess])
    assert done.exit_code == 2
    assert f"No such command '{guess}'; mock-server without a command serves the mock" in done.output
    assert "callers, choices, proxy, rules, spec" in done.output
