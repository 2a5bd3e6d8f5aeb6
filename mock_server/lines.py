"""Lines on standard error, written by a thread of their own: several at a time where there is much to say."""

import contextlib
import functools
import os
import sys
import threading
from queue import SimpleQueue

#: So many lines may wait for a slow reader; who has more to say waits with them.
MOST = 10_000


def log(line: str) -> None:
    """A line for the one who started the process."""
    waiting = _waiting()
    if waiting.qsize() < MOST:
        waiting.put(line)
    else:
        _write(line)


@functools.cache
def _waiting() -> SimpleQueue[str]:
    """The lines of this process that are not written yet, and the thread that writes them."""
    waiting: SimpleQueue[str] = SimpleQueue()

    def write() -> None:
        while True:
            first = waiting.get()
            _write("\n".join((first, *(waiting.get() for _ in range(waiting.qsize())))))

    threading.Thread(target=write, name="lines", daemon=True).start()
    return waiting


if hasattr(os, "register_at_fork"):  # a thread is not there in a process that is forked from its own
    os.register_at_fork(after_in_child=_waiting.cache_clear)


def _write(text: str) -> None:
    with contextlib.suppress(OSError):  # whoever read the log is gone; the mock serves on
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()
