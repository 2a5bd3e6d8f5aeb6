"""A non-blocking connection that carries one request at a time."""

import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.processes.errors import BenchmarkError

TIMEOUT_SECONDS = 30
_CHUNK_BYTES = 256 * 1024
_CONTENT_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)


class Connection:
    """A connection, the rest of its request, and the bytes of its response so far."""

    def __init__(self, connected_socket: socket.socket) -> None:
        self.socket = connected_socket
        self.started, self._response, self._unsent = 0.0, b"", memoryview(b"")

    def begin_request(self, request: bytes) -> bool:
        """Begin a request, and return whether all of it is sent."""
        self.started, self._response, self._unsent = time.perf_counter(), b"", memoryview(request)
        return self.send_rest()

    def send_rest(self) -> bool:
        """Send as much of the request as the socket takes, and return whether all of it is sent."""
        try:
            self._unsent = self._unsent[self.socket.send(self._unsent) :]
        except BlockingIOError:
            return False
        return not self._unsent

    def read_status(self) -> int:
        """Read the bytes that arrived, and return the status of a complete response, else 0."""
        chunk = self.socket.recv(_CHUNK_BYTES)
        if not chunk:
            raise BenchmarkError("the server closed the connection before the response was complete")
        self._response += chunk
        return int(self._response[9:12]) if is_complete(self._response) else 0


@contextmanager
def open_connection(port: int) -> Iterator[Connection]:
    """Yield a connection to a port of this machine, and close it afterwards."""
    with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_SECONDS) as connected_socket:
        connected_socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connected_socket.setblocking(False)
        yield Connection(connected_socket)


def is_complete(response: bytes) -> bool:
    """Return whether the bytes are a whole response, by its length or its last chunk."""
    head = response.find(b"\r\n\r\n")
    if head < 0:
        return False
    length = _CONTENT_LENGTH.search(response, 0, head)
    return len(response) >= head + 4 + int(length[1]) if length else response.endswith(b"0\r\n\r\n")
