from pathlib import Path

import pytest
from team_client import ContainersClient

pytest_plugins = ["mock_server.testing"]


@pytest.fixture
def containers_mock_options():
    """The mock behaves as the team's staging deployment."""
    return {"profile": Path(__file__).parents[1] / "ci" / "staging-profile.yaml"}


@pytest.fixture
def client(containers_mock):
    return ContainersClient(containers_mock.url, containers_mock.token)
