"""The databases of the SQL store, SQLite and PostgreSQL: tables, how to open one, and how they differ."""

import sqlite3
import threading
import time
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from mock_server.services.model import UnusableStoreError

#: Version of the tables; a database with another version is refused.
SCHEMA_VERSION = 1
#: Seconds to wait for another writer of the same file.
LOCK_TIMEOUT_SECONDS = 30
_TABLES = sa.MetaData()
_SCHEMA = sa.Table("mock_server_schema", _TABLES, sa.Column("version", sa.Integer, nullable=False))
#: `claim` is the slug, or a placeholder while another service of the team claims it. The database refuses a second
#: claim, and can still store a slug twice while `slug-unique` is disabled.
SERVICES = sa.Table(
    "mock_server_services",
    _TABLES,
    sa.Column("position", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("id", sa.Text, nullable=False, unique=True),
    sa.Column("team", sa.Text, nullable=False),
    sa.Column("slug", sa.Text),
    sa.Column("claim", sa.Text, nullable=False),
    sa.Column("document", sa.Text, nullable=False),
    sa.UniqueConstraint("team", "claim"),
    sa.Index("mock_server_services_slug", "team", "slug"),
)
#: By dialect: the insert of a service that changes nothing if its id or claim is taken.
INSERT: dict[str, Any] = {
    name: insert(SERVICES).inline().on_conflict_do_nothing()
    for name, insert in (("sqlite", sqlite.insert), ("postgresql", postgresql.insert))
}
#: Advisory lock, so that only one process creates the tables.
_SETUP_LOCK = 0x6379626572756E


def open_engine(address: str) -> sa.Engine:
    """Open the database at a URL and create its tables; raise UnusableStoreError if that fails."""
    shown_address = address.partition(":")[0]  # no password in an error message
    try:
        url = _parse_url(address)
        shown_address = url.set(query={}).render_as_string(hide_password=True)
        engine = _create_engine(url)
        if engine.dialect.name == "sqlite":
            _enable_wal(engine)
        with engine.begin() as connection:
            _prepare_tables(connection)
        engine.dispose()  # a forked process must not share a connection
    except (SQLAlchemyError, sqlite3.Error) as error:
        raise UnusableStoreError(
            f"--store {shown_address}: {error_message(error)}; name a usable database"
        ) from error
    except UnusableStoreError as error:
        raise UnusableStoreError(f"--store {shown_address}: {error}") from error
    return engine


def write_lock(engine: sa.Engine) -> AbstractContextManager[Any]:
    """Return the lock of a transaction: SQLite makes a second writer poll, so the threads of a process take turns."""
    return threading.Lock() if engine.dialect.name == "sqlite" else nullcontext()


def _parse_url(address: str) -> sa.URL:
    url = sa.make_url(address)
    if url.drivername in {"postgres", "postgresql"}:
        url = url.set(drivername="postgresql+psycopg")
    if url.drivername == "sqlite" and (url.host or url.database in {None, "", ":memory:"}):
        raise UnusableStoreError(
            "got no file name, expected sqlite:///file.db; use memory for a store without a file"
        )
    return url


def _create_engine(url: sa.URL) -> sa.Engine:
    if url.get_backend_name() == "postgresql":
        timeout = {} if "connect_timeout" in url.query else {"connect_timeout": 10}
        return sa.create_engine(url, hide_parameters=True, pool_pre_ping=True, connect_args=timeout)
    sqlite_options = {"timeout": LOCK_TIMEOUT_SECONDS, "isolation_level": None}
    engine = sa.create_engine(url, hide_parameters=True, connect_args=sqlite_options)
    sa.event.listen(engine, "connect", lambda raw, _: raw.execute("PRAGMA synchronous=FULL"))
    sa.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    return engine


def _enable_wal(engine: sa.Engine) -> None:
    """Switch the file to a write-ahead log; retry while another process does the same."""
    connection, deadline = engine.raw_connection(), time.monotonic() + LOCK_TIMEOUT_SECONDS
    try:
        while not _try_enable_wal(connection.cursor(), deadline):
            time.sleep(0.02)
    finally:
        connection.close()


def _try_enable_wal(cursor: Any, deadline: float) -> bool:
    try:
        cursor.execute("PRAGMA journal_mode=WAL")
    except sqlite3.OperationalError as error:
        if "locked" not in str(error) or time.monotonic() > deadline:
            raise
        return False
    return True


def _prepare_tables(connection: sa.Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_SETUP_LOCK)))
    if sa.inspect(connection).has_table(_SCHEMA.name):
        version = connection.scalar(sa.select(_SCHEMA.c.version))
        if version != SCHEMA_VERSION:
            raise UnusableStoreError(
                f"got tables of version {version}, expected version {SCHEMA_VERSION}; name another database"
            )
        return
    _TABLES.create_all(connection, checkfirst=False)
    connection.execute(sa.insert(_SCHEMA).values(version=SCHEMA_VERSION))


def error_message(error: Exception) -> str:
    """Return the first line of a database error, without the statement."""
    text = str(getattr(error, "orig", None) or error).strip()
    return (text.splitlines() or [type(error).__name__])[0]
