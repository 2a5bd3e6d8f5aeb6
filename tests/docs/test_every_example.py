"""Every example of the documentation is executed by a test, or a table says why not; every command can be parsed."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import click
import pytest

from contract_tests.cli.main import build_command
from mock_server.cli.main import main as mock_command
from tests.support.docs import list_blocks, read_blocks, read_page
from tests.support.fixture_player import ROOT
from tests.support.processes import mock_server


class Held(NamedTuple):
    """A page, a test module that executes examples of it, and how many it executes."""

    page: str
    module: str
    blocks: int


#: A new example makes a test of this module fail: execute it in a module of its page, then raise the number here.
EXECUTED = (
    Held("README.md", "tests/docs/test_readme.py", 3),
    Held("README.md", "tests/docs/test_deployment.py", 1),
    Held("docs/calibrate.md", "tests/docs/test_calibrate.py", 2),
    Held("docs/choices.md", "tests/docs/test_readme.py", 1),
    Held("docs/ci.md", "tests/docs/test_gate.py", 9),
    Held("docs/ci.md", "tests/docs/test_deployment.py", 4),
    Held("docs/clients.md", "tests/docs/test_clients.py", 7),
    Held("docs/configuration.md", "tests/docs/test_configuration.py", 4),
    Held("docs/containers.md", "tests/docs/test_containers.py", 1),
    Held("docs/mock.md", "tests/docs/test_readme.py", 8),
    Held("docs/mutate.md", "tests/docs/test_deployment.py", 2),
    Held("docs/learn.md", "tests/docs/test_learn.py", 2),
    Held("docs/parity.md", "tests/docs/test_parity.py", 1),
    Held("docs/proxy.md", "tests/docs/test_proxy.py", 4),
    Held("docs/scaling.md", "tests/docs/test_gate.py", 3),
    Held("docs/scaling.md", "tests/docs/test_deployment.py", 1),
    Held("docs/testing.md", "tests/mock_server/testing/test_plugin.py", 8),
    Held("docs/tutorials/client-developer.md", "tests/docs/test_tutorials.py", 0),
    Held("docs/tutorials/platform-engineer.md", "tests/docs/test_tutorials.py", 0),
    Held("docs/tutorials/tester.md", "tests/docs/test_tutorials.py", 0),
    Held("examples/team/README.md", "tests/examples/test_team.py", 4),
)
_OTHER = "output of a run with other numbers"
#: By page and first line.
NOT_EXECUTED = {
    ("README.md", "make mock"): "sets up a checkout; CI runs `make conformance`",
    ("docs/architecture.md", "spec/            data only"): "a drawing",
    ("docs/architecture.md", "granian (ASGI)"): "a drawing",
    ("docs/architecture.md", "spec/ + fixtures/ + generation"): "a drawing",
    ("docs/containers.md", "docker run"): "needs a container engine",
    ("docs/containers.md", "import static"): "needs a container engine, and Java",
    ("docs/parity.md", "agrees in"): _OTHER,
    ("docs/reports.md", "Compared with"): _OTHER,
    ("docs/testing.md", "E   assert 0 == 1"): "a failure; test_plugin.py provokes such failures",
}
PAGES = sorted(
    ["README.md", "examples/team/README.md"]
    + [path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md")]
)


@pytest.mark.parametrize("page", PAGES)
def test_each_example_is_executed_or_has_a_reason(page: str) -> None:
    """The examples of a page are as many as its test executes, beside those in the table of reasons."""
    firsts = [block.text.splitlines()[0] for block in read_blocks(read_page(page))]
    reasons = [first for name, first in NOT_EXECUTED if name == page]
    excused = [line for line in firsts if line.startswith(tuple(reasons))] if reasons else []
    assert len(excused) == len(reasons), excused
    if "tutorials" not in page:  # a tutorial is executed from its first to its last line
        executed = sum(held.blocks for held in EXECUTED if held.page == page)
        assert len(firsts) - len(excused) == executed, firsts


@pytest.mark.parametrize("held", EXECUTED, ids=lambda held: f"{held.page}-{Path(held.module).stem}")
def test_the_test_of_a_page_reads_it(held: Held) -> None:
    """The module that executes the examples of a page names the page, or its folder."""
    text = (ROOT / held.module).read_text("utf-8")
    names = (held.page, str(Path(held.page).parent))
    assert any(name in text for name in names) or 'TEAM / "README.md"' in text


def list_commands(page: str) -> Iterator[list[str]]:
    """Yield the words of each command of the kit in the shell and YAML blocks of a page."""
    blocks = [*list_blocks(read_page(page), "sh"), *list_blocks(read_page(page), "yaml")]
    for line in "\n".join(blocks).replace("\\\n", " ").splitlines():
        simple = re.split(r"\|\||[|;>]", re.sub(r"\$\{\{.*?\}\}", "x", line))[0]
        if match := re.search(r"(?:^|[\s/])(mock-server|contract-tests)(?: .*|$)", simple):
            yield shlex.split(match[0].lstrip(" /"), comments=True)


def parse_command(command: click.Command, words: list[str]) -> None:
    """Parse a command line, and that of its sub-command; an unknown option or command raises an error."""
    context = click.Context(command, info_name=words[0])
    _, rest, _ = command.make_parser(context).parse_args(args=words[1:])
    if isinstance(command, click.Group) and rest:
        parse_command(command.commands[rest[0]], rest)


COMMANDS = {"mock-server": mock_command, "contract-tests": build_command()}
WITH_COMMANDS = [page for page in PAGES if list(list_commands(page))]


@pytest.mark.parametrize("page", WITH_COMMANDS)
def test_each_command_of_a_page_can_be_parsed(page: str) -> None:
    """Each sub-command and each option in the blocks of a page exists."""
    for words in list_commands(page):
        parse_command(COMMANDS[words[0]], words)


def test_most_pages_show_commands() -> None:
    """The pages for users are among those whose commands are parsed."""
    assert len(WITH_COMMANDS) >= 12
    assert sum(len(list(list_commands(page))) for page in WITH_COMMANDS) >= 40


SERVING = [
    words
    for page in ("docs/mock.md", "docs/testing.md")
    for words in list_commands(page)
    if words[0] == "mock-server" and "postgresql" not in " ".join(words)
]


@pytest.mark.slow
@pytest.mark.parametrize("words", SERVING, ids=" ".join)
def test_a_command_that_serves_starts(words: list[str], tmp_path: Path) -> None:
    """The mock starts with the options that the page shows."""
    with mock_server(*words[1:], cwd=tmp_path) as mock:
        assert mock.url.endswith("/api/v1")
