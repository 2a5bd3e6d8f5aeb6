"""Opening a store: tables are created once, and an unusable store is reported on one line."""

import os
import re
import socket
import sqlite3
import struct
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mock_server.services.model import IdTakenError, Service, SlugTakenError, Store, UnusableStoreError
from tests.support import databases
from tests.support.databases import SHARED, StoreOpener, each_shared_store, lock_services
from tests.support.fixture_player import ROOT
from tests.support.processes import MOCK, run

store_opener, store_url = databases.store_opener, databases.store_url
NOW = datetime(2026, 1, 2, tzinfo=UTC)


def build_service(service_id: str, slug: object = "abc", team: str = "red") -> Service:
    """Return a service with few properties."""
    return Service(service_id, team, slug, "created", NOW, NOW, {"service_slug": slug})


@each_shared_store
def test_the_tables_are_created_once(store_url: str, store_opener: StoreOpener) -> None:
    """Eight threads that open a store at once use the same tables."""
    barrier = threading.Barrier(8)

    def open_at_barrier(_: int) -> Store:
        barrier.wait()
        return store_opener(store_url)

    with ThreadPoolExecutor(8) as pool:
        stores = list(pool.map(open_at_barrier, range(8)))
    with stores[0].transaction() as transaction:
        transaction.add(build_service("one"))
    with stores[7].transaction() as transaction, pytest.raises(SlugTakenError):
        transaction.add(build_service("two"))
    with stores[3].transaction() as transaction, pytest.raises(IdTakenError):
        transaction.add(build_service("one", "other"))


@pytest.mark.slow
@each_shared_store
@pytest.mark.parametrize("version", ["0", "2"])
def test_tables_of_another_version_are_refused(
    store_url: str, version: str, store_opener: StoreOpener
) -> None:
    """One line names both versions, and the exit code is 2."""
    with store_opener(store_url).transaction() as transaction:
        transaction._connection.exec_driver_sql(f"UPDATE mock_server_schema SET version = {version}")
    result = run("--port", "0", "--store", store_url)
    message = f"got tables of version {version}, expected version 1; name another database\n"
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert result.stderr.endswith(message)


