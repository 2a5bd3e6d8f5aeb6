"""A client that sends what no right one does, chosen by a seed, so that a seed repeats a failure."""

from __future__ import annotations

import json
import random
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

CREATE = "/api/v1/containers"
#: The body of a valid create.
BODY = json.dumps({"service_slug": "hostile", "display_name": "d", "docker_image": "n"}).encode()
_CHUNK = b"%x\r\n%s\r\n" % (len(BODY), BODY)
_LENGTH = b"Content-Length: %d" % len(BODY)
_CHUNKED = b"Transfer-Encoding: chunked"
_CLOSE = b"Connection: close"

#: What a client sends on a connection.
Send = Callable[[socket.socket], None]


def build_head(*fields: bytes, target: bytes = CREATE.encode(), host: bytes = b"Host: mock\r\n") -> bytes:
    """Return the head of a create."""
    usual = b"Authorization: Bearer sk-red-5f0c7c1e9a\r\nContent-Type: application/json\r\n"
    return (
        b"POST %s HTTP/1.1\r\n" % target
        + host
        + usual
        + b"".join(b"%s\r\n" % field for field in fields)
        + b"\r\n"
    )


def send_bytes(data: bytes) -> Send:
    """Send these bytes, and wait for the server to close."""
    return lambda connection: connection.sendall(data)


def half_close(data: bytes) -> Send:
    """Send these bytes, and close the sending side."""

    def send(connection: socket.socket) -> None:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)

    return send


def reset(data: bytes) -> Send:
    """Send these bytes, and reset the connection."""

    def send(connection: socket.socket) -> None:
        connection.sendall(data)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RD)  # ends `send_request`, which closes

    return send


def repeat(start: bytes, data: bytes, pause: float = 0) -> Send:
    """Send a beginning, then the same bytes without end, until the server closes."""

    def send(connection: socket.socket) -> None:
        connection.sendall(start)
        while True:
            connection.sendall(data)
            time.sleep(pause)

    return send


