"""`--watch`: the contract is read again when its files change; a bad edit keeps the last good one."""

import gc
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from mock_server.app import factory
from mock_server.contract import lint, loader
from mock_server.contract.resources import UnusableFileError

#: In seconds. Looking is cheap, and unlike a notification it works on mounted folders too.
PERIOD = 0.25

Stamp = tuple[tuple[int, int, int] | None, ...]


class Watched:
    """A WSGI app of the contract at `spec` as it is now; `say` is told of each change in one line."""

    def __init__(self, made: Any, spec: Path, say: Callable[[str], object]) -> None:
        self._app, self._spec, self._say = made, spec, say
        self._stamp = self._seen = _stamp(spec)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answers by the contract of the moment at which the request came."""
        answered: Iterable[bytes] = self._app(environ, start_response)
        return answered

    def start(self) -> None:
        """Looks from now on, for as long as the process lives."""
        threading.Thread(target=self._watch, daemon=True).start()

    def look(self) -> None:
        """Takes the contract over where its files have changed and are at rest, so that none is half written."""
        before, self._seen = self._seen, _stamp(self._spec)
        if self._seen == self._stamp or self._seen != before:
            return
        self._stamp = self._seen
        try:
            lint.check_document(self._spec)
            self._app = factory.remade(self._app, self._spec)
        except Exception as error:  # whatever an edit makes of the document, the watch goes on
            said = str(error) if isinstance(error, UnusableFileError) else f"{self._spec}: {error!r}"
            self._say(f"{' '.join(said.split())}; until then the last good contract is served")
        else:
            self._say(f"{self._spec}: read again")
        finally:
            gc.unfreeze()  # an app that is not served any more is in circles, so that only a collection frees it

    def _watch(self) -> None:
        pause = threading.Event()
        while not pause.wait(PERIOD):
            self.look()


def _stamp(spec: Path) -> Stamp:
    """When the document and its catalogue were last written, and how large they are."""
    return tuple(_status(path) for path in (spec, loader.beside(spec)))


def _status(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
