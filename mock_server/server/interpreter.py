"""The interpreter of a worker: what it does beside the work is done seldom, and soon."""

import contextlib
import ctypes
import gc
import sys
from collections.abc import Mapping

#: In seconds. Who wants the interpreter's lock (the log, whoever watches the turns) is given it soon; else each is
#: woken dozens of times in vain, whenever the thread at work lets go of the lock for a moment.
SWITCH = 0.00005
#: Of so many full collections of garbage the last one is thorough.
THOROUGH = 100
#: The parameter of glibc's mallopt.
_ARENA_MAX = -8


def tune(*, turns: bool) -> None:
    """Sets up the interpreter of this process, whose threads take turns or do not.

    A full collection of garbage is the last that looks at what outlives it, but for one in a hundred. Else each would
    look at all that is stored, and refusals alone bring one about. Most of what the mock forgets is freed at once;
    what is in circles, as Flask's refusals are, waits for that one.

    Threads share two heaps. Else each has one of its own, which grows by what others have not freed yet.
    """
    gc.callbacks.append(Spared())
    with contextlib.suppress(OSError, AttributeError, TypeError):  # only glibc has them
        ctypes.CDLL(None).mallopt(_ARENA_MAX, 2)
    if turns:
        sys.setswitchinterval(SWITCH)


class Spared:
    """Told of each collection of garbage: leaves what outlives the full ones alone, but for one in a hundred."""

    def __init__(self) -> None:
        self._full = 0

    def __call__(self, phase: str, told: Mapping[str, int]) -> None:
        """Before and after a collection of the generation that is told."""
        if told["generation"] != 2:
            return
        if phase == "stop":
            gc.freeze()
        else:
            self._full += 1
            if self._full % THOROUGH == 0:
                gc.unfreeze()
