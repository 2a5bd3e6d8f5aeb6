"""The lifecycle of a service, on a clock that the test advances."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from werkzeug.test import Client

from mock_server import create_app
from tests.support.api import BODY, CREATE, auth

Life = Callable[..., Any]


@pytest.fixture(params=["memory", "sqlite"])
def client(request: pytest.FixtureRequest, tmp_path: Any) -> Client:
    """Return a mock in which a deploy takes a minute."""
    store = "memory" if request.param == "memory" else f"sqlite:///{tmp_path / 'life.db'}"
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    return Client(create_app(clock=lambda: moment, deploy_seconds=60, store=store))


@pytest.fixture
def service_id(client: Client) -> str:
    """Return the id of a new service."""
    return str(client.post(CREATE, json=BODY, headers=auth()).json["id"])


def start_action(client: Client, service_id: str, action: str, **body: Any) -> Any:
    """Start a deploy or a stop."""
    return client.post(f"/_mock/services/{service_id}/{action}", json=body)


def advance(client: Client, seconds: float) -> None:
    """Advance the clock."""
    assert client.post("/_mock/clock", json={"advance": seconds}).status_code == 200


def read_status(client: Client) -> str:
    """Return the status of the read-back, which equals that of the control plane."""
    read_back = client.get("/api/v1/r/containers/seeded", headers=auth()).json["service_status"]
    assert client.get("/_mock/services").json["services"][0]["service_status"] == read_back
    return str(read_back)


def test_a_service_is_deployed_and_stopped(client: Client, service_id: str) -> None:
    """The clock decides the status: created, deploying, running, stopping, stopped."""
    statuses = [read_status(client)]
    for action in ("deploy", "stop"):
        assert start_action(client, service_id, action).status_code == 200
        statuses.append(read_status(client))
        advance(client, 59)
        statuses.append(read_status(client))
        advance(client, 1)
        statuses.append(read_status(client))
    assert statuses == ["created", "deploying", "deploying", "running", "stopping", "stopping", "stopped"]


def test_a_busy_service_refuses_updates(client: Client, service_id: str) -> None:
    """An update breaks not-while-busy until the deploy is over."""
    start_action(client, service_id, "deploy")
    early = client.put(f"{CREATE}/{service_id}", json={"display_name": "e"}, headers=auth())
    advance(client, 60)
    late = client.put(f"{CREATE}/{service_id}", json={"display_name": "e"}, headers=auth())
    assert [violation["rule"] for violation in early.json["violations"]] == ["not-while-busy"]
    assert (late.status_code, read_status(client)) == (200, "running")


def test_an_update_keeps_the_status(client: Client, service_id: str) -> None:
    """A running service is still running after an update, whatever the clock says."""
    start_action(client, service_id, "deploy")
    advance(client, 60)
    client.put(f"{CREATE}/{service_id}", json={"display_name": "e"}, headers=auth())
    advance(client, 1000)
    assert read_status(client) == "running"


def test_a_deploy_can_fail_and_can_be_immediate(client: Client, service_id: str) -> None:
    """The request sets `ends` and `seconds`; a failed service can be deployed again."""
    start_action(client, service_id, "deploy", seconds=5, ends="failed")
    advance(client, 5)
    first_status = read_status(client)
    start_action(client, service_id, "deploy", seconds=0)
    assert (first_status, read_status(client)) == ("failed", "running")


def test_a_busy_service_cannot_be_deployed_or_stopped(client: Client, service_id: str) -> None:
    """The 409 names the current status; a service that is not running cannot be stopped."""
    early_stop = start_action(client, service_id, "stop")
    start_action(client, service_id, "deploy")
    responses = [start_action(client, service_id, action) for action in ("deploy", "stop")]
    assert [response.status_code for response in (early_stop, *responses)] == [409, 409, 409]
    assert "got deploying" in responses[0].json["detail"]


def test_a_set_status_stays(client: Client, service_id: str) -> None:
    """Setting a status ends the pending transition."""
    start_action(client, service_id, "deploy")
    client.put(f"/_mock/services/{service_id}/status", json={"status": "stopping"})
    advance(client, 10_000)
    assert read_status(client) == "stopping"


def test_a_deploy_is_immediate_by_default() -> None:
    """Without a duration the service runs at once."""
    client = Client(create_app())
    service_id = client.post("/_mock/services", json=BODY).json["id"]
    assert start_action(client, service_id, "deploy").json["service_status"] == "running"


def test_an_update_uses_the_advanced_clock(client: Client, service_id: str) -> None:
    """An update after an advance carries the advanced time."""
    advance(client, 3600.5)
    client.put(f"{CREATE}/{service_id}", json={}, headers=auth())
    assert client.get("/_mock/clock").json == {"now": "2026-01-02T04:04:05.500000+00:00", "ahead": 3600.5}
    read_back = client.get("/api/v1/r/containers/seeded", headers=auth()).json
    assert read_back["updated_at"] == "2026-01-02T04:04:05.500Z"


MISTAKES: dict[str, tuple[str, Any, int]] = {
    "clock-back": ("clock", {"advance": -1}, 400),
    "clock-text": ("clock", {"advance": "1"}, 400),
    "clock-true": ("clock", {"advance": True}, 400),
    "clock-far": ("clock", {"advance": 1e300}, 400),
    "clock-list": ("clock", [], 400),
    "seconds": ("services/{}/deploy", {"seconds": -1}, 400),
    "seconds-text": ("services/{}/stop", {"seconds": "1"}, 400),
    "ends": ("services/{}/deploy", {"ends": ["x"]}, 400),
    "misspelt": ("services/{}/deploy", {"second": 5}, 400),
    "list": ("services/{}/stop", [], 400),
    "unknown": ("services/0192f0c1-0000-7000-8000-000000000000/deploy", {}, 404),
    "no-id": ("services/none/stop", {}, 404),
}


@pytest.mark.parametrize(("path", "body", "expected_status"), MISTAKES.values(), ids=MISTAKES)
def test_an_invalid_request_changes_nothing(
    client: Client, service_id: str, path: str, body: Any, expected_status: int
) -> None:
    """The response is a problem document, and status and clock are unchanged."""
    response = client.post(f"/_mock/{path.format(service_id)}", json=body)
    assert (response.status_code, response.mimetype) == (expected_status, "application/problem+json")
    assert (read_status(client), client.get("/_mock/clock").json["ahead"]) == ("created", 0)


def test_a_malformed_body_is_refused(client: Client, service_id: str) -> None:
    """A malformed body is not treated as an empty one, which is optional."""
    path = f"/_mock/services/{service_id}/deploy"
    assert [client.post(path, data=data).status_code for data in (b"{seconds: 5}", b"")] == [400, 200]


def test_a_seed_cannot_set_a_transition(client: Client) -> None:
    """The internal key of the pending transition is refused in a seed, and nothing is stored."""
    response = client.post("/_mock/services", json={**BODY, "/arrives": "tomorrow"})
    assert (response.status_code, client.get("/_mock/services").json["count"]) == (400, 0)


@pytest.mark.parametrize(("path", "body"), [("script", {"status": 503}), ("clock", {"advance": 1})])
def test_state_of_one_worker_is_refused_with_several(path: str, body: Any) -> None:
    """With several workers, the script and the clock cannot be set, and the response gives the reason."""
    response = Client(create_app(workers=4)).post(f"/_mock/{path}", json=body)
    assert (response.status_code, "with 4 workers, expected one" in response.json["detail"]) == (409, True)


def test_the_clock_has_a_limit(client: Client) -> None:
    """The clock can be ten years ahead at most."""
    statuses = {client.post("/_mock/clock", json={"advance": 366 * 24 * 3600}).status_code for _ in range(11)}
    assert statuses == {200, 400}
