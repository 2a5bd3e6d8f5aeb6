"""Tables of the command line fit the terminal, and are one row a line in a pipe."""

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios

import pytest

from mock_server.cli.table import format_table

ROWS = (("rule", "statement"), ("slug-unique", "A slug is used once within a team"))


def test_a_row_is_a_line_without_a_width() -> None:
    """In a pipe no line is wrapped, and the columns are aligned below a head."""
    lines = ["rule         statement", "slug-unique  A slug is used once within a team"]
    assert list(format_table(ROWS)) == lines


def test_the_last_column_is_wrapped() -> None:
    """With a width, the last column continues below itself."""
    lines = ["rule         statement", "slug-unique  A slug is used once", " " * 13 + "within a team"]
    assert list(format_table(ROWS, 38)) == lines


@pytest.mark.parametrize(
    ("command", "head"), [("rules", "rule grade statement"), ("choices", "choice usual options")]
)
def test_a_list_fits_a_terminal(command: str, head: str) -> None:
    """In a terminal of 80 columns no line is longer, and the first line is a head."""
    ours, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    with subprocess.Popen([sys.executable, "-m", "mock_server", command], stdout=terminal, env=environment):
        os.close(terminal)
        shown = b""
        while part := _read(ours):
            shown += part
    os.close(ours)
    lines = shown.decode().splitlines()
    assert lines[0].split() == head.split()
    assert max(map(len, lines)) <= 80


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # the end, where the other side is closed
        return b""
