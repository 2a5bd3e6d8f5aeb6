"""Lines on standard error, written by a thread of their own: several at a time where there is much to say."""

import contextlib
import functools
import os
import sys
import threading
import time
from multiprocessing.util import Finalize
from queue import SimpleQueue

#: So many lines may wait for a slow reader; who has more to say waits with them.
MOST = 10_000
#: In seconds: a thread that is woken wants the lock of the interpreter, which costs the others more than its lines.
PAUSE = 0.1


def log(line: str) -> None:
    """A line for the one who started the process."""
    waiting = _waiting()
    if waiting.qsize() < MOST:
        waiting.put(line)
    else:
        _write(line)


@functools.cache
def _waiting() -> SimpleQueue[str | None]:
    """The lines of this process that are not written yet; a thread writes them, up to the last one."""
    waiting: SimpleQueue[str | None] = SimpleQueue()

    def write() -> None:
        while True:
            lines = [waiting.get(), *(waiting.get() for _ in range(waiting.qsize()))]
            _write("\n".join(line for line in lines if line is not None))
            if None in lines:
                return
            time.sleep(PAUSE)

    def end() -> None:
        waiting.put(None)
        thread.join(timeout=1)

    thread = threading.Thread(target=write, name="lines", daemon=True)
    thread.start()
    Finalize(None, end, exitpriority=0)  # at the end of a worker, too
    return waiting


if hasattr(os, "register_at_fork"):  # a thread is not there in a process that is forked from its own
    os.register_at_fork(after_in_child=_waiting.cache_clear)


def _write(text: str) -> None:
    with contextlib.suppress(OSError):  # whoever read the log is gone; the mock serves on
        sys.stderr.write(f"{text}\n" if text else "")
        sys.stderr.flush()
