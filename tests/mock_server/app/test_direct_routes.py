"""The short way past Flask: no client, hook or signal can tell it from Flask's own way."""

import copy
import itertools
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask, request, request_started
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.test import EnvironBuilder, run_wsgi_app

from mock_server import create_app
from mock_server.contract import resources
from tests.support.api import BODY, CREATE
from tests.support.clients import over_wsgi
from tests.support.fixture_player import Case, FixturePlayer, Response, cases

HEADERS = {"Authorization": "Bearer sk-red-5f0c7c1e9a", "Content-Type": "application/json"}
#: Status, header fields and body of a response.
Sent = tuple[str, list[tuple[str, str]], bytes]


def build_numbered_app() -> Flask:
    """Return a mock whose ids and clock are the same each time."""
    numbers, moment = itertools.count(), datetime(2026, 1, 2, tzinfo=UTC)
    return create_app(new_id=lambda: f"0192f0c1-9a8b-7c6d-9e5f-{next(numbers):012}", clock=lambda: moment)


def build_both() -> tuple[Flask, Flask]:
    """Return two equal mocks; the second one has a hook, so that Flask answers every request."""
    direct, through_flask = build_numbered_app(), build_numbered_app()
    through_flask.before_request(lambda: None)
    return direct, through_flask


def call(app: Flask, environ: dict[str, Any]) -> Sent:
    """Return the response to an environ; the phrase of the status does not count."""
    chunks, status, headers = run_wsgi_app(app, environ, buffered=True)
    return status.split()[0], sorted(headers), b"".join(chunks)


def send(app: Flask, method: str, path: str, body: Any = None, **headers: str) -> Sent:
    """Return the response to a request that no test client sends."""
    builder = EnvironBuilder(path, method=method, data=json.dumps(body), headers={**HEADERS, **headers})
    return call(app, builder.get_environ())


DIRECT, THROUGH_FLASK = build_both()


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.id)
def test_a_fixture_gets_the_same_responses(case: Case) -> None:
    """Status, headers and body of each response of a case are equal."""
    with over_wsgi(DIRECT) as send_direct, over_wsgi(THROUGH_FLASK) as send_through_flask:

        def send_both(*request_parts: Any) -> Response:
            direct, through_flask = send_direct(*request_parts), send_through_flask(*request_parts)
            assert (direct.status, dict(direct.headers), direct.body) == (
                through_flask.status,
                dict(through_flask.headers),
                through_flask.body,
            )
            return direct

        FixturePlayer(send_both).run(case)


REQUESTS: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("POST", CREATE, {}),
    ("POST", CREATE, {"Prefer": "code=409"}),
    ("POST", CREATE, {"Prefer": "code=422"}),
    ("POST", CREATE, {"Host": "a_b"}),
    ("POST", CREATE, {"Connection": "upgrade", "Upgrade": "websocket"}),
    ("POST", CREATE, {"Authorization": "Bearer no-such-token"}),
    ("POST", CREATE, {"Content-Type": "text/plain"}),
    ("POST", CREATE, {"Content-Type": ""}),
    ("PUT", f"{CREATE}/no-uuid", {}),
    ("PUT", f"{CREATE}/%C3%A9%0A", {}),
    ("PUT", f"{CREATE}/a/b", {}),
    ("PUT", f"{CREATE}/", {}),
    ("GET", "/api/v1/r/containers/abc", {}),
    ("HEAD", "/api/v1/r/containers/abc", {}),
    ("DELETE", CREATE, {}),
    ("POST", f"{CREATE}/", {}),
    ("POST", f"/{CREATE}", {}),
    ("POST", "/api/v1/containers%0A", {}),
    ("GET", "/_mock/health", {}),
)


@pytest.mark.parametrize(("method", "path", "headers"), REQUESTS)
def test_a_request_gets_the_same_response_twice(method: str, path: str, headers: dict[str, str]) -> None:
    """Status, headers and body are equal, at the first and at the second request."""
    direct, through_flask = build_both()
    for _ in range(2):
        assert send(direct, method, path, BODY, **headers) == send(
            through_flask, method, path, BODY, **headers
        )


@pytest.mark.parametrize(
    ("status", "headers"),
    [(204, {}), (200, {"Location": "/x"}), (418, {"content-length": "7"}), (204, {"X-A": "b"})],
)
def test_a_scripted_response_is_framed_the_same(status: int, headers: dict[str, str]) -> None:
    """A response without a body, or with further headers, has the headers that Flask sends."""
    direct, through_flask = build_both()
    for app in (direct, through_flask):
        step = {"status": status, "headers": headers}
        assert app.test_client().post("/_mock/script", json=step).status_code in {200, 400}
    assert send(direct, "POST", CREATE, BODY) == send(through_flask, "POST", CREATE, BODY)


