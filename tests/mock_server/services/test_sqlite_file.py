"""The file of an SQLite database that is deleted, replaced or busy while a mock uses it."""

import logging
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from werkzeug.test import Client

from mock_server import create_app
from mock_server.services import sqlite_file
from mock_server.services.model import UnreachableStoreError
from mock_server.services.sqlite_file import SqliteFile
from tests.support import databases
from tests.support.api import BODY, CREATE, auth
from tests.support.databases import StoreOpener

store_opener = databases.store_opener


def replace_file(path: Path) -> None:
    """Put another database at the path."""
    other = path.with_name("other.db")
    sqlite3.connect(other).close()
    other.rename(path)


LOSSES: dict[str, Callable[[Path], object]] = {
    "deleted": Path.unlink,
    "moved": lambda path: path.rename(path.with_name("moved.db")),
    "replaced": replace_file,
    "emptied": lambda path: path.write_bytes(b""),
    "write-ahead-log-deleted": lambda path: path.with_name(f"{path.name}-wal").unlink(),
}


@pytest.mark.parametrize("lose", LOSSES.values(), ids=LOSSES)
def test_nothing_is_stored_in_a_lost_file(
    lose: Callable[[Path], object],
    tmp_path: Path,
    store_opener: StoreOpener,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Each request gets a 503, and the log names the file and says what to do."""
    path = tmp_path / "services.db"
    client = Client(create_app(store=store_opener(f"sqlite:///{path}")))
    before = client.post(CREATE, json=BODY, headers=auth())
    lose(path)
    after = [
        client.post(CREATE, json={**BODY, "service_slug": "other"}, headers=auth()),
        client.post(CREATE, json=BODY, headers=auth()),
        client.get("/api/v1/r/containers/seeded", headers=auth()),
        client.get("/_mock/services"),
    ]
    assert [before.status_code, *(response.status_code for response in after)] == [201, 503, 503, 503, 503]
    assert {response.mimetype for response in after} == {"application/problem+json"}
    reason = "the file was deleted, emptied or replaced while the mock uses it; restart the mock"
    lines = {(record.levelno, record.getMessage()) for record in caplog.records}
    assert lines == {(logging.ERROR, f"the store failed: {path}: {reason}")}


def test_a_request_waits_seconds_for_its_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second transaction of a process fails while the first one takes too long."""
    monkeypatch.setattr(sqlite_file, "LOCK_TIMEOUT_SECONDS", 0.01)
    file = SqliteFile(str(tmp_path / "services.db"))
    with file, pytest.raises(UnreachableStoreError, match="other requests hold the lock"), file:
        pass
    with file:
        pass
