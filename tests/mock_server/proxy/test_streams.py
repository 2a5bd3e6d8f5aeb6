"""The proxy over real sockets: what comes goes on as soon as it has come, of whatever size."""

import socket
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.proxy.fixtures import CREATE, MIB, OK, Switch, Trio, head, plain, running
from tests.support.proxy.processes import ByHand, Running, proxy, raw, rest, sent, until


@pytest.fixture(scope="module")
def trio(closing: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Running, ByHand, Switch]:
    """One proxy for the module, its upstream, and how that answers."""
    return closing(running(tmp_path_factory.mktemp("proxy"), "--timeout", "2"))


# --- streams


STREAMS = {
    "chunked": (
        "GET /events",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"5\r\nfirst\r\n",
        b"5\r\nlater\r\n0\r\n\r\n",
    ),
    "with-its-length": ("GET /file", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n", b"first", b"later"),
    "until-closed": ("GET /old", b"HTTP/1.1 200 OK\r\n\r\n", b"first", b"later"),
    "a-long-answer-of-the-contract": (
        f"POST {CREATE}",
        b"HTTP/1.1 201 Created\r\nContent-Length: 100010\r\n\r\n",
        b"a" * 100_000 + b"first",
        b"later",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("line", "start", "first", "later"), STREAMS.values(), ids=STREAMS)
def test_an_answer_comes_as_it_is_sent(
    trio: Trio, line: str, start: bytes, first: bytes, later: bytes
) -> None:
    """The client has the first part before the upstream sends the next."""
    process, _, switch = trio
    seen = threading.Event()

    def handler(connection: socket.socket, *_: bytes) -> None:
        connection.sendall(start + first)
        assert seen.wait(10)
        connection.sendall(later)

    switch.handler = handler
    with sent(process.port, head(line)) as connection:
        until(connection, b"first")
        seen.set()
        assert later in rest(connection)


def test_the_head_of_an_answer_waits_for_no_body(trio: Trio) -> None:
    """A stream of events that is silent at first is open at once."""
    process, _, switch = trio
    seen = threading.Event()

    def handler(connection: socket.socket, *_: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        seen.wait(10)

    switch.handler = handler
    with sent(process.port, head("GET /events")) as connection:
        connection.settimeout(1)  # the proxy gives up after two
        assert b"text/event-stream" in until(connection, b"\r\n\r\n")
        seen.set()


def test_an_unfinished_request_does_not_reach_the_upstream(trio: Trio) -> None:
    """The upstream gets a request once all of it has arrived, so that no unfinished one holds it."""
    process, upstream, switch = trio
    switch.handler = plain(OK)
    before = len(upstream.heads)
    with sent(process.port, head("PUT /file", "Content-Length: 10") + b"first") as connection:
        assert raw(process.port, head("GET /other"))[1] == b"ok"
        assert len(upstream.heads) == before + 1
        connection.sendall(b"later")
        assert rest(connection).endswith(b"ok")
    assert upstream.bodies[-1] == b"firstlater"


SIZE = 200 * MIB


def send_much(connection: socket.socket, *_: bytes) -> None:
    """Answers 200 MB."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % SIZE)
    for _part in range(200):
        connection.sendall(b"a" * MIB)


def counted(connection: socket.socket) -> int:
    """How many bytes come until the connection is closed."""
    return sum(iter(lambda: len(connection.recv(MIB)), 0))


@pytest.mark.parametrize("path", ["/file", CREATE])
def test_an_answer_of_any_size_takes_no_memory(trio: Trio, path: str) -> None:
    """Of 200 MB that pass, no more than a few are ever held."""
    process, _, switch = trio
    switch.handler = plain(OK)
    raw(process.port, head(f"POST {path}", "Content-Length: 0"))
    before = process.memory()
    switch.handler = send_much
    with sent(process.port, head(f"POST {path}", "Content-Length: 0")) as connection:
        assert counted(connection) > SIZE
    assert process.memory() - before < 24 * 1024


@pytest.mark.parametrize("path", ["/file", CREATE])
def test_a_request_of_any_size_takes_no_memory(tmp_path: Path, path: str) -> None:
    """The same in the other direction."""
    received: list[int] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def upstream() -> None:
            connection, _ = listening.accept()
            with connection:
                body = until(connection, b"\r\n\r\n").partition(b"\r\n\r\n")[2]
                size = len(body)
                while size < SIZE:
                    size += len(connection.recv(MIB))
                received.append(size)
                connection.sendall(OK)

        threading.Thread(target=upstream, daemon=True).start()
        with proxy(f"http://127.0.0.1:{listening.getsockname()[1]}/api/v1", tmp_path) as process:
            before = process.memory()
            with sent(process.port, head(f"POST {path}", f"Content-Length: {SIZE}")) as connection:
                for _ in range(200):
                    connection.sendall(b"a" * MIB)
                assert rest(connection).endswith(b"ok")
            assert (received, process.memory() - before < 24 * 1024) == ([SIZE], True)


def test_a_client_that_goes_away_ends_the_stream(trio: Trio) -> None:
    """The upstream need not send what nobody reads."""
    process, _, switch = trio
    ended = threading.Event()

    def handler(connection: socket.socket, *_: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        try:
            while True:
                connection.sendall(b"a" * 1000)
                time.sleep(0.01)
        except OSError:
            ended.set()

    switch.handler = handler
    with sent(process.port, head("GET /endless")) as connection:
        until(connection, b"aaaa")
    assert ended.wait(10)


def test_slow_streams_leave_room_for_others(trio: Trio) -> None:
    """While twenty answers are on their way, another call is answered at once."""
    process, _, switch = trio
    seen = threading.Event()

    def handler(connection: socket.socket, request_head: bytes, _: bytes) -> None:
        if b"/slow" in request_head:
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nbegun")
            seen.wait(10)
        else:
            connection.sendall(OK)

    switch.handler = handler
    connections = [socket.create_connection(("127.0.0.1", process.port), timeout=10) for _ in range(20)]
    for connection in connections:
        connection.sendall(head("GET /slow"))
    for connection in connections:
        until(connection, b"begun")
    assert raw(process.port, head("GET /quick"))[1] == b"ok"
    seen.set()
    for connection in connections:
        connection.close()
