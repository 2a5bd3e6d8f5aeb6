"""The ledger: a line for everything that a run may have stored on the target, written before it can be lost."""

import json
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any, TextIO


class Ledger:
    """Appends JSON lines: ``sending`` before a create goes out, ``created`` once it is answered.

    ``count`` is how many creates were answered with success. Without a path only that is kept.
    """

    def __init__(self, path: Path | None = None, *, resumed: bool = False) -> None:
        """Open the file to append to it; OSError where it cannot be written. A resumed run counts on from it."""
        self.count = _created(path) if path and resumed else 0
        self._lock = Lock()
        self._file: TextIO | None = path.open("a", encoding="utf-8") if path else None

    def sending(self, caller: str, slug: str | None) -> None:
        """Note that a create goes out."""
        self._write({"event": "sending", "caller": caller, "slug": slug})

    def created(self, caller: str, slug: str | None, identifier: str | None) -> None:
        """Note that a create was answered with success."""
        with self._lock:
            self.count += 1
        self._write({"event": "created", "caller": caller, "slug": slug, "id": identifier})

    def close(self) -> None:
        """Close the file."""
        if self._file:
            self._file.close()

    def _write(self, entry: dict[str, Any]) -> None:
        if self._file:
            line = json.dumps({"at": datetime.now(UTC).isoformat(), **entry})
            with self._lock:
                self._file.write(line + "\n")
                self._file.flush()


def _created(path: Path) -> int:
    if not path.is_file():
        return 0
    with path.open(encoding="utf-8") as lines:
        return sum('"event": "created"' in line for line in lines)
