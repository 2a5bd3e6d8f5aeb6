"""Commands of the mock whose output cannot be written."""

import subprocess
import sys

import pytest

from mock_server.cli.streams import open_closed_streams

COMMANDS = ("rules", "choices", "spec", "callers")


@pytest.mark.parametrize("command", [*COMMANDS, "--help", "--version", "rules --help"])
def test_a_full_standard_output_is_one_line(command: str) -> None:
    """A full disk is one line and exit code 2, not a traceback."""
    done = run_in_shell(f"{command} >/dev/full")
    line = "mock-server: standard output: No space left on device\n"
    assert (done.returncode, done.stderr) == (2, line)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_closed_standard_output_changes_nothing(command: str) -> None:
    """What is printed to a stream that the caller has closed is discarded."""
    done = run_in_shell(f"{command} >&-")
    assert (done.returncode, done.stderr) == (0, "")


def test_closed_streams_are_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mock that is started without streams writes its log nowhere, and answers its requests."""
    for name in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(sys, name, None)
    open_closed_streams()
    with sys.stdin as source, sys.stdout as output, sys.stderr as log:
        assert (source.read(), output.write("a"), log.write("b")) == ("", 1, 1)


def run_in_shell(arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run a command of the mock with redirections."""
    command = ["sh", "-c", f"exec {sys.executable} -m mock_server {arguments}"]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
