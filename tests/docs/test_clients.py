"""The commands and the code of docs/clients.md generate clients that work with the mock."""

import json
import re
import shutil
from pathlib import Path

import pytest

from tests.support.docs import list_blocks, read_page, run_block
from tests.support.fixture_player import ROOT
from tests.support.processes import mock_server

pytestmark = pytest.mark.slow

PAGE = read_page("docs/clients.md")
PYTHON, TYPESCRIPT = PAGE.split("\n## ")[1:3]
PRINTED = list_blocks(PYTHON, "text")[0]
NODE = ROOT / "tests/support/node"


def run_section(section: str, folder: Path) -> str:
    """Write the program of a section into a folder, run its commands in order, and return the output.

    Commands that install something are left out: the packages are those of the tests.
    """
    (program,) = re.findall(r"`(client\.\w+)`", section)[:1]
    (code,) = list_blocks(section, "python") + list_blocks(section, "ts")
    commands = re.sub(r"^(pip|npm) install .*\n", "", "".join(list_blocks(section, "sh")), flags=re.MULTILINE)
    with mock_server() as mock:
        text = code.replace("http://127.0.0.1:4010/api/v1", mock.url)
        (folder / program).write_text(text, encoding="utf-8")
        done = run_block(commands, folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def without_ids(text: str) -> str:
    """Return a text with a fixed word in place of each UUID."""
    return re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ID", text)


def test_the_python_client_prints_what_the_page_shows(tmp_path: Path) -> None:
    """The generated package creates a service, and has types for the reasons of a refusal."""
    assert without_ids(run_section(PYTHON, tmp_path)).endswith(without_ids(PRINTED))


def test_the_typescript_client_prints_what_the_page_shows(tmp_path: Path) -> None:
    """The generated types compile with the program, which creates a service and reads a refusal."""
    if shutil.which("node") is None:
        pytest.skip("Node is not installed")
    if not (NODE / "node_modules/.package-lock.json").is_file():
        pytest.skip("the packages are not installed; `make test-all` installs them")
    (tmp_path / "node_modules").symlink_to(NODE / "node_modules")
    assert without_ids(run_section(TYPESCRIPT, tmp_path)).endswith(without_ids(PRINTED))


def test_the_page_installs_the_packages_that_are_tested() -> None:
    """The npm packages of the page are those of tests/support/node/package.json."""
    lines = [line for block in list_blocks(TYPESCRIPT, "sh") for line in block.splitlines()]
    words = [word for line in lines if line.startswith("npm install") for word in line.split()[2:]]
    names = sorted(word.split("@")[0] for word in words if not word.startswith("-"))
    package = json.loads((NODE / "package.json").read_text(encoding="utf-8"))
    assert names == sorted(package["dependencies"])
