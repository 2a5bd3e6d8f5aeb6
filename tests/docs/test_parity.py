"""The commands in docs/parity.md work as shown."""

import json
import subprocess
from pathlib import Path

import pytest

from contract_tests.parity.session import DEFAULT_REQUESTS
from tests.support.docs import list_blocks, read_page, run_block
from tests.support.processes import mock_server

PAGE = read_page("docs/parity.md")
COMMANDS = "".join(list_blocks(PAGE, "sh"))


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_the_commands_calibrate_a_deployment_and_find_parity(tmp_path: Path) -> None:
    """A served deployment with other choices and the mock with its profile agree on each request over HTTP."""
    deployment = tmp_path / "deployment.yaml"
    deployment.write_text("choices: {invalid-body-status: 422, unknown-properties: refused, id-version: '4'}")
    with mock_server("--profile", str(deployment), stderr=subprocess.DEVNULL) as served:
        done = run_block(COMMANDS, tmp_path, timeout=300, TARGET=served.url)
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((tmp_path / "parity" / "parity.json").read_text("utf-8"))
    assert (report["parts"], report["requests"]) == ([], DEFAULT_REQUESTS)
    assert (tmp_path / "parity" / "parity.html").is_file()


def test_the_number_of_requests_on_the_page_is_the_default() -> None:
    """The page names how many requests a comparison sends."""
    assert f"limits the requests, {DEFAULT_REQUESTS:,} by default" in PAGE
