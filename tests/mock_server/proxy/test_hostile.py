"""The proxy before hostile upstreams: each request ends in time, and the client's connection stays in step."""

import http.client
import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Any

import pytest
from werkzeug.test import create_environ

from mock_server.proxy.app import create_proxy
from mock_server.proxy.upstream import UpstreamError
from tests.support.hostile_server import ANSWERS, GOOD_BODY, choose_answers, serve_always, serve_answers
from tests.support.proxy.fixtures import (
    CREATE,
    MIB,
    ProxyFixtures,
    build_head,
    respond_with,
    run_proxy_fixtures,
)
from tests.support.proxy.in_process import BODY, HEADERS

pytestmark = pytest.mark.slow

#: Seconds; a valid head arrives within them on a busy machine.
_TIMEOUT = 1.5
_READ_BYTES = 2**20
#: The answers that reach the client, at least in part; each other becomes a problem document.
FORWARDED = {
    "body-cut": 201,
    "chunk-cut": 201,
    "chunk-broken": 201,
    "chunk-size-with-a-prefix": 201,
    "chunk-too-long": 201,
    "last-chunk-cut": 201,
    "length-short": 201,
    "body-drips": 201,
    "chunks-drip": 201,
    "body-without-end": 201,
    "trailers-without-end": 201,
    "no-content-with-a-body": 204,
    "no-content-without-end": 204,
    "interim-then-good": 201,
    "gzip-bomb": 201,
    "gzip-broken": 201,
    "redirect": 302,
    "good": 201,
}
#: The answers that come too late; the rest is invalid.
LATE = {"silence", "status-drips", "headers-drip"}
#: The answers that are too many or too late, whichever comes first.
INVALID_OR_LATE = {"interim-drips"}
#: The answers whose body breaks off, also for the client.
BROKEN_OFF = {
    *("body-cut", "chunk-cut", "chunk-broken", "chunk-size-with-a-prefix", "chunk-too-long"),
    *("last-chunk-cut", "trailers-without-end"),
}
#: The answers whose body goes on for as long as the client reads it.
ENDLESS = {"body-drips", "chunks-drip", "body-without-end"}


@dataclass
class ReceivedResponse:
    """A response of the proxy in process, and whether it broke off; a long body is read in part."""

    status: int = 0
    body: bytes = b""
    seconds: float = 0
    broken_off: bool = False


def send_in_process(app: Any, path: str) -> ReceivedResponse:
    """Send a create to a path, and read the response for twice the timeout or up to a size."""
    received, started = ReceivedResponse(), time.monotonic()

    def start_response(status: str, _fields: Any, *_: Any) -> None:
        received.status, received.seconds = int(status[:3]), time.monotonic() - started

    parts = app(create_environ(path, method="POST", json=BODY, headers=HEADERS), start_response)
    try:
        for part in parts:
            received.body += part
            if len(received.body) > _READ_BYTES or time.monotonic() - started > 2 * _TIMEOUT:
                break
    except UpstreamError:
        received.broken_off = True
    finally:
        getattr(parts, "close", lambda: None)()
    return received


def list_statuses(name: str) -> set[int]:
    """Return the statuses that a client may get for an answer of that name."""
    if name in FORWARDED:
        return {FORWARDED[name]}
    return {502, 504} if name in INVALID_OR_LATE else {504} if name in LATE else {502}


def check_response(name: str, received: ReceivedResponse) -> None:
    """Assert that a response is what an answer of that name has to become."""
    assert received.status in list_statuses(name)
    assert received.broken_off == (name in BROKEN_OFF)
    assert received.seconds < _TIMEOUT + 5
    if name not in FORWARDED:
        assert json.loads(received.body)["status"] == received.status


@pytest.mark.parametrize("path", [CREATE, "/other"])
@pytest.mark.parametrize("name", ANSWERS)
def test_a_hostile_answer_becomes_a_response_in_time(name: str, path: str) -> None:
    """The head arrives within the timeout: of the answer if it is valid, else of a 502 or a 504."""
    with serve_answers(serve_always(name)) as (url, _):
        check_response(name, send_in_process(create_proxy(url, timeout=_TIMEOUT), path))