#: What to add to the address of a store, so that it can only be read.
READ_ONLY = {
    "sqlite": ("?mode=ro&uri=true", "attempt to write a readonly database"),
    "postgresql": (
        "%20-cdefault_transaction_read_only%3Don",
        "cannot execute UPDATE in a read-only transaction",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize(("store_url", "kind"), [(kind, kind) for kind in SHARED], indirect=["store_url"])
def test_a_read_only_store_is_refused_at_start(store_url: str, kind: str, store_opener: StoreOpener) -> None:
    """One line says that the database is read-only, and the exit code is 2."""
    store_opener(store_url)
    suffix, message = READ_ONLY[kind]
    address = store_url.replace("sqlite:///", "sqlite:///file:") + suffix
    result = run("--port", "0", "--store", address)
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert result.stderr.endswith(f": {message}; name a usable database\n")


@pytest.mark.slow
@each_shared_store
def test_a_locked_store_is_refused_at_start(store_url: str, store_opener: StoreOpener) -> None:
    """Within seconds one line says that the store is locked, and the exit code is 2."""
    with store_opener(store_url).transaction() as transaction:
        lock_services(transaction)
        started = time.monotonic()
        result = run("--port", "0", "--store", store_url)
    reason = r"(database is locked|canceling statement due to lock timeout); name a usable database\n$"
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert re.search(reason, result.stderr)
    assert time.monotonic() - started < 15


UNUSABLE = {
    "another-kind": (
        "mysql://u:secret@host/d",
        "--store mysql://u:***@host/d: unknown store; expected memory, sqlite:///file.db",
    ),
    "a-path": ("file.db", "unknown store; expected memory"),
    "no-file": ("sqlite://", "got no file name, expected sqlite:///file.db"),
    "two-slashes": ("sqlite://file.db", "expected sqlite:///file.db"),
    "in-memory": ("sqlite:///:memory:", "got no file name"),
    "no-folder": ("sqlite:///nowhere/file.db", "unable to open database file; name a usable database"),
    "no-database": ("sqlite:///text.db", "file is not a database; name a usable database"),
    "no-server": (
        "postgresql://u:secret@127.0.0.1:9/d",
        "--store postgresql://u:***@127.0.0.1:9/d: connection",
    ),
    "password-in-the-query": (
        "postgres://127.0.0.1:9/d?password=secret",
        "--store postgres://127.0.0.1:9/d: conn",
    ),
    "no-host": (
        "postgresql://u:secret/d",
        "--store postgresql://u:***/d: the port is not a number; write : and @ of a password",
    ),
}


@pytest.mark.parametrize(("address", "message"), UNUSABLE.values(), ids=UNUSABLE)
@pytest.mark.slow
def test_an_unusable_store_is_reported_on_one_line(address: str, message: str, tmp_path: Path) -> None:
    """The line suggests a store, repeats no password, and the exit code is 2."""
    (tmp_path / "text.db").write_text("no database " * 100, encoding="utf-8")
    result = subprocess.run(
        [*MOCK, "--port", "0", "--store", address],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
        timeout=30,
    )
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert message in result.stderr
    assert "secret" not in result.stderr


@pytest.mark.parametrize(
    ("missing", "address"), [("sqlalchemy", "sqlite:///file.db"), ("psycopg", "postgresql://u:secret@host/d")]
)
@pytest.mark.slow
def test_a_missing_driver_is_named(missing: str, address: str) -> None:
    """One line has the command that installs the driver, and the exit code is 2."""
    program = f"import sys; sys.modules[{missing!r}] = None; from mock_server.cli.main import main; main()"
    command = [sys.executable, "-c", program, "--port", "0", "--store", address]
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False, timeout=30)
    command_hint = "pip install 'cyberun-contract-kit[sql]' (from a checkout: -e '.[sql]')"
    reason = f"{missing} is not installed; {command_hint}\n"
    message = f"mock-server: --store {address.replace('secret', '***')}: {reason}"
    assert (result.returncode, result.stdout, result.stderr) == (2, "", message)


def test_sqlite_flushes_every_commit(tmp_path: Path, store_opener: StoreOpener) -> None:
    """SQLite uses a write-ahead log and waits for the disk at every commit."""
    store = store_opener(f"sqlite:///{tmp_path / 'file.db'}")
    with store.transaction() as transaction:
        modes = [
            transaction._connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous")
        ]
    assert modes == ["wal", 2]
    with sqlite3.connect(tmp_path / "file.db") as connection:
        assert connection.execute("SELECT version FROM mock_server_schema").fetchall() == [(1,)]
    connection.close()


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize(("suffix", "timeout"), [("", "5s"), ("%20-cstatement_timeout%3D1min", "1min")])
def test_postgresql_waits_for_seconds_unless_the_url_says_otherwise(
    store_url: str, suffix: str, timeout: str, store_opener: StoreOpener
) -> None:
    """A statement and a lock have timeouts; an option of the URL takes precedence."""
    with store_opener(store_url + suffix).transaction() as transaction:
        timeouts = [
            transaction._connection.exec_driver_sql(f"SHOW {name}_timeout").scalar()
            for name in ("lock", "statement")
        ]
    assert timeouts == ["3s", timeout]


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
def test_a_connection_without_an_encoding_is_one_of_utf_8(store_url: str, store_opener: StoreOpener) -> None:
    """A database of a cluster that was set up in the locale C has none, and would return bytes."""
    with store_opener(f"{store_url}&client_encoding=sql_ascii").transaction() as transaction:
        assert transaction._connection.exec_driver_sql("SHOW client_encoding").scalar() == "UTF8"


def test_memory_loads_no_database() -> None:
    """Creating an app with the default store imports neither SQLAlchemy nor SQLite."""
    program = (
        "import sys; from mock_server import create_app; create_app();"
        "sys.exit(bool({'sqlalchemy', 'psycopg', 'sqlite3'} & {*sys.modules}))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False, cwd=ROOT).returncode == 0


def test_a_server_that_repeats_the_password_is_not_quoted(store_opener: StoreOpener) -> None:
    """Neither the password nor a control character of a terminal is in the line about the store."""
    fields = b"SFATAL\x00C28P01\x00Mno password \x1b[31msecret-of-mine\x07\nmore\x00\x00"
    error = b"E" + struct.pack("!I", len(fields) + 4) + fields
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=refuse_clients, args=(server, error), daemon=True).start()
        address = f"postgresql://me:secret-of-mine@127.0.0.1:{server.getsockname()[1]}/db?sslmode=disable"
        with pytest.raises(UnusableStoreError) as refused:
            store_opener(address)
    assert r"no password \x1b[31m***\x07" in str(refused.value)
    assert "secret-of-mine" not in str(refused.value)
    assert str(refused.value).isprintable()


def refuse_clients(server: socket.socket, error: bytes) -> None:
    """Answer each start of a session with an error, until the server is closed."""
    with suppress(OSError):
        while True:
            connection, _ = server.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(error)
