"""Servers: start one, wait for its first response, measure it, and stop it with all its children."""

import contextlib
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

import psutil

from benchmarks.processes.errors import BenchmarkError
from benchmarks.processes.folders import ROOT
from benchmarks.processes.groups import register_group, stop_process

_START_TIMEOUT_SECONDS = 240
_POLL_SECONDS = 0.002


@dataclass(frozen=True, slots=True)
class Server:
    """A running server, its port on this machine, and the seconds and CPU seconds of its start."""

    process: psutil.Process
    port: int
    seconds: float
    cpu_seconds: float

    def read_cpu(self) -> float:
        """Return the seconds of CPU of the server and its children until now."""
        return _sum_cpu_seconds(self.process)

    def read_memory(self) -> float:
        """Return the resident megabytes of the server and its children; shared pages count once (Linux)."""
        used = 0
        for process in _list_tree(self.process):
            with contextlib.suppress(psutil.Error):
                memory = process.memory_full_info()
                used += getattr(memory, "pss", memory.rss)
        return used / 1e6


def find_free_port() -> int:
    """Return a port of this machine on which no process listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def start_server(
    command: Sequence[str], port: int, request: bytes, *, logs: bool = False
) -> Iterator[Server]:
    """Start a server, yield it after its first response to `request`, and stop it afterwards.

    The output of a server that `logs` goes to a pipe with a reader; other output goes to a file for error messages.
    """
    with tempfile.TemporaryFile() as output, contextlib.ExitStack() as stack:
        sink = stack.enter_context(_open_drained_pipe()) if logs else output.fileno()
        started = time.perf_counter()
        process = subprocess.Popen(command, stdout=sink, stderr=sink, cwd=ROOT, start_new_session=True)
        register_group(process.pid)
        stack.callback(stop_process, process)
        watched = psutil.Process(process.pid)
        while not _responds(port, request):
            if process.poll() is not None or time.perf_counter() - started > _START_TIMEOUT_SECONDS:
                raise BenchmarkError(f"no response from {command[0]}: {_read_last_line(output)}")
            time.sleep(_POLL_SECONDS)
        yield Server(watched, port, time.perf_counter() - started, _sum_cpu_seconds(watched))


@contextmanager
def _open_drained_pipe() -> Iterator[int]:
    """Yield the writing end of a pipe that another process reads."""
    reader = subprocess.Popen(
        ["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True
    )
    assert reader.stdin is not None
    try:
        yield reader.stdin.fileno()
    finally:
        reader.stdin.close()
        stop_process(reader)


def _responds(port: int, request: bytes) -> bool:
    """Return whether a server at the port sends at least one byte in response to the request."""
    with (
        contextlib.suppress(OSError),
        socket.create_connection(("127.0.0.1", port), timeout=5) as connection,
    ):
        connection.sendall(request)
        return bool(connection.recv(1))
    return False


def _read_last_line(output: IO[bytes]) -> str:
    output.seek(0)
    lines = output.read().decode(errors="replace").strip().splitlines()
    return lines[-1][:200] if lines else "it printed nothing"


def _sum_cpu_seconds(process: psutil.Process) -> float:
    """Return the user and system time of a process and its children."""
    total = 0.0
    for each in _list_tree(process):
        with contextlib.suppress(psutil.Error):
            times = each.cpu_times()
            total += times.user + times.system
    return total


def _list_tree(process: psutil.Process) -> list[psutil.Process]:
    return [process, *process.children(recursive=True)]
