"""The gate passes through the proxy, and the examples of docs/proxy.md work."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.support.databases import run_mock
from tests.support.fixture_player import ROOT, RULES
from tests.support.gate.gate import MOCK_HOOK
from tests.support.gate.odd_servers import run_command
from tests.support.proxy.processes import proxy_process

pytestmark = pytest.mark.slow

PAGE = (ROOT / "docs" / "proxy.md").read_text(encoding="utf-8")
SHELL = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
SHOWN = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("arguments", [[], ["--enforce", "--strict"]], ids=["reporting", "enforcing"])
def test_the_gate_passes_through_the_proxy(arguments: list[str], tmp_path: Path) -> None:
    """Every rule conforms strictly, and the proxy finds no violation in a response."""
    with (
        run_mock("memory", tmp_path / "mock") as (_, upstream),
        proxy_process(upstream, tmp_path, *arguments) as running,
    ):
        result = run_command("run", "--strict", "--target", running.url, "--control-hook", MOCK_HOOK)
    log = running.read_log()  # as a whole, once it has ended
    assert (result.code, f"{len(RULES)} conforms" in result.last) == (0, True), result.out
    assert log.count("POST /api/v1/containers") > 500
    assert "response:" not in log


def test_the_commands_of_the_page_print_what_it_shows(tmp_path: Path) -> None:
    """The commands print the header and the count of the page."""
    start = next(line for line in SHELL[0].splitlines() if line.startswith("mock-server proxy"))
    assert start.split()[:3] == ["mock-server", "proxy", "--upstream"]
    with run_mock("memory", tmp_path / "mock") as (_, upstream), proxy_process(upstream, tmp_path) as running:
        script = "set -e\n" + SHELL[1].replace("http://127.0.0.1:4010/api/v1", running.url).replace(
            "http://127.0.0.1:4010", running.url.removesuffix("/api/v1")
        )
        out = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=30, check=True)
    assert SHOWN[0].strip() in out.stdout
    assert SHOWN[1].strip() in out.stdout


def test_the_page_names_known_options_only() -> None:
    """Each option of docs/proxy.md is in the help of the command."""
    result = subprocess.run(
        [ROOT / ".venv/bin/mock-server", "proxy", "--help"], capture_output=True, text=True, check=True
    )
    options = set(re.findall(r"(--[a-z][a-z-]+)", PAGE))
    assert options - set(re.findall(r"--[a-z-]+", result.stdout)) == set()
