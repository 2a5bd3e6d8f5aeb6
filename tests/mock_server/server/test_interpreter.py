"""The interpreter of a worker: what is stored costs nothing while it only lies there."""

import gc
import os
import platform
import subprocess
import sys
import weakref

import pytest

from mock_server.server import interpreter

#: Runs what a worker of the server runs, then a full collection of garbage.
_WORKER = """
import gc, sys
from mock_server import serve
made, kept = serve._loaded(serve.Options(quiet=True), None), [[]]
gc.collect()
assert sys.getswitchinterval() < 0.001
print([each is kept for each in gc.get_objects()].count(True), gc.get_freeze_count() > 10_000)
"""


def test_what_outlives_a_collection_of_garbage_is_looked_at_no_more() -> None:
    """In a worker, after one full collection, nothing that is kept is the collector's business."""
    done = subprocess.run([sys.executable, "-c", _WORKER], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0", "True"]


#: Tunes the process as a worker or not, lets many threads allocate at a time, and counts the heaps.
_HEAPS = """
import ctypes, sys, threading
from mock_server import interpreter
if sys.argv[1] == "tuned":
    interpreter.tune(turns=True)
met, libc = threading.Barrier(12), ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
threads = [threading.Thread(target=lambda: (met.wait(), libc.malloc(5000), met.wait())) for _ in range(12)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
libc.fopen.restype = ctypes.c_void_p
libc.malloc_info(0, ctypes.c_void_p(libc.fopen(b"/dev/stdout", b"w")))
libc.fflush(None)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library has other heaps")
def test_the_threads_of_a_worker_share_two_heaps() -> None:
    """Where they would have a heap each, what one allocates and another frees makes a long-lived mock grow."""

    def heaps(how: str) -> int:
        command = [sys.executable, "-c", _HEAPS, how]
        mine = {name: value for name, value in os.environ.items() if name != "MALLOC_ARENA_MAX"}
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=mine)
        return done.stdout.count("<heap nr=")

    assert heaps("tuned") <= 2 < heaps("as it is")


def test_other_collections_leave_all_where_it_is() -> None:
    """The collections of what is young, which are many, move nothing out of the collector's sight."""
    spared, frozen = interpreter.Spared(), gc.get_freeze_count()
    for generation in (0, 1):
        spared("start", {"generation": generation})
        spared("stop", {"generation": generation})
    spared("start", {"generation": 2})
    assert gc.get_freeze_count() == frozen


class Circle:
    """Something that refers to itself, so that only a collection frees it."""

    def __init__(self) -> None:
        self.itself = self


def test_garbage_that_was_left_alone_is_found_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was in use during a full collection, and is garbage since, is freed by the next thorough one."""
    monkeypatch.setattr(interpreter, "THOROUGH", 3)
    spared = interpreter.Spared()
    gc.callbacks.append(spared)
    gc.disable()
    try:
        circle = Circle()
        known = weakref.ref(circle)
        gc.collect()
        del circle
        gc.collect()
        assert known() is not None
        gc.collect()
        assert known() is None
    finally:
        gc.enable()
        gc.callbacks.remove(spared)
        gc.unfreeze()
