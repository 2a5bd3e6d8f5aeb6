"""Log of created services: one line for each service that a run may have stored, written before sending."""

import json
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any

from contract_tests.contract.files.report_file import open_at_once


class CreatedLog:
    """JSON lines: ``run`` with the target of the creates below, ``sending`` before one is sent, ``created`` after it.

    ``count`` is the number of successful creates, ``lost`` that of those without a response, whose services may
    exist. Without a path nothing else is kept.
    """

    def __init__(self, path: Path | None = None, *, resumed: bool = False) -> None:
        """Open the file for appending; a resumed run continues its counts. Raise OSError if it is not writable."""
        self.count, self.lost = _count_creates(path) if path and resumed else (0, 0)
        self._resumed = resumed
        self._lock = Lock()
        self._path = path
        self._head = ""
        self._file = open_at_once(path) if path else None

    @property
    def possible(self) -> int:
        """The number of services that may exist."""
        return self.count + self.lost

    def name_target(self, target: str) -> None:
        """Name the target of the creates that follow, in a line before the first of them."""
        further = {"resumed": True} if self._resumed else {}
        self._head = _format_line({"event": "run", "target": target, **further})

    def log_sending(self, caller: str, slug: str | None) -> None:
        """Log a create that is about to be sent."""
        self._write_entry({"event": "sending", "caller": caller, "slug": slug})

    def log_created(self, caller: str, slug: str | None, identifier: str | None) -> None:
        """Log a create that succeeded."""
        with self._lock:
            self.count += 1
        self._write_entry({"event": "created", "caller": caller, "slug": slug, "id": identifier})

    def log_lost(self, caller: str, slug: str | None) -> None:
        """Log a create whose service may exist, though its response was lost."""
        with self._lock:
            self.lost += 1
        self._write_entry({"event": "lost", "caller": caller, "slug": slug})

    def close(self) -> None:
        """Close the file; an entry that found no room was told already."""
        if self._file:
            with suppress(OSError):
                self._file.close()

    def _write_entry(self, entry: dict[str, Any]) -> None:
        if self._file:
            line = _format_line(entry)
            try:
                with self._lock:
                    self._file.write(self._head + line)
                    self._head = ""
                    self._file.flush()
            except OSError as error:  # that of a full disk names no file
                raise OSError(error.errno, error.strerror, str(self._path)) from None


def _format_line(entry: dict[str, Any]) -> str:
    return json.dumps({"at": datetime.now(UTC).isoformat(), **entry}) + "\n"


def _count_creates(path: Path) -> tuple[int, int]:
    """Return how many creates of the last run in a log succeeded, and how many were lost."""
    created = lost = 0
    if path.is_file():
        with path.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                if '"event": "run"' in line and '"resumed": true' not in line:
                    created = lost = 0
                created += '"event": "created"' in line
                lost += '"event": "lost"' in line
    return created, lost
