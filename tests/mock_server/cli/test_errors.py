"""A command of the mock ends with one line, whatever happens."""

import re
from pathlib import Path

import click
from click.testing import CliRunner

from mock_server.cli.errors import report_cli_errors


def test_an_unforeseen_error_is_one_line_and_a_file() -> None:
    """The line names the kind of error and a file with the places in the code; no value is in either."""
    error = KeyError("sk-secret")

    @click.command()
    @report_cli_errors
    def fail() -> None:
        raise error

    done = CliRunner().invoke(fail)
    line = r"mock-server: an error of the kit \(KeyError\), please report it with (\S+)\n"
    found = re.fullmatch(line, done.output)
    assert (done.exit_code, found is not None) == (1, True)
    assert found is not None
    text = Path(found[1]).read_text("utf-8")
    assert "in fail" in text
    assert "sk-secret" not in text + done.output
