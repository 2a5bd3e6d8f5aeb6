"""Threads of the server take turns: one answers at a time, for as long as it need not wait.

Threads that answer at the same time wake each other and wait for the interpreter's lock, which costs more than what
they do. So a thread that has answered while another is at work does not ask the server for the next request: it
stays in its call, after the last part of the answer, until no other thread is at work.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from mock_server.web.middleware import Environ, StartResponse, WsgiApp

#: In seconds: a call that takes longer waits for something, such as the rest of a body.
PATIENCE = 0.002
#: In seconds: so seldom is looked for such calls where there was none of late, since to look takes the lock of the
#: interpreter from who works.
CALM = 0.01
#: So often is looked by turns of patience after a call that waited.
_WARY = 500
#: In seconds: where nothing is asked for so long, no thread is held.
REST = 30.0
#: In bytes: a longer body is waited for, and let go of with its call; a shorter one is mostly there.
_SHORT = 64 * 1024
#: So many of the longer ones are in memory at a time.
_ROOM = 8


class Turns:
    """The turns of a process. The answers have a `Content-Length` or no body: a client sees where they end."""

    def __init__(self, patience: float = PATIENCE, calm: float = CALM, rest: float = REST) -> None:
        self._patience, self._calm, self._rest = patience, max(calm, patience), rest
        self._lock = threading.Lock()
        self._begun = threading.Condition(self._lock)
        self._room = threading.Semaphore(_ROOM)
        self._watcher: threading.Thread | None = None
        self._watching = False
        #: Whether a call began since the last tick; how many ticks are still short.
        self._asked, self._wary = False, 0
        self._tick = 0
        #: By thread: the calls at work, and the tick in which each began.
        self._working: dict[int, int] = {}
        self._held: list[threading.Lock] = []

    def around(self, app: WsgiApp) -> WsgiApp:
        """The app, called in turns."""
        with_room = self._with_room(app)

        def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
            self._begin()
            long = "HTTP_TRANSFER_ENCODING" in environ or _long(environ.get("CONTENT_LENGTH", ""))
            if not long:
                environ["wsgi.input"] = _Timed(environ["wsgi.input"], self._found_late)
            try:
                parts = (with_room if long else app)(environ, start_response)
            except BaseException:
                self._leave()
                raise
            if isinstance(parts, list) and not long:
                return self._end(parts)
            self._leave()  # what comes part by part is waited for
            return parts

        return application

    def sleep(self, seconds: float) -> None:
        """Sleeps within a call, while another thread works."""
        with self.waiting():
            time.sleep(seconds)

    @contextlib.contextmanager
    def waiting(self) -> Iterator[None]:
        """Within a call: what is done here takes no turn."""
        self._leave()
        try:
            yield
        finally:
            self._begin()

    def _with_room(self, app: WsgiApp) -> WsgiApp:
        """The app, called with a long body once there is room for it."""

        def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
            with self.waiting():
                self._room.acquire()
            environ["wsgi.input"] = _Awaited(environ["wsgi.input"], self.waiting)
            try:
                return app(environ, start_response)
            finally:
                self._room.release()

        return application

    def _found_late(self, seconds: float) -> None:
        """Looks often for a while, where a body was waited for so long that it held up others."""
        if seconds > self._patience:
            self._wary = _WARY

    def _begin(self) -> None:
        with self._lock:
            self._working[threading.get_ident()] = self._tick
            self._asked = True
            self._watched()

    def _leave(self) -> None:
        with self._lock:
            self._working.pop(threading.get_ident(), None)
            self._let_go()

    def _end(self, parts: list[bytes]) -> Iterable[bytes]:
        """The answer, which holds the thread where another one is at work."""
        with self._lock:
            self._working.pop(threading.get_ident(), None)
            if not self._working:
                return parts
            turn = threading.Lock()
            turn.acquire()
            self._held.append(turn)
            self._watched()
        return self._hold(iter(parts), turn)

    def _hold(self, parts: Iterator[bytes], turn: threading.Lock) -> Iterator[bytes]:
        try:
            yield from parts
            turn.acquire()
        finally:  # the server closes what its client no longer reads
            with self._lock, contextlib.suppress(ValueError):
                self._held.remove(turn)

    def _let_go(self) -> None:
        if self._held and not self._working:
            self._held.pop().release()

    def _watched(self) -> None:
        """Sees to it that somebody watches where a call may turn out to wait while others are held."""
        if self._watching or not (self._held and self._working):
            return
        self._watching = True
        if self._watcher is None:
            self._watcher = threading.Thread(target=self._watch, name="turns", daemon=True)
            self._watcher.start()
        self._begun.notify()

    def _watch(self) -> None:
        """Counts calls that take long as waiting, so that they hold nobody.

        It looks on between calls that follow one another: to be woken for each would cost more than they do.
        """
        while True:
            with self._lock:
                while not (self._held and (self._working or self._asked)):
                    self._watching = False
                    asked = self._begun.wait(self._rest)
                    while self._held and not asked and not self._working:
                        self._let_go()
                self._asked = False
                self._tick += 1
            time.sleep(self._patience if self._wary else self._calm)
            with self._lock:
                late = [thread for thread, began in self._working.items() if began < self._tick]
                self._wary = _WARY if late else max(0, self._wary - 1)
                for thread in late:
                    del self._working[thread]
                if late:
                    self._let_go()


class _Awaited:
    """`wsgi.input`, whose parts are waited for."""

    def __init__(self, stream: Any, waiting: Callable[[], contextlib.AbstractContextManager[None]]) -> None:
        self._stream, self._waiting = stream, waiting

    def read(self, *size: int) -> bytes:
        """At most so many bytes, or all of them: no server need know what -1 is."""
        with self._waiting():
            return bytes(self._stream.read(*size))


class _Timed:
    """`wsgi.input` of a short body, which mostly is there."""

    __slots__ = ("_stream", "_took")

    def __init__(self, stream: Any, took: Callable[[float], None]) -> None:
        self._stream, self._took = stream, took

    def read(self, *size: int) -> bytes:
        """At most so many bytes, or all of them."""
        began = time.monotonic()
        try:
            return bytes(self._stream.read(*size))
        finally:
            self._took(time.monotonic() - began)


def _long(length: str) -> bool:
    return bool(length) and (not length.isdecimal() or int(length[:12]) > _SHORT)
