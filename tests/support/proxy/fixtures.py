"""A proxy process before a raw upstream whose responses a test sets."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.proxy.processes import ProxyProcess, RawUpstream, proxy_process, raw_upstream

TOKEN = "sk-red-5f0c7c1e9a"
CREATE = "/api/v1/containers"
MIB = 1024 * 1024


def build_head(line: str = f"POST {CREATE}", *fields: str, close: bool = True) -> bytes:
    """Return the head of a request."""
    lines = [f"{line} HTTP/1.1", "Host: proxy.example", *fields, *(["Connection: close"] if close else [])]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def respond_with(response: bytes) -> Callable[..., None]:
    """Return a handler that sends these bytes and closes the connection."""
    return lambda connection, *_: connection.sendall(response)


#: It says that the connection ends: else the proxy may send another request on it before it sees the end.
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"


class SwitchableHandler:
    """A handler that a test can replace, so that one proxy serves many tests."""

    def __init__(self) -> None:
        self.handler: Callable[..., None] = respond_with(OK)

    def __call__(self, connection: socket.socket, request_head: bytes, body: bytes) -> None:
        """Call the current handler."""
        self.handler(connection, request_head, body)


@contextmanager
def run_proxy_fixtures(
    folder: Path, *arguments: str
) -> Iterator[tuple[ProxyProcess, RawUpstream, SwitchableHandler]]:
    """Run a proxy before a raw upstream."""
    switch = SwitchableHandler()
    with raw_upstream(switch) as upstream, proxy_process(upstream.url, folder, *arguments) as process:
        yield process, upstream, switch


ProxyFixtures = tuple[ProxyProcess, RawUpstream, SwitchableHandler]
