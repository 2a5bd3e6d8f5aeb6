"""The load generator: prepared requests over a few open connections, as fast as the server responds.

It runs in the process of the benchmark, so that its CPU is not the server's. It does little work per request, so that
the server is the bottleneck.
"""

import selectors
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

from benchmarks.load.connection import TIMEOUT_SECONDS, Connection, open_connection
from benchmarks.processes.errors import BenchmarkError

CONNECTIONS = 8
_READ = selectors.EVENT_READ
_READ_WRITE = selectors.EVENT_READ | selectors.EVENT_WRITE


@dataclass(frozen=True, slots=True)
class LoadResult:
    """The statuses, the seconds of each response and of the whole, and the client's seconds of CPU."""

    statuses: Counter[int]
    latencies: list[float]
    seconds: float
    cpu_seconds: float


def generate_load(port: int, requests: Iterator[bytes], seconds: float) -> LoadResult:
    """Keep every connection busy for that many seconds."""
    with selectors.DefaultSelector() as selector, ExitStack() as stack:
        cpu, started = time.process_time(), time.perf_counter()
        loop = _LoadLoop(selector, requests, started + seconds)
        for _ in range(CONNECTIONS):
            loop.add_connection(stack.enter_context(open_connection(port)))
        while selector.get_map():
            ready = selector.select(TIMEOUT_SECONDS)
            if not ready:
                raise BenchmarkError(f"no response within {TIMEOUT_SECONDS} s")
            for key, events in ready:
                loop.handle_events(key.data, events)
        elapsed = time.perf_counter() - started
        return LoadResult(loop.statuses, loop.latencies, elapsed, time.process_time() - cpu)


class _LoadLoop:
    """The next step of each connection that is ready; after the deadline none begins another request."""

    def __init__(self, selector: selectors.BaseSelector, requests: Iterator[bytes], deadline: float) -> None:
        self._selector, self._requests, self._deadline = selector, requests, deadline
        self.statuses: Counter[int] = Counter()
        self.latencies: list[float] = []

    def add_connection(self, connection: Connection) -> None:
        sent = connection.begin_request(next(self._requests))
        self._selector.register(connection.socket, _READ if sent else _READ_WRITE, connection)

    def handle_events(self, connection: Connection, events: int) -> None:
        if events & selectors.EVENT_WRITE:
            if connection.send_rest():
                self._selector.modify(connection.socket, _READ, connection)
            return
        status = connection.read_status()
        if not status:
            return
        now = time.perf_counter()
        self.statuses[status] += 1
        self.latencies.append(now - connection.started)
        if now >= self._deadline:
            self._selector.unregister(connection.socket)
        elif not connection.begin_request(next(self._requests)):
            self._selector.modify(connection.socket, _READ_WRITE, connection)
