"""A server that answers as no right one does, chosen by a seed, so that a seed repeats a failure."""

from __future__ import annotations

import gzip
import itertools
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

_OK = b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n"
#: The body of the good answer.
GOOD_BODY = b'{"id": "0192f0c1-2b3c-7d4e-8f50-616263646566"}'
_GOOD = _OK + b"Content-Length: %d\r\n\r\n" % len(GOOD_BODY) + GOOD_BODY
_BOMB = gzip.compress(bytes(64 * 1024 * 1024))
_LARGE = b" " * (5 * 1024 * 1024)

#: What a connection sends after a request; ``drip`` sends slowly and without end.
Send = Callable[[socket.socket], None]


def send_bytes(data: bytes) -> Send:
    """Send these bytes, then close."""
    return lambda connection: connection.sendall(data)


def drip(start: bytes, drop: bytes, pause: float = 0.02) -> Send:
    """Send a beginning, then the same few bytes again and again, slowly."""

    def send(connection: socket.socket) -> None:
        connection.sendall(start)
        while True:
            connection.sendall(drop)
            time.sleep(pause)

    return send


def flood(start: bytes, chunk: bytes) -> Send:
    """Send a beginning, then the same chunk without end, as fast as it is read."""

    def send(connection: socket.socket) -> None:
        connection.sendall(start)
        while True:
            connection.sendall(chunk)

    return send


#: By name: what the server sends.
ANSWERS: dict[str, Send] = {
    "nothing": send_bytes(b""),
    "silence": lambda _connection: time.sleep(5),
    "noise": send_bytes(b"\x00\xff\x16\x03 not HTTP\r\n\r\n"),
    "status-cut": send_bytes(b"HTTP/1.1 20"),
    "headers-cut": send_bytes(_OK + b"Content-Le"),
    "length-cut": send_bytes(_OK + b"Content-Length: 4"),
    "body-cut": send_bytes(_OK + b"Content-Length: 500\r\n\r\n" + GOOD_BODY),
    "chunk-cut": send_bytes(_OK + b"Transfer-Encoding: chunked\r\n\r\n1F4\r\n{"),
    "chunk-broken": send_bytes(_OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n"),
    "length-negative": send_bytes(_OK + b"Content-Length: -1\r\n\r\n" + GOOD_BODY),
    "length-twice": send_bytes(_OK + b"Content-Length: 2\r\nContent-Length: 5\r\n\r\n" + GOOD_BODY),
    "length-and-chunked": send_bytes(
        _OK + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
    ),
    "length-list": send_bytes(_OK + b"Content-Length: 2, 5\r\n\r\n" + GOOD_BODY),
    "length-with-a-sign": send_bytes(_OK + b"Content-Length: +2\r\n\r\n{}"),
    "length-short": send_bytes(_OK + b"Content-Length: 2\r\n\r\n{}" + _GOOD),
    "coding-unknown": send_bytes(_OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"),
    "line-without-a-colon": send_bytes(_OK + b"X-A\r\nContent-Length: 2\r\n\r\n{}"),
    "line-folded": send_bytes(_OK + b"X-A: 1\r\n Content-Length: 5\r\nContent-Length: 2\r\n\r\n{}"),
    "carriage-return-in-a-header": send_bytes(
        _OK + b"X-A: a\rSet-Cookie: evil=1\r\nContent-Length: %d\r\n\r\n" % len(GOOD_BODY) + GOOD_BODY
    ),
    "status-with-a-sign": send_bytes(b"HTTP/1.1 +201 Created\r\nContent-Length: 2\r\n\r\n{}"),
    "chunks-in-http-1.0": send_bytes(
        b"HTTP/1.0 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
    ),
    "chunk-size-with-a-prefix": send_bytes(_OK + b"Transfer-Encoding: chunked\r\n\r\n0x2\r\n{}\r\n0\r\n\r\n"),
    "chunk-too-long": send_bytes(_OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}XX0\r\n\r\n"),
    "last-chunk-cut": send_bytes(_OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n"),
    "nul-in-a-header": send_bytes(_OK + b"X-A: a\x00b\r\nContent-Length: 2\r\n\r\n{}"),
    "status-drips": drip(b"HTTP/1.1 2", b"0"),
    "headers-drip": drip(_OK, b"X-A: 1\r\n"),
    "body-drips": drip(_OK + b"Content-Length: 100000\r\n\r\n", b" "),
    "chunks-drip": drip(_OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "headers-flood": flood(_OK, b"X-A: " + b"a" * 1000 + b"\r\n"),
    "body-without-end": flood(_OK + b"\r\n", b" " * 65536),
    "trailers-without-end": flood(
        _OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n", b"X-A: " + b"a" * 1000 + b"\r\n"
    ),
    "no-content-with-a-body": send_bytes(
        b"HTTP/1.1 204 No Content\r\nContent-Length: 46\r\n\r\n" + GOOD_BODY
    ),
    "no-content-without-end": flood(
        b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n", b"3e8\r\n" + b" " * 1000 + b"\r\n"
    ),
    "protocol-switched": send_bytes(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n" + _GOOD),
    "interim-then-good": send_bytes(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 3 + _GOOD),
    "interim-without-end": flood(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
    "interim-drips": drip(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
    "gzip-bomb": send_bytes(
        _OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(_BOMB) + _BOMB
    ),
    "gzip-broken": send_bytes(_OK + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nzzzz"),
    "redirect": send_bytes(b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n"),
    "good": send_bytes(_GOOD),
}
#: By name: what makes a client wait and try again.
POSTPONED: dict[str, Send] = {
    "busy-for-a-day": send_bytes(
        b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 86400\r\nContent-Length: 0\r\n\r\n"
    ),
    "down-for-a-day": send_bytes(
        b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 86400\r\nContent-Length: 0\r\n\r\n"
    ),
}
#: By name: bodies that a client does not read to their end.
LARGE: dict[str, Send] = {
    "body-large": send_bytes(_OK + b"Content-Length: %d\r\n\r\n" % len(_LARGE) + _LARGE),
    "gzip-broken-and-large": send_bytes(
        _OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(_LARGE) + _LARGE
    ),
}


def choose_answers(seed: int) -> Iterator[tuple[str, Send]]:
    """Yield names and answers, in an order that the seed gives, without end."""
    rng = random.Random(seed)
    return ((name, ANSWERS[name]) for name in iter(lambda: rng.choice(list(ANSWERS)), None))


@contextmanager
def serve_answers(answers: Iterator[tuple[str, Send]]) -> Iterator[tuple[str, list[str]]]:
    """Serve one answer per connection; yield the base URL and the names of the answers given so far."""
    given: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        serving = threading.Thread(target=_accept, args=(server, answers, given), daemon=True)
        serving.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/api/v1", given
        with suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)
    serving.join(5)


def serve_always(name: str) -> Iterator[tuple[str, Send]]:
    """Return the same answer without end."""
    return itertools.repeat((name, {**ANSWERS, **POSTPONED, **LARGE}[name]))


def _accept(server: socket.socket, answers: Iterator[tuple[str, Send]], given: list[str]) -> None:
    for name, send in answers:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        given.append(name)
        threading.Thread(target=_answer, args=(connection, send), daemon=True).start()


def _answer(connection: socket.socket, send: Send) -> None:
    with connection, suppress(OSError):
        connection.settimeout(30)
        connection.recv(65536)
        send(connection)
        connection.shutdown(socket.SHUT_WR)
