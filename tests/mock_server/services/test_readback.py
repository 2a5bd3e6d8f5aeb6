"""The read-back of a service."""

from datetime import UTC, datetime

import pytest
from werkzeug.test import Client

from mock_server import create_app
from tests.support.api import BODY, CREATE, auth


@pytest.fixture
def client() -> Client:
    """Return a client of a mock."""
    return Client(create_app())


def test_a_float_without_fraction_is_stored_as_an_integer(client: Client) -> None:
    """8080.0 is read back as 8080."""
    body = {**BODY, "exposed_port": 8080.0, "replica_count": 1.0}
    service_id = client.post(CREATE, json=body, headers=auth()).json["id"]
    client.put(f"{CREATE}/{service_id}", json={"gpu_count": 2.0}, headers=auth())
    read_back = client.get("/api/v1/r/containers/seeded", headers=auth()).text
    assert '"exposed_port":8080,' in read_back
    assert '"gpu_count":2,' in read_back
    assert '"replica_count":1,' in read_back


UNUSED = {
    "deployed": ({"docker_image": "n", "external_url": "https://a.example"}, {"docker_image"}),
    "external": ({"docker_image": "n", "external_url": "https://a.example"}, {"external_url"}),
}


@pytest.mark.parametrize("kind", UNUSED)
def test_unused_properties_are_not_read_back(client: Client, kind: str) -> None:
    """A deployed service has no URL, and an external one has no image."""
    properties, expected = UNUSED[kind]
    client.post(CREATE, json={**BODY, **properties, "service_type": kind}, headers=auth())
    read_back = client.get("/api/v1/r/containers/seeded", headers=auth()).json
    assert set(read_back) & set(properties) == expected


def test_an_update_changes_its_properties_and_updated_at() -> None:
    """updated_at changes, created_at stays."""
    moments = iter(datetime(2026, 1, day, tzinfo=UTC) for day in range(1, 9))
    client = Client(create_app(clock=lambda: next(moments)))
    service_id = client.post(CREATE, json=BODY, headers=auth()).json["id"]
    before = client.get("/api/v1/r/containers/seeded", headers=auth()).json
    client.put(f"{CREATE}/{service_id}", json={"display_name": "e"}, headers=auth())
    after = client.get("/api/v1/r/containers/seeded", headers=auth()).json
    assert {name for name in after if after[name] != before[name]} == {"display_name", "updated_at"}
