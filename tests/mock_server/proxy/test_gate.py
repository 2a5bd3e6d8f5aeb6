"""The whole gate passes through the proxy before the mock; and docs/proxy.md does what it says."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.support.databases import process
from tests.support.fixture_player import ROOT, RULES
from tests.support.gate.gate import MOCK_HOOK
from tests.support.gate.odd_servers import run_command
from tests.support.proxy.processes import proxy

PAGE = (ROOT / "docs" / "proxy.md").read_text(encoding="utf-8")
SHELL = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
SHOWN = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("arguments", [[], ["--enforce", "--strict"]], ids=["reporting", "enforcing"])
def test_the_gate_passes_through_the_proxy(arguments: list[str], tmp_path: Path) -> None:
    """Every rule conforms strictly over HTTP, and the proxy finds nothing wrong in an answer."""
    with (
        process("memory", tmp_path / "mock") as (_, upstream),
        proxy(upstream, tmp_path, *arguments) as running,
    ):
        done = run_command("run", "--strict", "--target", running.url, "--control-hook", MOCK_HOOK)
    said = running.said()  # as a whole, once it has ended
    assert (done.code, f"{len(RULES)} conforms" in done.last) == (0, True), done.out
    assert said.count("POST /api/v1/containers") > 500
    assert "response:" not in said


def test_the_commands_of_the_page_do_what_it_shows(tmp_path: Path) -> None:
    """The first starts a proxy before the mock; the next give the header and the count that stand there."""
    start = next(line for line in SHELL[0].splitlines() if line.startswith("mock-server proxy"))
    assert start.split()[:3] == ["mock-server", "proxy", "--upstream"]
    with process("memory", tmp_path / "mock") as (_, upstream), proxy(upstream, tmp_path) as running:
        script = "set -e\n" + SHELL[1].replace("http://127.0.0.1:4010/api/v1", running.url).replace(
            "http://127.0.0.1:4010", running.url.removesuffix("/api/v1")
        )
        out = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=30, check=True)
    assert SHOWN[0].strip() in out.stdout
    assert SHOWN[1].strip() in out.stdout


def test_the_page_names_no_option_that_there_is_not() -> None:
    """Each option that docs/proxy.md names is in the help of the command."""
    done = subprocess.run(
        [ROOT / ".venv/bin/mock-server", "proxy", "--help"], capture_output=True, text=True, check=True
    )
    named = set(re.findall(r"(--[a-z][a-z-]+)", PAGE))
    assert named - set(re.findall(r"--[a-z-]+", done.stdout)) == set()
