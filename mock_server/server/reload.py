"""`--watch`: the contract is reloaded when its files change; an invalid edit keeps the last valid contract."""

import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from mock_server.app.factory import reload_app
from mock_server.contract import lint, loader
from mock_server.contract.resources import UnusableFileError

#: Polling is cheap, and unlike a notification it works on mounted folders.
POLL_SECONDS = 0.25

#: Modification time, size and inode of each file, None for a missing one.
Fingerprint = tuple[tuple[int, int, int] | None, ...]


class ReloadingApp:
    """A WSGI app with the current contract of `spec`; `report` takes one line per change."""

    def __init__(self, app: Any, spec: Path, report: Callable[[str], object]) -> None:
        self._app, self._spec, self._report = app, spec, report
        self._loaded = self._latest = _fingerprint(spec)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer with the contract that is loaded when the request arrives."""
        parts: Iterable[bytes] = self._app(environ, start_response)
        return parts

    def start(self) -> None:
        """Poll the files from now on, for as long as the process lives."""
        threading.Thread(target=self._poll, daemon=True).start()

    def check(self) -> None:
        """Reload the contract if its files changed and are the same as at the last check, so fully written."""
        before, self._latest = self._latest, _fingerprint(self._spec)
        if self._latest == self._loaded or self._latest != before:
            return
        self._loaded = self._latest
        try:
            lint.check_document(self._spec)
            self._app = reload_app(self._app, self._spec)
        except Exception as error:  # any edit may come; polling continues
            reason = str(error) if isinstance(error, UnusableFileError) else f"{self._spec}: {error!r}"
            self._report(f"{' '.join(reason.split())}; the last valid contract stays")
        else:
            self._report(f"{self._spec}: reloaded")

    def _poll(self) -> None:
        pause = threading.Event()
        while not pause.wait(POLL_SECONDS):
            self.check()


def _fingerprint(spec: Path) -> Fingerprint:
    try:
        rules_file = loader.find_rules_file(spec)
    except OSError:  # the folder may not be read
        return ()
    return tuple(_file_status(path) for path in (spec, rules_file))


def _file_status(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
