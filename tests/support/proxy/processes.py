"""A proxy as a process, and upstreams made by hand, byte for byte."""

import contextlib
import os
import re
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.fixture_player import ROOT
from tests.support.processes import MOCK

#: Answers one request, of which it is given the head and the body, on its connection.
Handler = Callable[[socket.socket, bytes, bytes], None]


@dataclass
class ByHand:
    """An upstream: every request that it has received, and where it listens."""

    port: int
    heads: list[bytes] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        """The base URL of its API."""
        return f"http://127.0.0.1:{self.port}/api/v1"

    @property
    def lines(self) -> list[bytes]:
        """The head of the last request, line by line."""
        return self.heads[-1].split(b"\r\n")


@contextmanager
def by_hand(handler: Handler) -> Iterator[ByHand]:
    """An upstream that answers one request per connection."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        upstream = ByHand(listening.getsockname()[1])

        def one(connection: socket.socket) -> None:
            with connection, contextlib.suppress(OSError):
                head, body = _received(connection)
                upstream.heads.append(head)
                upstream.bodies.append(body)
                handler(connection, head, body)

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listening.accept()
                    threading.Thread(target=one, args=(connection,), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        yield upstream
        listening.shutdown(socket.SHUT_RDWR)


def _received(connection: socket.socket) -> tuple[bytes, bytes]:
    data = b""
    while b"\r\n\r\n" not in data:
        data += _more(connection)
    head, _, body = data.partition(b"\r\n\r\n")
    if re.search(rb"(?i)expect: 100-continue", head):
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    length = re.search(rb"(?i)content-length: (\d+)", head)
    if re.search(rb"(?i)transfer-encoding: chunked", head):
        while not body.endswith(b"0\r\n\r\n"):
            body += _more(connection)
    elif length:
        while len(body) < int(length[1]):
            body += _more(connection)
    return head, body


def _more(connection: socket.socket) -> bytes:
    data = connection.recv(1 << 20)
    if not data:
        raise ConnectionResetError("the request broke off")
    return data


@dataclass(frozen=True, slots=True)
class Running:
    """A proxy that serves."""

    process: subprocess.Popen[bytes]
    url: str
    port: int
    log: Path

    def said(self) -> str:
        """What it has printed so far."""
        return self.log.read_text(encoding="utf-8")

    def says(self, pattern: str) -> bool:
        """Whether its last line is soon one that matches."""
        for _ in range(100):
            if re.match(pattern, (self.said().splitlines() or [""])[-1]):
                return True
            time.sleep(0.02)
        return False

    def memory(self) -> int:
        """The most memory that its worker has ever had, in KiB."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        peaks = [Path(f"/proc/{pid}/status").read_text() for pid in children]
        return max(int(found[1]) for text in peaks if (found := re.search(r"VmHWM:\s+(\d+)", text)))


@contextmanager
def proxy(upstream: str, folder: Path, *arguments: str, **environment: str) -> Iterator[Running]:
    """A proxy before an upstream, as a process."""
    log = folder / f"proxy-{time.monotonic_ns()}.log"
    command = [*MOCK, "proxy", "--upstream", upstream, "--port", "0", *arguments]
    with log.open("wb") as said:
        process = subprocess.Popen(
            command, stdout=said, stderr=subprocess.STDOUT, cwd=ROOT, env={**os.environ, **environment}
        )
    try:
        yield Running(process, *_listening(process, log), log)
    finally:
        process.terminate()
        process.wait(timeout=10)


def _listening(process: subprocess.Popen[bytes], log: Path) -> tuple[str, int]:
    for _ in range(600):
        found = re.search(r"at (http://\S+:(\d+)/api/v1)\n(?:.*\n)*Ctrl-C", log.read_text(encoding="utf-8"))
        if found:
            return found[1], int(found[2])
        assert process.poll() is None, log.read_text(encoding="utf-8")
        time.sleep(0.05)
    raise AssertionError(log.read_text(encoding="utf-8"))


@contextmanager
def sent(port: int, request: bytes) -> Iterator[socket.socket]:
    """A connection on which a request has been sent."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(request)
        yield connection


def until(connection: socket.socket, wanted: bytes) -> bytes:
    """What comes, up to and with what is wanted."""
    data = b""
    while wanted not in data:
        part = connection.recv(1 << 16)
        assert part, data
        data += part
    return data


def rest(connection: socket.socket) -> bytes:
    """All that comes until the connection is closed."""
    data = b""
    with contextlib.suppress(ConnectionResetError):
        while part := connection.recv(1 << 16):
            data += part
    return data


def raw(port: int, request: bytes) -> tuple[bytes, bytes]:
    """Head and body of the answer, as they came."""
    with sent(port, request) as connection:
        head, _, body = rest(connection).partition(b"\r\n\r\n")
    return head, body