@pytest.mark.parametrize("seed", range(3))
def test_a_seed_of_answers_disturbs_no_other_response(seed: int) -> None:
    """In a mixture of answers, each request gets the response to its own answer."""
    check_seed(seed, requests=8)


@pytest.mark.parametrize(
    "seed",
    [
        *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(100, 101)),
        *(pytest.param(seed, marks=pytest.mark.exhaustive) for seed in range(101, 150)),
    ],
)
def test_many_seeds_of_answers_disturb_no_other_response(seed: int) -> None:
    """The same holds for longer mixtures of more seeds."""
    check_seed(seed, requests=30)


def check_seed(seed: int, requests: int) -> None:
    """Assert that each of some requests gets the response to its own answer."""
    with serve_answers(choose_answers(seed)) as (url, given):
        app = create_proxy(url, timeout=_TIMEOUT)
        for _ in range(requests):
            before = len(given)
            received = send_in_process(app, CREATE)
            if len(given) == before:  # sent on the connection of the answer before, which was about to close
                assert b"closed the connection without a response" in received.body
            else:
                check_response(given[-1], received)


# --- over sockets


@pytest.fixture(scope="module")
def hostile_fixtures(closing: Any, tmp_path_factory: pytest.TempPathFactory) -> ProxyFixtures:
    """Return a proxy with a short timeout, its upstream, and the handler of the upstream."""
    limits = ("--timeout", str(_TIMEOUT), "--body-timeout", str(_TIMEOUT))
    return closing(run_proxy_fixtures(tmp_path_factory.mktemp("hostile"), *limits))


@pytest.fixture
def connection(hostile_fixtures: ProxyFixtures) -> Iterator[http.client.HTTPConnection]:
    """Yield a connection to the proxy that is never opened again by itself."""
    with closing(http.client.HTTPConnection("127.0.0.1", hostile_fixtures[0].port, timeout=10)) as opened:
        opened.connect()
        opened.auto_open = 0
        yield opened


def send_on(connection: http.client.HTTPConnection, path: str, endless: bool = False) -> tuple[int, bytes]:
    """Send a create, and return the response; close the connection if the body breaks off or never ends."""
    connection.request("POST", path, json.dumps(BODY), HEADERS)
    response = connection.getresponse()
    try:
        body = response.read(1 if endless else None)
    except http.client.IncompleteRead as error:
        endless, body = True, error.partial
    if endless:
        connection.close()
    return response.status, body


@pytest.mark.parametrize("path", [CREATE, pytest.param("/other", marks=pytest.mark.exhaustive)])
@pytest.mark.parametrize("name", ANSWERS)
def test_the_connection_of_the_client_stays_in_step(
    hostile_fixtures: ProxyFixtures, connection: http.client.HTTPConnection, name: str, path: str
) -> None:
    """The next request on a connection gets its own answer, unless the response before it ended the connection."""
    process, _, switch = hostile_fixtures
    switch.handler = lambda upstream, *_: ANSWERS[name](upstream)
    status, _ = send_on(connection, path, name in ENDLESS)
    assert status in list_statuses(name)
    switch.handler = lambda upstream, *_: ANSWERS["good"](upstream)
    assert (connection.sock is None) == (name in BROKEN_OFF | ENDLESS)
    if connection.sock is None:
        connection.connect()
    assert send_on(connection, path) == (201, GOOD_BODY)
    assert "Traceback" not in process.read_log()


def test_clients_that_read_no_response_hold_nobody_up(
    closing: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """While a hundred clients leave a long response unread, another is answered."""
    process, _, switch = closing(run_proxy_fixtures(tmp_path_factory.mktemp("idle")))
    switch.handler = respond_with(b"HTTP/1.1 200 OK\r\n\r\n" + bytes(64 * MIB))
    with ExitStack() as stack:
        idle = [
            stack.enter_context(socket.create_connection(("127.0.0.1", process.port), timeout=10))
            for _ in range(100)
        ]
        for client in idle:
            client.sendall(build_head("GET /long"))
        assert [client.recv(1) for client in idle] == [b"H"] * 100
