"""Turns as granian takes them: whatever some calls wait for, all others are answered, each as a whole."""

import http.client
import json
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager

import pytest

from tests.mock_server.admin.test_api import BODY, CREATE, auth
from tests.support.processes import Running, mock_server


@pytest.fixture
def running() -> Iterator[Running]:
    """A mock that serves."""
    with mock_server("--cors") as made:
        yield made


def _connected(running: Running) -> http.client.HTTPConnection:
    host, port = running.url.removeprefix("http://").split("/")[0].split(":")
    return http.client.HTTPConnection(host, int(port), timeout=20)


def _head(path: str, **fields: str) -> bytes:
    told = {"Host": "mock", **auth(), "Content-Type": "application/json", **fields}
    return "\r\n".join([f"POST {path} HTTP/1.1", *(f"{k}: {v}" for k, v in told.items()), "", ""]).encode()


@contextmanager
def _connected_socket(running: Running) -> Iterator[socket.socket]:
    with closing(_connected(running)) as connection:
        connection.connect()
        yield connection.sock


def test_sixty_calls_that_wait_hold_up_nobody(running: Running) -> None:
    """While sixty answers are held back, others are given; all of the sixty were carried out at once."""
    body = json.dumps({**BODY, "service_slug": "seeded"}).replace("seeded", "seeded-00").encode()
    head = _head(CREATE, Prefer="wait=60", **{"Content-Length": str(len(body))})
    with ExitStack() as stack:
        for number in range(60):
            one = stack.enter_context(_connected_socket(running))
            one.sendall(head + body.replace(b"seeded-00", b"seeded-%02d" % number))
        connection, stored = stack.enter_context(closing(_connected(running))), 0
        while stored < 60:
            connection.request("GET", "/_mock/health")
            stored = json.loads(connection.getresponse().read())["services"]


#: Requests of every kind, and the statuses of their answers.
ASKED: tuple[tuple[str, str, dict[str, str], int], ...] = (
    ("GET", "/_mock/health", {}, 200),
    ("HEAD", "/_mock/health", {}, 200),
    ("GET", "/_mock/", {}, 200),
    ("OPTIONS", CREATE, {"Access-Control-Request-Method": "POST"}, 204),
    ("OPTIONS", CREATE, {}, 405),
    ("GET", "/nowhere", {}, 404),
    ("HEAD", "/nowhere", {}, 404),
    ("POST", CREATE, {}, 401),
    ("POST", CREATE, auth(), 415),
    ("DELETE", "/_mock/services", {}, 200),
)


@pytest.mark.parametrize("framing", ["Content-Length: 500", "Transfer-Encoding: chunked"])
def test_a_body_that_comes_slowly_holds_up_nobody(running: Running, framing: str) -> None:
    """While a body is on its way, each other answer comes whole, on one connection; then that of the body does."""
    name, _, value = framing.partition(": ")
    text = json.dumps({**BODY, "service_desc": "d" * 400}).encode().ljust(500)
    body = text if value == "500" else b"1f4\r\n%s\r\n0\r\n\r\n" % text
    with _connected_socket(running) as slow:
        slow.sendall(_head(CREATE, **{name: value}) + body[:100])
        with closing(_connected(running)) as connection:
            for method, path, headers, status in ASKED * 10:
                connection.request(method, path, headers=headers)
                answer = connection.getresponse()
                length = len(answer.read())
                assert (method, path, answer.status, answer.will_close) == (method, path, status, False)
                assert length == int(answer.headers.get("Content-Length", "0")) or method == "HEAD"
        slow.sendall(body[100:])
        assert slow.recv(100).startswith(b"HTTP/1.1 201")


def test_it_ends_while_threads_are_held() -> None:
    """Ctrl-C ends the mock within two seconds, with a body on its way and threads that stay in their calls."""
    with mock_server() as running, _connected_socket(running) as slow:
        slow.sendall(_head(CREATE, **{"Content-Length": "500"}) + b"{")
        with closing(_connected(running)) as connection:
            for _ in range(10):
                connection.request("GET", "/_mock/health")
                connection.getresponse().read()
        running.process.send_signal(signal.SIGINT)
        assert running.process.wait(timeout=10) == 0
