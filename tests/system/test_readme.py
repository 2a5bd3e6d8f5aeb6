"""The examples of the README about the mock."""

import json
import re
import subprocess

import pytest

from tests.support.fixture_player import ROOT
from tests.support.processes import mock_server, run

README = (ROOT / "README.md").read_text(encoding="utf-8")
#: The beginning of the README and its section about the mock.
MOCK = README.split("## The mock")[0] + README.split("## The mock")[1].split("\n## ")[0]
SHELL = [
    block
    for block in re.findall(r"```sh\n(.*?)```", MOCK, re.DOTALL)
    if "127.0.0.1:4010/api/v1/containers" in block
]
PYTHON = [block for block in re.findall(r"```python\n(.*?)```", MOCK, re.DOTALL) if "mock_server" in block]


def run_block(block: str) -> str:
    """Run a shell block against a mock, and return its output."""
    with mock_server() as mock:
        script = "set -e\n" + block.replace("http://127.0.0.1:4010/api/v1", mock.url)
        return subprocess.run(
            ["bash", "-c", script], capture_output=True, text=True, timeout=30, check=True
        ).stdout


def test_the_first_request_is_refused_as_shown() -> None:
    """The response has the violation of the README, word for word."""
    violation = json.loads(re.findall(r"```json\n(.*?)```", MOCK, re.DOTALL)[0])
    head, body = run_block(SHELL[0]).split("\n\n", 1)
    assert " 400 " in head.splitlines()[0]
    assert violation in json.loads(body)["violations"]


@pytest.mark.parametrize("block", SHELL[1:], ids=["create", "update"])
def test_the_request_of_a_reference_page_is_accepted(block: str) -> None:
    """The response has an id."""
    assert re.fullmatch(r'\{"id":"[0-9a-f-]{36}"\}', run_block(block).strip())


@pytest.mark.parametrize("block", PYTHON)
def test_a_python_example_runs(block: str) -> None:
    """The assertions of the example succeed."""
    exec(compile(block, "README.md", "exec"), {})


def test_the_readme_names_known_options_only() -> None:
    """Each option of the README is in the help of the command."""
    options = set(re.findall(r"`(--[a-z-]+)", MOCK.split("### For other tools")[0]))
    help_text = run("--help").stdout
    assert options - set(re.findall(r"--[a-z-]+", help_text)) == set()
