"""A proxy as a process, an upstream made by hand, and how that answers."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.proxy.processes import ByHand, Running, by_hand, proxy

TOKEN = "sk-red-5f0c7c1e9a"
CREATE = "/api/v1/containers"
MIB = 1024 * 1024


def head(line: str = f"POST {CREATE}", *fields: str, close: bool = True) -> bytes:
    """The head of a request."""
    lines = [f"{line} HTTP/1.1", "Host: proxy.example", *fields, *(["Connection: close"] if close else [])]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def plain(answer: bytes) -> Callable[..., None]:
    """An upstream that sends these bytes and closes."""
    return lambda connection, *_: connection.sendall(answer)


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Switch:
    """An upstream whose handler a test sets, so that one proxy serves them all."""

    def __init__(self) -> None:
        self.handler: Callable[..., None] = plain(OK)

    def __call__(self, connection: socket.socket, request_head: bytes, body: bytes) -> None:
        """Answers as the test says."""
        self.handler(connection, request_head, body)


@contextmanager
def running(folder: Path, *arguments: str) -> Iterator[tuple[Running, ByHand, Switch]]:
    """A proxy before an upstream made by hand."""
    switch = Switch()
    with by_hand(switch) as upstream, proxy(upstream.url, folder, *arguments) as process:
        yield process, upstream, switch


Trio = tuple[Running, ByHand, Switch]
