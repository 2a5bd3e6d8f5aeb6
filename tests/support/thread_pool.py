"""Threads that call a WSGI app as a server's do."""

import io
import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from mock_server.server.turns import Turns
from mock_server.web.middleware import Environ, StartResponse

#: Nobody's patience is tried.
LONG = 3600.0
App = Callable[[Environ, StartResponse], Iterable[bytes]]


class Pool:
    """Threads that answer requests as a server's do: a request that finds none of them free waits for one."""

    def __init__(self, app: App, threads: int) -> None:
        self._app, self.asked, self.answered = app, queue.SimpleQueue[Any](), queue.SimpleQueue[Any]()
        self._threads = [threading.Thread(target=self._serve, daemon=True) for _ in range(threads)]
        for thread in self._threads:
            thread.start()

    def _serve(self) -> None:
        for environ in iter(self.asked.get, None):
            try:
                parts = self._app(environ, lambda *_: None)
                for part in parts:
                    self.answered.put(part)
            except OSError as error:
                self.answered.put(error)
            del environ

    def ask(self, environ: Environ) -> None:
        """Sends a request."""
        self.asked.put({"wsgi.input": io.BytesIO(), **environ})

    def answer(self) -> Any:
        """The next answer; queue.Empty where there is none for a long time."""
        return self.answered.get(timeout=20)

    def end(self, turns: Turns) -> None:
        """Ends all threads; those that are held are let go."""
        for _ in self._threads:
            self.asked.put(None)
        ends = time.monotonic() + 20
        while any(thread.is_alive() for thread in self._threads):
            assert time.monotonic() < ends, "threads are held and never let go"
            with turns.waiting():
                pass


@contextmanager
def pool(turns: Turns, app: App, threads: int) -> Iterator[Pool]:
    """Threads that call the app in turns, ended afterwards."""
    made = Pool(turns.around(app), threads)
    try:
        yield made
    finally:
        made.end(turns)
