"""What Flask is spared, nobody who looks can tell."""

import itertools
import json
from typing import Any

import pytest
from flask import Flask, request, request_started, url_for
from werkzeug.test import EnvironBuilder, run_wsgi_app

from mock_server import create_app

HEADERS = {"Authorization": "Bearer sk-red-5f0c7c1e9a", "Content-Type": "application/json"}
CREATE = {"service_slug": "abc", "display_name": "A", "docker_image": "nginx"}
CONTAINERS = "/api/v1/containers"


def asked(app: Flask, method: str, path: str, body: Any = None, **headers: str) -> tuple[str, str, bytes]:
    """Status, headers and body of an answer to a request that no test client makes."""
    sent = EnvironBuilder(path, method=method, data=json.dumps(body), headers={**HEADERS, **headers})
    chunks, status, fields = run_wsgi_app(app, sent.get_environ(), buffered=True)
    return status, str(sorted(fields)), b"".join(chunks)


def counting() -> Flask:
    """A mock whose ids are the same each time."""
    numbers = itertools.count()
    return create_app(new_id=lambda: f"0192f0c1-9a8b-7c6d-9e5f-{next(numbers):012}")


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("POST", CONTAINERS, {}),
        ("POST", CONTAINERS, {"Prefer": "code=409"}),
        ("POST", CONTAINERS, {"Host": "a_b"}),
        ("POST", CONTAINERS, {"Connection": "upgrade", "Upgrade": "websocket"}),
        ("PUT", f"{CONTAINERS}/no-uuid", {}),
        ("GET", "/api/v1/r/containers/abc", {}),
        ("HEAD", "/api/v1/r/containers/abc", {}),
        ("DELETE", CONTAINERS, {}),
        ("POST", f"{CONTAINERS}/", {}),
        ("POST", f"/{CONTAINERS}", {}),
        ("POST", "/api/v1/containers%0A", {}),
        ("GET", "/_mock/health", {}),
    ],
)
def test_the_answer_is_the_same_as_through_flask(method: str, path: str, headers: dict[str, str]) -> None:
    """Status, headers and body, whatever is asked, and at the second time too."""
    direct, flask = counting(), counting()
    flask.before_request(lambda: None)
    for _ in range(2):
        assert asked(direct, method, path, CREATE, **headers) == asked(flask, method, path, CREATE, **headers)


def test_a_hook_sees_every_request() -> None:
    """A function that is registered with `before_request` may answer in place of the mock."""
    app = create_app()
    app.before_request(lambda: (request.path, 418))
    assert asked(app, "POST", CONTAINERS, CREATE)[2] == CONTAINERS.encode()


def test_a_signal_is_sent() -> None:
    """Who receives a signal of Flask receives it for every request."""
    app, seen = create_app(), []
    with request_started.connected_to(lambda *_, **__: seen.append(request.path), app):
        asked(app, "POST", CONTAINERS, CREATE)
    assert seen == [CONTAINERS]


def test_a_view_that_is_replaced_is_used() -> None:
    """`view_functions` has the last word."""
    app = create_app()
    app.view_functions["createContainer"] = lambda: "mine"
    assert asked(app, "POST", CONTAINERS, CREATE)[2] == b"mine"


def test_a_url_can_be_built() -> None:
    """What builds the URL of a route is made when it is asked for."""
    app = create_app()
    with app.test_request_context():
        assert url_for("updateContainer", p0="x", q="1") == f"{CONTAINERS}/x?q=1"
