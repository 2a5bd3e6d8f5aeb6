"""What Flask is spared, nobody who looks can tell."""

import copy
import itertools
import json
from typing import Any

import pytest
from flask import Flask, request, request_started, url_for
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.test import EnvironBuilder, run_wsgi_app

from mock_server import create_app
from mock_server.contract import resources

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


DIRECT, FLASK = counting(), counting()
FLASK.before_request(lambda: None)


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
        ("POST", CONTAINERS, {"Prefer": "code=422"}),
        ("POST", CONTAINERS, {"Authorization": "Bearer no-such-token"}),
        ("POST", CONTAINERS, {"Content-Type": "text/plain"}),
        ("POST", CONTAINERS, {"Content-Type": ""}),
        ("PUT", f"{CONTAINERS}/%C3%A9%0A", {}),
        ("PUT", f"{CONTAINERS}/a/b", {}),
        ("PUT", f"{CONTAINERS}/", {}),
        ("GET", "/_mock/health", {}),
    ],
)
def test_the_answer_is_the_same_as_through_flask(method: str, path: str, headers: dict[str, str]) -> None:
    """Status, headers and body, whatever is asked, and at the second time too."""
    direct, flask = counting(), counting()
    flask.before_request(lambda: None)
    for _ in range(2):
        assert asked(direct, method, path, CREATE, **headers) == asked(flask, method, path, CREATE, **headers)


@pytest.mark.parametrize(
    ("status", "headers"),
    [(204, {}), (200, {"Location": "/x"}), (418, {"content-length": "7"}), (204, {"X-A": "b"})],
)
def test_what_a_script_answers_is_the_same_as_through_flask(status: int, headers: dict[str, str]) -> None:
    """An answer without a body, or with headers of its own, is framed as Flask frames it."""
    direct, flask = counting(), counting()
    flask.before_request(lambda: None)
    for app in (direct, flask):
        step = {"status": status, "headers": headers}
        assert app.test_client().post("/_mock/script", json=step).status_code in {200, 400}
    assert asked(direct, "POST", CONTAINERS, CREATE) == asked(flask, "POST", CONTAINERS, CREATE)


@settings(max_examples=300, deadline=None)
@given(
    method=st.sampled_from(["GET", "PUT", "POST", "HEAD", "OPTIONS", "put", ""]),
    start=st.sampled_from([CONTAINERS, f"{CONTAINERS}/", "/api/v1/r/containers/", "/api/v1/", ""]),
    rest=st.lists(st.sampled_from(["/", "é", "\n", "%2F", "\xff", "abc", "containers"]), max_size=3),
    host=st.sampled_from(["localhost", "localhost:4010", "[::1]:80", "a_b", "-", "", "x" * 70 + ".de", "é"]),
)
def test_every_path_and_host_is_answered_as_through_flask(
    method: str, start: str, rest: list[str], host: str
) -> None:
    """What stands in the environ as a server writes it is found, or not found, as Flask would."""
    told = []
    for app in (DIRECT, FLASK):
        environ = EnvironBuilder("/", headers=HEADERS, data=b"{}").get_environ()
        environ |= {"REQUEST_METHOD": method, "PATH_INFO": "".join([start, *rest]), "HTTP_HOST": host}
        chunks, status, fields = run_wsgi_app(app, environ, buffered=True)
        told.append((status, sorted(fields), b"".join(chunks)))
    assert told[0] == told[1]


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


def test_an_error_of_the_mock_can_be_read_by_a_page() -> None:
    """With --cors a 500 has the header that lets a script read it."""
    app, told = create_app(cors=True, new_id=lambda: str(1 // 0)), []
    sent = EnvironBuilder(CONTAINERS, method="POST", data=json.dumps(CREATE), headers=HEADERS)
    app.wsgi_app(sent.get_environ(), lambda status, fields, *_: told.append((status[:3], dict(fields))))
    assert [(status, fields.get("Access-Control-Allow-Origin")) for status, fields in told] == [("500", "*")]


def test_a_route_that_is_added_is_found() -> None:
    """A route that somebody adds to the app answers, though a path of the contract would fit, too."""
    app = create_app()
    app.add_url_rule("/api/v1/r/containers/health", "mine", lambda: "mine")
    assert asked(app, "GET", "/api/v1/r/containers/health")[2] == b"mine"
    assert asked(app, "POST", CONTAINERS, CREATE)[0] == "201 CREATED"


def test_a_path_without_values_goes_first() -> None:
    """Of two paths of a contract that fit, the one that is written out is meant."""
    document = copy.deepcopy(resources.read(resources.find("spec/openapi.yaml")))
    bulk = copy.deepcopy(document["paths"]["/containers/{serviceId}"]["put"])
    document["paths"]["/containers/bulk"] = {"put": {**bulk, "operationId": "bulk", "parameters": []}}
    app = create_app(document)
    assert b"bulk: the mock knows no such operation" in asked(app, "PUT", f"{CONTAINERS}/bulk", {})[2]


def test_a_url_can_be_built() -> None:
    """What builds the URL of a route is made when it is asked for."""
    app = create_app()
    with app.test_request_context():
        assert url_for("updateContainer", p0="x", q="1") == f"{CONTAINERS}/x?q=1"
