"""Processes that are measured with all their children, and stopped whatever happens."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[2]
_PATIENCE = 240


#: The groups that are running, by the id of their first process.
_RUNNING: set[int] = set()


class BrokenError(Exception):
    """A contender does not run; the message says how that showed."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server that answers at a port of this machine, and what its start took."""

    process: psutil.Process
    port: int
    seconds: float
    cpu_seconds: float

    def cpu(self) -> float:
        """The seconds of CPU that it and its children have taken until now."""
        return _cpu(self.process)

    def memory(self) -> float:
        """The resident megabytes of it and its children; pages that they share count once (Linux)."""
        used = 0
        for process in _tree(self.process):
            with contextlib.suppress(psutil.Error):
                told = process.memory_full_info()
                used += getattr(told, "pss", told.rss)
        return used / 1e6


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended, and what it took with all the processes that it waited for."""

    code: int
    seconds: float
    cpu_seconds: float
    said: str


def free_port() -> int:
    """A port at which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


@contextmanager
def served(
    command: Sequence[str], port: int, request: bytes, *, logs: bool = False, patience: float = _PATIENCE
) -> Iterator[Server]:
    """A command that serves, from its first answer to `request` on.

    What it says goes to a pipe that is read if it `logs`, else to a file that is shown if it breaks.
    """
    with tempfile.TemporaryFile() as said, contextlib.ExitStack() as stack:
        sink = stack.enter_context(_read_pipe()) if logs else said.fileno()
        started = time.perf_counter()
        process = subprocess.Popen(command, stdout=sink, stderr=sink, cwd=ROOT, start_new_session=True)
        _RUNNING.add(process.pid)
        stack.callback(_stop, process)
        watched = psutil.Process(process.pid)
        while not _answers(port, request):
            if process.poll() is not None or time.perf_counter() - started > patience:
                said.seek(0)
                last = said.read().decode(errors="replace").strip().splitlines()[-1:] or ["it says nothing"]
                raise BrokenError(f"no answer from {command[0]}: {last[0][:200]}")
            time.sleep(0.002)
        yield Server(watched, port, time.perf_counter() - started, _cpu(watched))


def run(
    command: Sequence[str],
    *,
    timeout: float,
    environment: Mapping[str, str] | None = None,
    where: Path = ROOT,
) -> Done:
    """Runs a command to its end, in that folder."""
    with tempfile.TemporaryFile() as said:
        started = time.perf_counter()
        process = subprocess.Popen(
            command,
            stdout=said,
            stderr=subprocess.STDOUT,
            cwd=where,
            env={**os.environ, **(environment or {})},
            start_new_session=True,
        )
        _RUNNING.add(process.pid)
        late = threading.Timer(timeout, _kill, (process.pid,))
        late.start()
        try:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        finally:
            late.cancel()
            _kill(process.pid)
            _RUNNING.discard(process.pid)
        seconds = time.perf_counter() - started
        said.seek(0)
        text = said.read().decode(errors="replace")
    return Done(process.returncode, seconds, usage.ru_utime + usage.ru_stime, text)


def end_all() -> None:
    """Ends what still runs, for a benchmark that is given up while others of its threads wait."""
    for group in tuple(_RUNNING):
        _kill(group)


@contextmanager
def folder() -> Iterator[Path]:
    """A folder that is gone afterwards."""
    made = Path(tempfile.mkdtemp(prefix="benchmarks-"))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


@contextmanager
def _read_pipe() -> Iterator[int]:
    """A pipe whose reader is a process of its own."""
    reader = subprocess.Popen(
        ["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True
    )
    assert reader.stdin is not None
    try:
        yield reader.stdin.fileno()
    finally:
        reader.stdin.close()
        _stop(reader)


def _answers(port: int, request: bytes) -> bool:
    with (
        contextlib.suppress(OSError),
        socket.create_connection(("127.0.0.1", port), timeout=5) as connection,
    ):
        connection.sendall(request)
        return bool(connection.recv(1))
    return False


def _tree(process: psutil.Process) -> list[psutil.Process]:
    return [process, *process.children(recursive=True)]


def _cpu(process: psutil.Process) -> float:
    total = 0.0
    for each in _tree(process):
        with contextlib.suppress(psutil.Error):
            times = each.cpu_times()
            total += times.user + times.system
    return total


def _stop(process: "subprocess.Popen[bytes]") -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=3)
    _kill(process.pid)
    process.wait()
    _RUNNING.discard(process.pid)


def _kill(group: int) -> None:
    """Ends what is left of a process and its children."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)
