"""A command ends with one line, whatever happens."""

import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from contract_tests.cli.common.errors import CommandGroup, exit_with
from contract_tests.cli.main import build_command


def run_failing(error: BaseException) -> tuple[int, str]:
    """Return the exit code and the output of a command that raises an error."""

    @click.command()
    def fail() -> None:
        secret = "sk-in-a-variable"
        raise error if secret else ValueError

    done = CliRunner().invoke(CommandGroup("contract-tests", commands={"fail": fail}), ["fail"])
    return done.exit_code, done.output


@pytest.mark.parametrize("error", [KeyError("sk-secret"), RecursionError("sk-secret"), AssertionError()])
def test_an_unforeseen_error_is_one_line_and_a_file(error: Exception) -> None:
    """The line names the kind of error and a file with the places in the code; no value is in either."""
    code, output = run_failing(error)
    found = re.fullmatch(
        r"contract-tests: an error of the kit \((\w+)\), please report it with (\S+)\n", output
    )
    assert (code, found and found[1]) == (3, type(error).__name__)
    assert found is not None
    text = Path(found[2]).read_text("utf-8")
    assert "in fail" in text
    assert "sk-secret" not in text + output


def test_an_interruption_is_no_violation() -> None:
    """Ctrl-C at any moment ends with 130, not with the exit code of a violation."""
    assert run_failing(KeyboardInterrupt()) == (130, "contract-tests: interrupted\n")


def test_memory_that_is_used_up_is_no_error_of_the_kit() -> None:
    """One line says what the kit has run out of, and there is nothing to report."""
    done = run_failing(MemoryError())
    assert done == (3, "contract-tests: no memory is left for what the files or the target hold\n")


def test_a_huge_value_is_cut_out_of_the_line(capsys: pytest.CaptureFixture[str]) -> None:
    """What is before and after a value of 200 kB stays: the place, and how to mend it."""
    with pytest.raises(SystemExit):
        exit_with(f"waivers.yaml: unknown rule '{'A' * 200_000}'; `mock-server rules` lists them", 2)
    line = capsys.readouterr().err
    assert line.startswith("contract-tests: waivers.yaml: unknown rule 'AAA")
    assert line.endswith("AAA'; `mock-server rules` lists them\n")
    assert len(line) < 2_100


def test_control_characters_do_not_reach_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """Escape sequences and invisible characters in a text of the target are shown as escapes, on one line."""
    with pytest.raises(SystemExit):
        exit_with("POST responds with \x1b[2J\x9b31m\x00\r\n\u202egone", 3)
    assert capsys.readouterr().err == (
        "contract-tests: POST responds with \\x1b[2J\\x9b31m\\x00 \\u202egone\n"
    )


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        ("run --junit x.xml", "No such option '--junit'; --report DIR writes junit.xml."),
        ("run --token sk-secret", "No such option '--token'; --callers FILE names the tokens; "),
        ("calibrate --report x", "No such option '--report'; -o FILE names the file that is written."),
        ("parity --junit x.xml", "No such option '--junit'."),
        ("run https://a:sk-secret@host/api/v1", "name the deployment as --target URL."),
        ("parity wsgi:mock_server:create_app", "name the deployment as --target URL."),
        ("serve", "No such command 'serve'; `mock-server` serves the mock."),
        ("replay FILE --as curl", "the curl commands are printed without --as"),
    ],
)
def test_a_guessed_name_gets_advice(arguments: str, hint: str) -> None:
    """The error of a name that users guess says what has its purpose, where the command has that."""
    done = CliRunner().invoke(build_command(), arguments.split())
    assert done.exit_code == 2
    assert hint in done.output
    assert "sk-secret" not in done.output