HOSTS = (
    "a..b",
    ".a",
    "a.",
    "-",
    "",
    "a_b",
    "x" * 70,
    "x" * 70 + ".de",
    "xn--a",
    "xn--9",
    "a:0",
    "a:",
    "a:99999",
    "\n",
)


@pytest.mark.parametrize("host", HOSTS)
def test_a_host_is_refused_or_accepted_as_in_flask(host: str) -> None:
    """The response to a host that Flask checks is equal."""
    responses = []
    for app in build_both():
        environ = EnvironBuilder(CREATE, method="POST", headers=HEADERS, data=json.dumps(BODY)).get_environ()
        responses.append(call(app, environ | {"HTTP_HOST": host}))
    assert responses[0] == responses[1]


@settings(max_examples=300, deadline=None)
@given(
    method=st.sampled_from(["GET", "PUT", "POST", "HEAD", "OPTIONS", "put", ""]),
    start=st.sampled_from([CREATE, f"{CREATE}/", "/api/v1/r/containers/", "/api/v1/", ""]),
    rest=st.lists(st.sampled_from(["/", "\u00e9", "\n", "%2F", "\xff", "abc", "containers"]), max_size=3),
    host=st.sampled_from(
        ["localhost", "localhost:4010", "[::1]:80", "a_b", "-", "", "x" * 70 + ".de", "\u00e9"]
    ),
)
def test_every_path_and_host_gets_the_same_response(
    method: str, start: str, rest: list[str], host: str
) -> None:
    """Paths match, and hosts are refused, as in Flask."""
    responses = []
    for app in (DIRECT, THROUGH_FLASK):
        environ = EnvironBuilder("/", headers=HEADERS, data=b"{}").get_environ()
        environ |= {"REQUEST_METHOD": method, "PATH_INFO": "".join([start, *rest]), "HTTP_HOST": host}
        responses.append(call(app, environ))
    assert responses[0] == responses[1]


def test_a_hook_sees_every_request() -> None:
    """A `before_request` function may answer in place of the mock."""
    app = create_app()
    app.before_request(lambda: (request.path, 418))
    assert send(app, "POST", CREATE, BODY)[2] == CREATE.encode()


def test_a_signal_is_sent_for_every_request() -> None:
    """A receiver of a Flask signal receives it."""
    app, paths = create_app(), []
    with request_started.connected_to(lambda *_, **__: paths.append(request.path), app):
        send(app, "POST", CREATE, BODY)
    assert paths == [CREATE]


def test_a_replaced_view_is_called() -> None:
    """`view_functions` decides which function answers."""
    app = create_app()
    app.view_functions["createContainer"] = lambda: "mine"
    assert send(app, "POST", CREATE, BODY)[2] == b"mine"


def test_an_added_route_is_found() -> None:
    """A route that is added to the app answers, even if a path of the contract would match too."""
    app = create_app()
    app.add_url_rule("/api/v1/r/containers/health", "mine", lambda: "mine")
    assert send(app, "GET", "/api/v1/r/containers/health")[2] == b"mine"
    assert send(app, "POST", CREATE, BODY)[0] == "201"


def test_a_path_without_parameters_goes_first() -> None:
    """Of two paths of a contract that match, the written-out one is used."""
    document: Any = copy.deepcopy(resources.read_yaml(resources.find_resource("spec/openapi.yaml")))
    bulk = copy.deepcopy(document["paths"]["/containers/{serviceId}"]["put"])
    document["paths"]["/containers/bulk"] = {"put": {**bulk, "operationId": "bulk", "parameters": []}}
    app = create_app(spec=document)
    assert b"bulk: the mock has no such operation" in send(app, "PUT", f"{CREATE}/bulk", {})[2]


def test_a_500_can_be_read_by_a_page() -> None:
    """With CORS, a failure of the mock has the header that lets a script read it."""
    app, heads = create_app(cors=True, new_id=lambda: str(1 // 0)), []
    environ = EnvironBuilder(CREATE, method="POST", data=json.dumps(BODY), headers=HEADERS).get_environ()
    app.wsgi_app(environ, lambda status, headers, *_: heads.append((status[:3], dict(headers))))
    assert [(s, h.get("Access-Control-Allow-Origin")) for s, h in heads] == [("500", "*")]
