"""The life of a service, on a clock that the test turns."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from werkzeug.test import Client

from mock_server import create_app
from tests.mock_server.admin.test_api import BODY, CREATE, auth

Life = Callable[..., Any]


@pytest.fixture(params=["memory", "sqlite"])
def client(request: pytest.FixtureRequest, tmp_path: Any) -> Client:
    """A mock in which a deploy takes a minute."""
    store = "memory" if request.param == "memory" else f"sqlite:///{tmp_path / 'life.db'}"
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    return Client(create_app(clock=lambda: moment, deploy_seconds=60, store=store))


@pytest.fixture
def made(client: Client) -> str:
    """The id of a service that was created."""
    return str(client.post(CREATE, json=BODY, headers=auth()).json["id"])


def act(client: Client, made: str, action: str, **body: Any) -> Any:
    """A deploy or a stop."""
    return client.post(f"/_mock/services/{made}/{action}", json=body)


def turn(client: Client, seconds: float) -> None:
    """Turns the clock."""
    assert client.post("/_mock/clock", json={"advance": seconds}).status_code == 200


def status(client: Client) -> str:
    """The status as the read-back shows it; the control plane shows the same."""
    read = client.get("/api/v1/r/containers/seeded", headers=auth()).json["service_status"]
    assert client.get("/_mock/services").json["services"][0]["service_status"] == read
    return str(read)


def test_a_service_is_deployed_and_stopped(client: Client, made: str) -> None:
    """created, deploying, running, stopping, stopped: each from the clock."""
    seen = [status(client)]
    for action in ("deploy", "stop"):
        assert act(client, made, action).status_code == 200
        seen.append(status(client))
        turn(client, 59)
        seen.append(status(client))
        turn(client, 1)
        seen.append(status(client))
    assert seen == ["created", "deploying", "deploying", "running", "stopping", "stopping", "stopped"]


def test_no_update_is_taken_while_busy(client: Client, made: str) -> None:
    """An update is refused for not-while-busy, and taken once the deploy is over."""
    act(client, made, "deploy")
    refused = client.put(f"{CREATE}/{made}", json={"display_name": "e"}, headers=auth())
    turn(client, 60)
    taken = client.put(f"{CREATE}/{made}", json={"display_name": "e"}, headers=auth())
    assert [violation["rule"] for violation in refused.json["violations"]] == ["not-while-busy"]
    assert (taken.status_code, status(client)) == (200, "running")


def test_an_update_keeps_where_the_service_is(client: Client, made: str) -> None:
    """After an update of a running service it still runs, however the clock is turned."""
    act(client, made, "deploy")
    turn(client, 60)
    client.put(f"{CREATE}/{made}", json={"display_name": "e"}, headers=auth())
    turn(client, 1000)
    assert status(client) == "running"


def test_a_deploy_may_fail_and_may_be_quick(client: Client, made: str) -> None:
    """`ends` and `seconds` are those of the call; a failed service can be deployed again."""
    act(client, made, "deploy", seconds=5, ends="failed")
    turn(client, 5)
    failed = status(client)
    act(client, made, "deploy", seconds=0)
    assert (failed, status(client)) == ("failed", "running")


def test_a_busy_service_is_neither_deployed_nor_stopped(client: Client, made: str) -> None:
    """409 says what it is; one that does not run cannot be stopped."""
    early = act(client, made, "stop")
    act(client, made, "deploy")
    answers = [act(client, made, action) for action in ("deploy", "stop")]
    assert [got.status_code for got in (early, *answers)] == [409, 409, 409]
    assert "got deploying" in answers[0].json["detail"]


def test_a_status_that_is_set_stays(client: Client, made: str) -> None:
    """Setting a status ends what the service was on its way to."""
    act(client, made, "deploy")
    client.put(f"/_mock/services/{made}/status", json={"status": "stopping"})
    turn(client, 10_000)
    assert status(client) == "stopping"


def test_without_a_duration_a_deploy_is_over_at_once() -> None:
    """The default is no simulation: the service runs."""
    client = Client(create_app())
    made = client.post("/_mock/services", json=BODY).json["id"]
    assert act(client, made, "deploy").json["service_status"] == "running"


def test_the_clock_shows_in_what_is_written(client: Client, made: str) -> None:
    """A turned clock is the clock of the mock: an update carries its time."""
    turn(client, 3600.5)
    client.put(f"{CREATE}/{made}", json={}, headers=auth())
    assert client.get("/_mock/clock").json == {"now": "2026-01-02T04:04:05.500000+00:00", "ahead": 3600.5}
    read = client.get("/api/v1/r/containers/seeded", headers=auth()).json
    assert read["updated_at"] == "2026-01-02T04:04:05.500Z"


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


@pytest.mark.parametrize(("path", "body", "expected"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_told(client: Client, made: str, path: str, body: Any, expected: int) -> None:
    """A problem document, and nothing has changed."""
    got = client.post(f"/_mock/{path.format(made)}", json=body)
    assert (got.status_code, got.mimetype) == (expected, "application/problem+json")
    assert (status(client), client.get("/_mock/clock").json["ahead"]) == ("created", 0)


def test_a_body_that_is_no_json_is_told(client: Client, made: str) -> None:
    """It is not taken for an empty one, which is as good as none."""
    path = f"/_mock/services/{made}/deploy"
    assert [client.post(path, data=data).status_code for data in (b"{seconds: 5}", b"")] == [400, 200]


def test_a_seed_cannot_be_on_its_way(client: Client) -> None:
    """The name under which the mock keeps the moment of arrival is not taken from outside."""
    client.post("/_mock/services", json={**BODY, "/arrives": "tomorrow"})
    assert status(client) == "created"


@pytest.mark.parametrize(("path", "body"), [("script", {"status": 503}), ("clock", {"advance": 1})])
def test_what_one_worker_alone_would_know_is_refused(path: str, body: Any) -> None:
    """With several workers there is no one script and no one clock, and the answer says so."""
    got = Client(create_app(workers=4)).post(f"/_mock/{path}", json=body)
    assert (got.status_code, "with 4 workers, expected one" in got.json["detail"]) == (409, True)


def test_the_clock_has_an_end(client: Client) -> None:
    """It can be ten years ahead and no more."""
    answers = {client.post("/_mock/clock", json={"advance": 366 * 24 * 3600}).status_code for _ in range(11)}
    assert answers == {200, 400}
