"""What commands print while standard output is full."""

import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from contract_tests.cli.main import build_command
from tests.support.gate.odd_servers import COMMAND


@pytest.mark.parametrize("arguments", [("--help",), ("run", "--help")], ids=" ".join)
@pytest.mark.slow
def test_help_into_a_full_disk_is_one_line(arguments: tuple[str, ...]) -> None:
    """The line names standard output, and the exit code is 2."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*COMMAND, *arguments], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert (done.returncode, done.stderr) == (2, "contract-tests: standard output: No space left on device\n")


def test_the_list_of_commands_has_whole_sentences() -> None:
    """In 80 columns no summary of a command is cut."""
    shown = CliRunner().invoke(build_command(), ["--help"], terminal_width=80).stdout
    assert "Commands:" in shown
    assert "..." not in shown.partition("Commands:")[2]
