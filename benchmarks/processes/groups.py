"""Process groups: every child leads its own group, so that it is stopped with all its children."""

import contextlib
import os
import signal
import subprocess

_STOP_SECONDS = 3
#: The ids of the groups that are running.
_RUNNING: set[int] = set()


def register_group(group: int) -> None:
    """Remember a running group for `kill_all_groups`."""
    _RUNNING.add(group)


def kill_group(group: int) -> None:
    """Kill all processes of a group that are left."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)
    _RUNNING.discard(group)


def kill_all_groups() -> None:
    """Kill all running groups, for a benchmark that is aborted while its threads wait for them."""
    for group in tuple(_RUNNING):
        kill_group(group)


def stop_process(process: "subprocess.Popen[bytes]") -> None:
    """Terminate a process and its children; kill them if they take longer than three seconds."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=_STOP_SECONDS)
    kill_group(process.pid)
    process.wait()
