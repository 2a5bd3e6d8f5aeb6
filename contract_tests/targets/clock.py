"""The clock of a run: its time limit, Ctrl-C, and the waits that end with either."""

import time
from collections.abc import Callable
from threading import Event, Lock

#: Requests on their way when the time is up may take this much longer.
_GRACE_SECONDS = 5.0
#: The shortest wait that is told.
_TOLD_SECONDS = 3.0


class RunStopped(Exception):  # noqa: N818 - not an error of the suite
    """The run is over: nothing more is sent, and nothing is waited for."""


class RunClock:
    """Times one run; safe to use from several threads. ``tell`` takes the seconds of each long wait.

    ``busy`` counts the responses that said that the target is too busy, so that the request was sent again.
    """

    def __init__(self, tell: Callable[[float], object] = lambda _: None) -> None:
        self.tell, self.busy = tell, 0
        self._deadline = float("inf")
        self._told_until = 0.0
        self._stopped = Event()
        self._lock = Lock()

    def start(self, seconds: float | None) -> None:
        """Start the time limit of a run, if there is one; the stop of an earlier run ends with it."""
        self._stopped.clear()
        self.busy = 0
        self._deadline = float("inf") if seconds is None else time.monotonic() + seconds

    def is_time_up(self) -> bool:
        """Return whether the time limit is over."""
        return time.monotonic() >= self._deadline

    def stop(self) -> None:
        """End every wait, and every request that is on its way."""
        self._stopped.set()

    def check(self) -> None:
        """Raise RunStopped if the run was stopped, or its time is over."""
        if self._stopped.is_set() or time.monotonic() >= self._deadline + _GRACE_SECONDS:
            raise RunStopped

    def check_unsent(self) -> None:
        """Raise RunStopped for a request that still waits to be sent: only those on their way have more time."""
        self.check()
        if self.is_time_up():
            raise RunStopped("while --rate allowed no further request")

    def wait_while_busy(self, seconds: float) -> None:
        """Wait until a busy target may get a request again, and count it; raise RunStopped if the run ends before."""
        with self._lock:
            self.busy += 1
        self.wait(seconds)

    def wait(self, seconds: float) -> None:
        """Wait for some seconds; raise RunStopped if the run ends before."""
        now = time.monotonic()
        self._tell_wait(now, seconds)
        self._stopped.wait(max(0.0, min(seconds, self._deadline + _GRACE_SECONDS - now)))
        self.check()

    def _tell_wait(self, now: float, seconds: float) -> None:
        """Tell a long wait, once for requests that wait together."""
        with self._lock:
            if seconds < _TOLD_SECONDS or now < self._told_until:
                return
            self._told_until = now + seconds
        self.tell(seconds)
