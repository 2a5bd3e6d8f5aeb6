"""The load: prepared requests over a few connections that stay open, answered as fast as the server can.

It runs in the process of the benchmark, whose CPU is not the server's, and does so little for a request that
the server is what is waited for.
"""

import re
import selectors
import socket
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from benchmarks.processes.server import BrokenError

CONNECTIONS = 8
_READ = selectors.EVENT_READ
_BOTH = selectors.EVENT_READ | selectors.EVENT_WRITE
_CHUNK = 256 * 1024
_PATIENCE = 30
_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Load:
    """What came back: how often each status, after how many seconds each, and what asking took."""

    statuses: Counter[int]
    latencies: list[float]
    seconds: float
    cpu_seconds: float


def load(port: int, requests: Iterator[bytes], seconds: float) -> Load:
    """Keeps every connection busy for so long."""
    with selectors.DefaultSelector() as selector, ExitStack() as stack:
        cpu, begun = time.process_time(), time.perf_counter()
        turns = _Turns(selector, requests, begun + seconds)
        for _ in range(CONNECTIONS):
            turns.begin(stack.enter_context(_connected(port)))
        while selector.get_map():
            ready = selector.select(_PATIENCE)
            if not ready:
                raise BrokenError(f"no answer within {_PATIENCE} s")
            for key, events in ready:
                turns.take(key.data, events)
        took = time.perf_counter() - begun
        return Load(turns.statuses, turns.latencies, took, time.process_time() - cpu)


@contextmanager
def _connected(port: int) -> Iterator["_Connection"]:
    with socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE) as opened:
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        opened.setblocking(False)
        yield _Connection(opened)


class _Connection:
    """One request at a time, and its answer."""

    def __init__(self, opened: socket.socket) -> None:
        self.socket = opened
        self.started, self.received, self.unsent = 0.0, b"", memoryview(b"")

    def ask(self, request: bytes) -> bool:
        """Begins a request; whether all of it is sent."""
        self.started, self.received, self.unsent = time.perf_counter(), b"", memoryview(request)
        return self.send()

    def send(self) -> bool:
        """Sends what is left of the request, or a part; whether all of it is sent."""
        try:
            self.unsent = self.unsent[self.socket.send(self.unsent) :]
        except BlockingIOError:
            return False
        return not self.unsent

    def status(self) -> int:
        """Reads what has come; the status once the answer is whole, else 0."""
        chunk = self.socket.recv(_CHUNK)
        if not chunk:
            raise BrokenError("the connection ended before the answer did")
        self.received += chunk
        return int(self.received[9:12]) if _whole(self.received) else 0


class _Turns:
    """What happens when a connection is ready; once the time is up, none begins another request."""

    def __init__(self, selector: selectors.BaseSelector, requests: Iterator[bytes], ends: float) -> None:
        self._selector, self._requests, self._ends = selector, requests, ends
        self.statuses: Counter[int] = Counter()
        self.latencies: list[float] = []

    def begin(self, connection: _Connection) -> None:
        sent = connection.ask(next(self._requests))
        self._selector.register(connection.socket, _READ if sent else _BOTH, connection)

    def take(self, connection: _Connection, events: int) -> None:
        if events & selectors.EVENT_WRITE:
            if connection.send():
                self._selector.modify(connection.socket, _READ, connection)
            return
        status = connection.status()
        if not status:
            return
        now = time.perf_counter()
        self.statuses[status] += 1
        self.latencies.append(now - connection.started)
        if now >= self._ends:
            self._selector.unregister(connection.socket)
        elif not connection.ask(next(self._requests)):
            self._selector.modify(connection.socket, _BOTH, connection)


def _whole(received: bytes) -> bool:
    head = received.find(b"\r\n\r\n")
    if head < 0:
        return False
    length = _LENGTH.search(received, 0, head)
    return len(received) >= head + 4 + int(length[1]) if length else received.endswith(b"0\r\n\r\n")
