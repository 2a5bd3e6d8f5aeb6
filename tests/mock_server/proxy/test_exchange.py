"""The proxy over sockets: bodies of any size are streamed."""

import socket
import threading
import time
from pathlib import Path

import pytest

from tests.support.proxy.fixtures import (
    CREATE,
    MIB,
    OK,
    ProxyFixtures,
    build_head,
    respond_with,
)
from tests.support.proxy.processes import (
    open_request,
    proxy_process,
    receive_rest,
    receive_until,
    send_raw,
)

STREAMS = {
    "chunked": (
        "GET /events",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"5\r\nfirst\r\n",
        b"5\r\nlater\r\n0\r\n\r\n",
    ),
    "with-its-length": ("GET /file", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n", b"first", b"later"),
    "until-closed": ("GET /old", b"HTTP/1.1 200 OK\r\n\r\n", b"first", b"later"),
    "a-long-response-of-the-contract": (
        f"POST {CREATE}",
        b"HTTP/1.1 201 Created\r\nContent-Length: 100010\r\n\r\n",
        b"a" * 100_000 + b"first",
        b"later",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("line", "start", "first", "later"), STREAMS.values(), ids=STREAMS)
def test_a_response_is_streamed(
    proxy_fixtures: ProxyFixtures, line: str, start: bytes, first: bytes, later: bytes
) -> None:
    """The client receives the first part before the upstream sends the next."""
    process, _, switch = proxy_fixtures
    received = threading.Event()

    def handler(connection: socket.socket, *_: bytes) -> None:
        connection.sendall(start + first)
        assert received.wait(10)
        connection.sendall(later)

    switch.handler = handler
    with open_request(process.port, build_head(line)) as connection:
        receive_until(connection, b"first")
        received.set()
        assert later in receive_rest(connection)


def test_the_head_of_a_response_is_sent_at_once(proxy_fixtures: ProxyFixtures) -> None:
    """An event stream that is silent at first is open at once."""
    process, _, switch = proxy_fixtures
    received = threading.Event()

    def handler(connection: socket.socket, *_: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        received.wait(10)

    switch.handler = handler
    with open_request(process.port, build_head("GET /events")) as connection:
        connection.settimeout(1)  # the proxy gives up after two
        assert b"text/event-stream" in receive_until(connection, b"\r\n\r\n")
        received.set()


def test_an_unfinished_request_does_not_reach_the_upstream(proxy_fixtures: ProxyFixtures) -> None:
    """A request is forwarded once it is complete."""
    process, upstream, switch = proxy_fixtures
    switch.handler = respond_with(OK)
    before = len(upstream.heads)
    with open_request(process.port, build_head("PUT /file", "Content-Length: 10") + b"first") as connection:
        assert send_raw(process.port, build_head("GET /other"))[1] == b"ok"
        assert len(upstream.heads) == before + 1
        connection.sendall(b"later")
        assert receive_rest(connection).endswith(b"ok")
    assert upstream.bodies[-1] == b"firstlater"


SIZE = 200 * MIB


def send_large_response(connection: socket.socket, *_: bytes) -> None:
    """Send 200 MB."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % SIZE)
    for _part in range(200):
        connection.sendall(b"a" * MIB)


def count_bytes(connection: socket.socket) -> int:
    """Return the number of bytes until the connection is closed."""
    return sum(iter(lambda: len(connection.recv(MIB)), 0))


@pytest.mark.parametrize("path", ["/file", CREATE])
@pytest.mark.slow
def test_a_large_response_takes_little_memory(proxy_fixtures: ProxyFixtures, path: str) -> None:
    """A response of 200 MB is never held in memory as a whole."""
    process, _, switch = proxy_fixtures
    switch.handler = respond_with(OK)
    send_raw(process.port, build_head(f"POST {path}", "Content-Length: 0"))
    before = process.peak_memory_kib()
    switch.handler = send_large_response
    with open_request(process.port, build_head(f"POST {path}", "Content-Length: 0")) as connection:
        assert count_bytes(connection) > SIZE
    assert process.peak_memory_kib() - before < 24 * 1024


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/file", CREATE])
def test_a_large_request_takes_little_memory(tmp_path: Path, path: str) -> None:
    """A request of 200 MB is never held in memory as a whole."""
    sizes: list[int] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve_once() -> None:
            connection, _ = server.accept()
            with connection:
                body = receive_until(connection, b"\r\n\r\n").partition(b"\r\n\r\n")[2]
                size = len(body)
                while size < SIZE:
                    size += len(connection.recv(MIB))
                sizes.append(size)
                connection.sendall(OK)

        threading.Thread(target=serve_once, daemon=True).start()
        url, limit = f"http://127.0.0.1:{server.getsockname()[1]}/api/v1", ("--max-body", str(SIZE))
        with proxy_process(url, tmp_path, *limit) as process:
            before = process.peak_memory_kib()
            with open_request(
                process.port, build_head(f"POST {path}", f"Content-Length: {SIZE}")
            ) as connection:
                for _ in range(200):
                    connection.sendall(b"a" * MIB)
                assert receive_rest(connection).endswith(b"ok")
            assert (sizes, process.peak_memory_kib() - before < 24 * 1024) == ([SIZE], True)


def test_a_client_that_disconnects_ends_the_stream(proxy_fixtures: ProxyFixtures) -> None:
    """The upstream can stop sending."""
    process, _, switch = proxy_fixtures
    upstream_stopped = threading.Event()

    def handler(connection: socket.socket, *_: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        try:
            while True:
                connection.sendall(b"a" * 1000)
                time.sleep(0.01)
        except OSError:
            upstream_stopped.set()

    switch.handler = handler
    with open_request(process.port, build_head("GET /endless")) as connection:
        receive_until(connection, b"aaaa")
    assert upstream_stopped.wait(10)


def test_slow_streams_do_not_block_others(proxy_fixtures: ProxyFixtures) -> None:
    """During twenty streams, another request gets its response at once."""
    process, _, switch = proxy_fixtures
    finish = threading.Event()

    def handler(connection: socket.socket, request_head: bytes, _: bytes) -> None:
        if b"/slow" in request_head:
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nbegun")
            finish.wait(10)
        else:
            connection.sendall(OK)

    switch.handler = handler
    connections = [socket.create_connection(("127.0.0.1", process.port), timeout=10) for _ in range(20)]
    for connection in connections:
        connection.sendall(build_head("GET /slow"))
    for connection in connections:
        receive_until(connection, b"begun")
    assert send_raw(process.port, build_head("GET /quick"))[1] == b"ok"
    finish.set()
    for connection in connections:
        connection.close()
