"""Commands that run to their end, with their time and CPU."""

import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes.folders import ROOT
from benchmarks.processes.groups import kill_group, register_group


@dataclass(frozen=True, slots=True)
class CommandResult:
    """Exit code and output of a command, its seconds, and its CPU with all children that it waited for."""

    code: int
    seconds: float
    cpu_seconds: float
    output: str


def run_command(
    command: Sequence[str],
    *,
    timeout: float,
    environment: Mapping[str, str] | None = None,
    folder: Path = ROOT,
) -> CommandResult:
    """Run a command in a folder until it ends, or kill it after `timeout` seconds."""
    with tempfile.TemporaryFile() as output:
        started = time.perf_counter()
        process = subprocess.Popen(
            command,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env={**os.environ, **(environment or {})},
            start_new_session=True,
        )
        register_group(process.pid)
        cpu_seconds = _wait_for_exit(process, timeout)
        seconds = time.perf_counter() - started
        output.seek(0)
        text = output.read().decode(errors="replace")
    return CommandResult(process.returncode, seconds, cpu_seconds, text)


def _wait_for_exit(process: "subprocess.Popen[bytes]", timeout: float) -> float:
    """Wait for a process, kill it after `timeout` seconds, and return its seconds of CPU."""
    killer = threading.Timer(timeout, kill_group, (process.pid,))
    killer.start()
    try:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    finally:
        killer.cancel()
        kill_group(process.pid)
    return usage.ru_utime + usage.ru_stime
