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

from mock_server.wire import Environ, StartResponse, WsgiApp

#: In seconds: a call that takes longer waits for something, such as the rest of a body.
PATIENCE = 0.05
#: In bytes: a longer body is waited for; a shorter one is mostly there.
_SHORT = 64 * 1024


class Turns:
    """The turns of a process. The answers have a `Content-Length` or no body: a client sees where they end."""

    def __init__(self, patience: float = PATIENCE) -> None:
        self._patience = patience
        self._lock = threading.Lock()
        self._begun = threading.Condition(self._lock)
        self._watcher: threading.Thread | None = None
        self._watching = False
        self._tick = 0
        #: By thread: the calls at work, and the tick in which each began.
        self._working: dict[int, int] = {}
        self._held: list[threading.Lock] = []

    def around(self, app: WsgiApp) -> WsgiApp:
        """The app, called in turns."""

        def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
            self._begin()
            if "HTTP_TRANSFER_ENCODING" in environ or _long(environ.get("CONTENT_LENGTH", "")):
                environ["wsgi.input"] = _Awaited(environ["wsgi.input"], self.waiting)
            try:
                parts = app(environ, start_response)
            except BaseException:
                self._leave()
                raise
            if isinstance(parts, list):
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

    def _begin(self) -> None:
        with self._lock:
            self._working[threading.get_ident()] = self._tick
            if self._held and not self._watching:
                self._watching = True
                self._begun.notify()

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
            if self._watcher is None:
                self._watcher = threading.Thread(target=self._watch, name="turns", daemon=True)
                self._watcher.start()
        return self._hold(parts, turn)

    def _hold(self, parts: list[bytes], turn: threading.Lock) -> Iterator[bytes]:
        try:
            yield b"".join(parts)
            turn.acquire()
        finally:  # the server closes what its client no longer reads
            with self._lock, contextlib.suppress(ValueError):
                self._held.remove(turn)

    def _let_go(self) -> None:
        if self._held and not self._working:
            self._held.pop().release()

    def _watch(self) -> None:
        """Counts calls that take long as waiting, so that they hold nobody."""
        while True:
            with self._lock:
                while not (self._working and self._held):
                    self._watching = False
                    self._begun.wait()
                self._tick += 1
            time.sleep(self._patience)
            with self._lock:
                for thread in [known for known, began in self._working.items() if began < self._tick]:
                    del self._working[thread]
                self._let_go()


class _Awaited:
    """`wsgi.input`, whose parts are waited for."""

    def __init__(self, stream: Any, waiting: Callable[[], contextlib.AbstractContextManager[None]]) -> None:
        self._stream, self._waiting = stream, waiting

    def read(self, size: int = -1) -> bytes:
        """At most so many bytes."""
        with self._waiting():
            return bytes(self._stream.read(size))


def _long(length: str) -> bool:
    return bool(length) and (not length.isdecimal() or int(length[:12]) > _SHORT)
