"""The middleware: CORS, the log, and the part of a body that is stored."""

import html
import io
import re

import pytest
from werkzeug.test import Client

from mock_server import create_app
from mock_server.web.middleware import read_request
from tests.support.api import BODY, CREATE, auth


def test_cors_allows_any_origin() -> None:
    """A preflight lists methods and headers, and each response allows any origin."""
    client = Client(create_app(cors=True))
    headers = {"Origin": "https://page.example", "Access-Control-Request-Method": "POST"}
    preflight = client.options(CREATE, headers=headers)
    response = client.post(CREATE, json=BODY, headers=auth())
    assert (preflight.status_code, "X-Team-ID" in preflight.headers["Access-Control-Allow-Headers"]) == (
        204,
        True,
    )
    assert [message.headers["Access-Control-Allow-Origin"] for message in (preflight, response)] == ["*", "*"]


def test_cors_does_not_open_the_control_plane() -> None:
    """A page of another site may call the API, and may not read what others sent to it."""
    client = Client(create_app(cors=True))
    headers = {"Origin": "https://page.example", "Access-Control-Request-Method": "GET"}
    responses = [client.get("/_mock/journal"), client.options("/_mock/journal", headers=headers)]
    assert [response.status_code for response in responses] == [200, 405]
    assert not any("Access-Control-Allow-Origin" in response.headers for response in responses)


@pytest.mark.parametrize(
    ("method", "path", "headers", "line"),
    [
        ("GET", "/api/v1/container", {}, "404 ms; /api/v1/container: unknown path"),
        ("GET", "/x%0A500", {}, "404 ms; /x\\n500: unknown path"),
        ("DELETE", CREATE, {}, f"405 ms; {CREATE}: got DELETE, expected POST"),
        ("POST", CREATE, {"Prefer": "code=299"}, "400 ms; Prefer: code: got '299', expected a declared status"),
        ("POST", CREATE, {}, "401 auth-required ms"),
    ],
)  # fmt: skip
def test_the_log_says_why_a_request_that_breaks_no_rule_was_refused(
    method: str, path: str, headers: dict[str, str], line: str
) -> None:
    """A line has the rules, or else the reason in one line; so has the list of requests on the page."""
    lines: list[str] = []
    client = Client(create_app(log=lines.append))
    client.open(path, method=method, headers=headers)
    (logged,) = lines
    assert re.sub(r" [\d.]+ ms", " ms", logged).partition(" ")[2].partition(" ")[2].startswith(line)
    reason = line.partition("ms; ")[2]
    assert html.escape(reason, quote=True).replace("&#x27;", "&#39;") in client.get("/_mock/").text


def test_a_body_is_cut_at_the_limit() -> None:
    """Bytes beyond the limit are counted and dropped, with or without a declared length."""
    body = b"a" * 100_000
    with_length = {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
    without_length = {"wsgi.input": io.BytesIO(body), "wsgi.input_terminated": True}
    requests = [read_request(environ, 10) for environ in (with_length, without_length)]
    assert [(request.body, request.body_size) for request in requests] == [(body[:10], 100_000)] * 2


def test_an_upgrade_is_ignored() -> None:
    """A valid request that offers another protocol is answered in this one, and recorded as it came."""
    client = Client(create_app())
    offer = {"Connection": "Upgrade", "Upgrade": "websocket"}
    assert client.post(CREATE, json=BODY, headers={**auth(), **offer}).status_code == 201
    assert client.get("/_mock/", headers=offer).status_code == 200
    [entry] = client.get("/_mock/journal").json["requests"]
    assert entry["headers"]["Upgrade"] == "websocket"
