"""The examples of the documentation, run as a reader would who pastes them."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.support.fixture_player import ROOT
from tests.support.processes import mock_server

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_FILE_NAME = re.compile(r"`([\w.-]+\.(?:py|mts|yaml|toml))`")
_ORIGIN = "http://127.0.0.1:4010"


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its language, its text, and the paragraph before it."""

    language: str
    text: str
    before: str


def read_page(name: str) -> str:
    """Return the text of a page of the project."""
    return (ROOT / name).read_text("utf-8")


def list_blocks(page: str, language: str) -> list[str]:
    """Return the blocks of one language; the name of the language may be empty."""
    return [block.text for block in read_blocks(page) if block.language == language]


def read_blocks(page: str) -> Iterator[Block]:
    """Yield all blocks of a page in order."""
    for match in _BLOCK.finditer(page):
        before = page[: match.start()].rstrip().rpartition("\n\n")[2]
        yield Block(match[1], match[2], before)


def run_block(
    block: str, folder: Path, *, timeout: float = 200, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run a shell block in a folder, with the commands of the kit on the path; it ends at the first failure.

    The terminal has 120 columns, whatever runs the tests.
    """
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["sh", "-ec", block],
        cwd=folder,
        env={**os.environ, "PATH": path, "COLUMNS": "120", **variables},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def play_page(page: str, folder: Path) -> None:
    """Follow a page from its start: save its files, run its commands, and compare what they print.

    The paragraph before a file names it. A block that begins with `mock-server` serves until the end. Every other
    shell block ends with the code that `# exit code N` names, or with 0. A text block is a part of the output of the
    commands before it.
    """
    printed, exports, origin = "", "", _ORIGIN
    with ExitStack() as stack:
        for block in read_blocks(page):
            text = block.text.replace(_ORIGIN, origin)
            if block.language == "text":
                assert text.rstrip("\n") in printed, f"{text}\nis not in\n{printed}"
            elif block.language != "sh":
                names = _FILE_NAME.findall(block.before)
                assert len(names) == 1, f"one name of a file is expected: {block.before}"
                (folder / names[0]).write_text(text, "utf-8")
            elif text.startswith("mock-server"):
                mock = stack.enter_context(mock_server(*text.split()[1:], stderr=subprocess.DEVNULL))
                origin = mock.url.removesuffix("/api/v1")
            else:
                done = run_block(exports + text, folder)
                exports += "".join(re.findall(r"^export .*\n", text, re.MULTILINE))
                expected = re.findall(r"# exit code (\d+)", text) or ["0"]
                assert [str(done.returncode)] == expected, done.stdout + done.stderr
                printed = done.stdout
