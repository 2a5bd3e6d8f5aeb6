"""The commands and the file in docs/calibrate.md work as shown."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from contract_tests.contract.choices import load_choices
from mock_server.contract import choices, profile
from tests.support.fixture_player import ROOT
from tests.support.processes import mock_server

PAGE = (ROOT / "docs" / "calibrate.md").read_text("utf-8")
CALIBRATE, SERVE = "".join(re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)).splitlines()
PROFILE = yaml.safe_load("".join(re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)))


@pytest.mark.slow
def test_the_commands_calibrate_a_deployment_and_serve_its_profile(tmp_path: Path) -> None:
    """The first command learns how a served deployment chose, and the mock of the second one chooses the same."""
    deployment = tmp_path / "deployment.yaml"
    deployment.write_text("choices: {invalid-body-status: 422, unknown-properties: refused, id-version: '4'}")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with mock_server("--profile", str(deployment)) as served:
        environment = {**os.environ, "PATH": path, "TARGET": served.url}
        done = subprocess.run(["sh", "-c", CALIBRATE], cwd=tmp_path, env=environment, capture_output=True, text=True,
                              timeout=100, check=False)  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    learnt = profile.load_profile(tmp_path / "staging.yaml", choices.load_choices(), {})
    assert learnt["invalid-body-status"] == 422
    assert learnt["unknown-properties"] == "refused"
    with mock_server(*SERVE.split()[1:], cwd=tmp_path) as mock:
        assert mock.url


def test_the_profile_on_the_page_can_be_read() -> None:
    """The mock reads the profile on the page, and the number of choices there is right."""
    assert profile.load_profile(PROFILE, choices.load_choices(), {})["invalid-body-status"] == 422
    assert set(PROFILE["not_seen"]) <= set(load_choices())
    assert f"leave {len(load_choices())} points open" in PAGE