#: By name: what never becomes a valid create, so that nothing of it may be stored.
INVALID: dict[str, Send] = {
    "nothing": half_close(b""),
    "noise": send_bytes(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"),
    "another-version": send_bytes(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "head-cut": half_close(build_head(_LENGTH)[:60]),
    "head-reset": reset(build_head(_LENGTH)[:60]),
    "headers-flood": repeat(build_head(_LENGTH)[:-2], b"X-A: " + b"a" * 1000 + b"\r\n"),
    "header-without-end": repeat(build_head(_LENGTH)[:-2] + b"X-A: ", b"a" * 1000),
    "target-without-end": repeat(b"POST /", b"a" * 1000),
    "target-long": send_bytes(build_head(_LENGTH, _CLOSE, target=b"/" + b"a" * 100_000) + BODY),
    "target-empty": send_bytes(build_head(_LENGTH, _CLOSE, target=b"") + BODY),
    "target-no-path": send_bytes(build_head(_LENGTH, _CLOSE, target=b"*") + BODY),
    "target-broken": send_bytes(build_head(_LENGTH, _CLOSE, target=CREATE.encode() + b"%zz\xff") + BODY),
    "protocol-upgrade": send_bytes(
        build_head(
            b"Content-Length: 0", b"Connection: Upgrade, close", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABk"
        )
    ),
    "body-cut": half_close(build_head(b"Content-Length: 500") + BODY),
    "body-reset": reset(build_head(b"Content-Length: 500") + BODY),
    "body-unfinished": send_bytes(build_head(b"Content-Length: 500") + BODY),
    "body-drips": repeat(build_head(b"Content-Length: 100000") + BODY, b" ", 0.02),
    "body-without-end": repeat(build_head(b"Content-Length: 1000000000000") + BODY, b" " * 65536),
    "chunks-cut": half_close(build_head(_CHUNKED) + _CHUNK),
    "chunks-unfinished": send_bytes(build_head(_CHUNKED) + _CHUNK),
    "chunks-drip": repeat(build_head(_CHUNKED) + _CHUNK, b"1\r\n \r\n", 0.02),
    "chunks-broken": send_bytes(build_head(_CHUNKED) + _CHUNK + b"zz\r\n"),
    "chunks-without-end": repeat(build_head(_CHUNKED) + _CHUNK, b"3e8\r\n" + b" " * 1000 + b"\r\n"),
    "chunk-size-without-end": repeat(build_head(_CHUNKED), b"0" * 1000),
    "trailers-without-end": repeat(
        build_head(_CHUNKED) + _CHUNK + b"0\r\n", b"X-A: " + b"a" * 1000 + b"\r\n"
    ),
    "coding-unknown": send_bytes(build_head(b"Transfer-Encoding: gzip") + BODY),
    "coding-before-chunked": send_bytes(
        build_head(b"Transfer-Encoding: gzip, chunked") + _CHUNK + b"0\r\n\r\n"
    ),
    "length-negative": send_bytes(build_head(b"Content-Length: -1") + BODY),
    "length-no-number": send_bytes(build_head(b"Content-Length: ten") + BODY),
    "length-twice": send_bytes(build_head(_LENGTH, b"Content-Length: 5") + BODY),
    "length-list": send_bytes(build_head(b"Content-Length: %d, 5" % len(BODY)) + BODY),
    "length-short": send_bytes(build_head(b"Content-Length: 20") + BODY),
    "host-missing": send_bytes(build_head(_LENGTH, host=b"") + BODY),
    "host-twice": send_bytes(build_head(_LENGTH, b"Host: other") + BODY),
    "content-type-twice": send_bytes(build_head(_LENGTH, b"Content-Type: text/plain") + BODY),
    "authorization-twice": send_bytes(build_head(_LENGTH, b"Authorization: Bearer sk-blue") + BODY),
    "team-twice": send_bytes(build_head(_LENGTH, b"X-Team-ID: a", b"x-team-id: b") + BODY),
    "nul-in-a-header": send_bytes(build_head(_LENGTH, b"X-A: a\0b") + BODY),
    "blank-before-a-colon": send_bytes(build_head(_LENGTH, b"X-A : a") + BODY),
    "tunnel": send_bytes(
        build_head(_LENGTH, _CLOSE).replace(b"POST " + CREATE.encode(), b"CONNECT mock:80") + BODY
    ),
    "expect-unknown": send_bytes(build_head(b"Content-Length: 500", b"Expect: a-miracle")),
}
#: By name: valid creates, sent in an odd way.
VALID: dict[str, Send] = {
    "lines-with-bare-lf": send_bytes(build_head(_LENGTH, _CLOSE).replace(b"\r\n", b"\n") + BODY),
    "headers-many": send_bytes(
        build_head(*(b"X-%d: a" % number for number in range(80)), _LENGTH, _CLOSE) + BODY
    ),
    "target-absolute": send_bytes(
        build_head(_LENGTH, _CLOSE, target=b"http://mock" + CREATE.encode()) + BODY
    ),
    "length-and-chunked": send_bytes(build_head(_LENGTH, _CHUNKED, _CLOSE) + _CHUNK + b"0\r\n\r\n"),
    "expect-continue": send_bytes(build_head(_LENGTH, _CLOSE, b"Expect: 100-continue") + BODY),
    "pipelined": send_bytes((build_head(_LENGTH) + BODY) * 3 + build_head(_LENGTH, _CLOSE) + BODY),
    "half-close": half_close(build_head(_LENGTH, _CLOSE) + BODY.replace(b"hostile", b"halfway")),
    "good": send_bytes(build_head(_LENGTH, _CLOSE) + BODY),
}
#: By name: heads that never end; the server closes after 30 seconds.
UNFINISHED_HEADS: dict[str, Send] = {
    "head-unfinished": send_bytes(build_head(_LENGTH)[:60]),
    "head-drips": repeat(build_head(_LENGTH)[:-2], b"X-A: 1\r\n", 0.5),
    "second-head-unfinished": send_bytes(build_head(_LENGTH) + BODY + b"POST"),
}
#: By name: what the client sends.
REQUESTS = {**INVALID, **VALID}


def choose_requests(seed: int) -> Iterator[tuple[str, Send]]:
    """Yield names and requests, in an order that the seed gives, without end."""
    rng = random.Random(seed)
    return ((name, REQUESTS[name]) for name in iter(lambda: rng.choice(list(REQUESTS)), None))


@dataclass(frozen=True, slots=True)
class Received:
    """The bytes that a client received, whether the server ended the connection, and when."""

    data: bytes
    ended: bool
    seconds: float

    @property
    def statuses(self) -> list[int]:
        """Return the status of each response, interim ones too."""
        return [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3}) ", self.data)]


def send_request(port: int, send: Send, seconds: float) -> Received:
    """Send on a new connection, and receive until the server ends the connection or the time is over."""
    started = time.monotonic()
    data, ended = b"", False
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as connection:
        sending = threading.Thread(target=_send_quietly, args=(send, connection), daemon=True)
        sending.start()
        while not ended and (left := started + seconds - time.monotonic()) > 0:
            try:
                connection.settimeout(left)
                part = connection.recv(65536)
            except TimeoutError:
                break
            except OSError:
                part = b""
            data, ended = data + part, not part
    return Received(data, ended, time.monotonic() - started)


def _send_quietly(send: Send, connection: socket.socket) -> None:
    with suppress(OSError):
        send(connection)
