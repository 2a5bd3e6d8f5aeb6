"""The file of an SQLite database: its lock within this process, and whether it is still at its path."""

import threading
from pathlib import Path

from mock_server.services.model import UnreachableStoreError

#: Seconds to wait for another transaction, in this process or elsewhere.
LOCK_TIMEOUT_SECONDS = 3


class SqliteFile:
    """A database file that is in use, and the lock of a transaction.

    SQLite makes a second writer poll, so the threads of a process take turns.
    """

    def __init__(self, path: str) -> None:
        self._path, self._log = Path(path), Path(f"{path}-wal")
        self._opened = _identify(self._path)
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        """Wait for the other transactions of this process; raise UnreachableStoreError after some seconds."""
        if not self._lock.acquire(timeout=LOCK_TIMEOUT_SECONDS):
            raise UnreachableStoreError(
                f"{self._path}: other requests hold the lock for over {LOCK_TIMEOUT_SECONDS} seconds"
            )

    def __exit__(self, *_error: object) -> None:
        """Let the next transaction begin."""
        self._lock.release()

    def check(self) -> None:
        """Raise UnreachableStoreError if the file was deleted, emptied or replaced: a write to it is lost.

        While a connection is open, its write-ahead log is there too.
        """
        if _identify(self._path) != self._opened or not self._log.exists():
            raise UnreachableStoreError(
                f"{self._path}: the file was deleted, emptied or replaced while the mock uses it; restart the mock"
            )


def _identify(path: Path) -> tuple[int, int] | None:
    """Return the device and the inode of a file, None if there is none or it is empty."""
    try:
        status = path.stat()
    except OSError:
        return None
    return (status.st_dev, status.st_ino) if status.st_size else None
