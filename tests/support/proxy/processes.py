"""A proxy as a process, and raw upstreams that a test controls byte for byte."""

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

#: Sends the response to a request; it receives the connection, the head and the body.
Handler = Callable[[socket.socket, bytes, bytes], None]


@dataclass
class RawUpstream:
    """An upstream: its port, and the requests that it received."""

    port: int
    heads: list[bytes] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Return the base URL of the API."""
        return f"http://127.0.0.1:{self.port}/api/v1"

    @property
    def lines(self) -> list[bytes]:
        """Return the lines of the head of the last request."""
        return self.heads[-1].split(b"\r\n")


@contextmanager
def raw_upstream(handler: Handler) -> Iterator[RawUpstream]:
    """Run an upstream that handles one request per connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        upstream = RawUpstream(server.getsockname()[1])

        def handle_connection(connection: socket.socket) -> None:
            with connection, contextlib.suppress(OSError):
                head, body = _receive_request(connection)
                upstream.heads.append(head)
                upstream.bodies.append(body)
                handler(connection, head, body)

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    threading.Thread(target=handle_connection, args=(connection,), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        yield upstream
        server.shutdown(socket.SHUT_RDWR)


def _receive_request(connection: socket.socket) -> tuple[bytes, bytes]:
    data = b""
    while b"\r\n\r\n" not in data:
        data += _receive_more(connection)
    head, _, body = data.partition(b"\r\n\r\n")
    if re.search(rb"(?i)expect: 100-continue", head):
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    length = re.search(rb"(?i)content-length: (\d+)", head)
    if re.search(rb"(?i)transfer-encoding: chunked", head):
        while not body.endswith(b"0\r\n\r\n"):
            body += _receive_more(connection)
    elif length:
        while len(body) < int(length[1]):
            body += _receive_more(connection)
    return head, body


def _receive_more(connection: socket.socket) -> bytes:
    data = connection.recv(1 << 20)
    if not data:
        raise ConnectionResetError("the request broke off")
    return data


@dataclass(frozen=True, slots=True)
class ProxyProcess:
    """A proxy that serves."""

    process: subprocess.Popen[bytes]
    url: str
    port: int
    log: Path

    def read_log(self) -> str:
        """Return the output so far."""
        return self.log.read_text(encoding="utf-8")

    def wait_for_log(self, pattern: str) -> bool:
        """Wait until the last line of the log matches, and return whether it does."""
        for _ in range(100):
            if re.match(pattern, (self.read_log().splitlines() or [""])[-1]):
                return True
            time.sleep(0.02)
        return False

    def peak_memory_kib(self) -> int:
        """Return the peak memory of the worker, in KiB."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        peaks = [Path(f"/proc/{pid}/status").read_text() for pid in children]
        return max(int(match[1]) for text in peaks if (match := re.search(r"VmHWM:\s+(\d+)", text)))


@contextmanager
def proxy_process(upstream: str, folder: Path, *arguments: str, **environment: str) -> Iterator[ProxyProcess]:
    """Run a proxy before an upstream."""
    log = folder / f"proxy-{time.monotonic_ns()}.log"
    command = [*MOCK, "proxy", "--upstream", upstream, "--port", "0", *arguments]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, cwd=ROOT, env={**os.environ, **environment}
        )
    try:
        yield ProxyProcess(process, *_wait_for_url(process, log), log)
    finally:
        process.terminate()
        process.wait(timeout=10)


def _wait_for_url(process: subprocess.Popen[bytes], log: Path) -> tuple[str, int]:
    for _ in range(600):
        match = re.search(r"at (http://\S+:(\d+)/api/v1)\n(?:.*\n)*Ctrl-C", log.read_text(encoding="utf-8"))
        if match:
            return match[1], int(match[2])
        assert process.poll() is None, log.read_text(encoding="utf-8")
        time.sleep(0.05)
    raise AssertionError(log.read_text(encoding="utf-8"))


@contextmanager
def open_request(port: int, request: bytes) -> Iterator[socket.socket]:
    """Send a request, and yield the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(request)
        yield connection


def receive_until(connection: socket.socket, end: bytes) -> bytes:
    """Receive bytes up to and including `end`."""
    data = b""
    while end not in data:
        part = connection.recv(1 << 16)
        assert part, data
        data += part
    return data


def receive_rest(connection: socket.socket) -> bytes:
    """Receive bytes until the connection is closed."""
    data = b""
    with contextlib.suppress(ConnectionResetError):
        while part := connection.recv(1 << 16):
            data += part
    return data


def send_raw(port: int, request: bytes) -> tuple[bytes, bytes]:
    """Send a request, and return the head and the body of the response."""
    with open_request(port, request) as connection:
        head, _, body = receive_rest(connection).partition(b"\r\n\r\n")
    return head, body
