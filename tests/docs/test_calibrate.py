"""The commands and the file in docs/calibrate.md work as shown."""

from pathlib import Path

import pytest
import yaml

from contract_tests.contract.choices import load_choices
from mock_server.contract import choices, profile
from tests.support.docs import list_blocks, read_page, run_block
from tests.support.processes import mock_server

PAGE = read_page("docs/calibrate.md")
CALIBRATE, SERVE = "".join(list_blocks(PAGE, "sh")).splitlines()
PROFILE = yaml.safe_load("".join(list_blocks(PAGE, "yaml")))


@pytest.mark.slow
def test_the_commands_calibrate_a_deployment_and_serve_its_profile(tmp_path: Path) -> None:
    """The first command learns how a served deployment chose, and the mock of the second one chooses the same."""
    deployment = tmp_path / "deployment.yaml"
    deployment.write_text("choices: {invalid-body-status: 422, unknown-properties: refused, id-version: '4'}")
    with mock_server("--profile", str(deployment)) as served:
        done = run_block(CALIBRATE, tmp_path, TARGET=served.url)
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
