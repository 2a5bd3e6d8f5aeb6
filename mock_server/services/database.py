"""A database for services, SQLite or PostgreSQL: how it is opened, and the form of its tables."""

import sqlite3
import time
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from mock_server.services.model import UnusableStoreError

#: The form of the tables; another number is another form.
SCHEMA_VERSION = 1
#: Seconds to wait for another writer of the same file.
LOCK_TIMEOUT_SECONDS = 30
_TABLES = sa.MetaData()
_SCHEMA = sa.Table("mock_server_schema", _TABLES, sa.Column("version", sa.Integer, nullable=False))
#: `claim` is the slug, or a value of its own where another service of the team claims the slug already; so the
#: database refuses a second claim, and yet can hold the same slug twice while the rule is off.
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
#: Held while the tables are made, by whichever process comes first.
_SETUP_LOCK = 0x6379626572756E


def open_engine(address: str) -> sa.Engine:
    """The database of a URL, its tables made or found in the form that is known; else UnusableStoreError."""
    shown = address.partition(":")[0]
    try:
        url = _parse_url(address)
        shown = url.set(query={}).render_as_string(hide_password=True)
        engine = _create_engine(url)
        if engine.dialect.name == "sqlite":
            _enable_wal(engine)
        with engine.begin() as connection:
            _prepare_tables(connection)
        engine.dispose()  # a process that is forked from this one makes connections of its own
    except (SQLAlchemyError, sqlite3.Error) as error:
        raise UnusableStoreError(
            f"--store {shown}: {error_message(error)}; name a database that can be used"
        ) from error
    except UnusableStoreError as error:
        raise UnusableStoreError(f"--store {shown}: {error}") from error
    return engine


def _parse_url(address: str) -> sa.URL:
    url = sa.make_url(address)
    if url.drivername in {"postgres", "postgresql"}:
        url = url.set(drivername="postgresql+psycopg")
    if url.drivername == "sqlite" and (url.host or url.database in {None, "", ":memory:"}):
        raise UnusableStoreError(
            "names no file; expected sqlite:///file.db, or memory for a store without one"
        )
    return url


def _create_engine(url: sa.URL) -> sa.Engine:
    if url.get_backend_name() == "postgresql":
        waits = {} if "connect_timeout" in url.query else {"connect_timeout": 10}
        return sa.create_engine(url, hide_parameters=True, pool_pre_ping=True, connect_args=waits)
    wanted = {"timeout": LOCK_TIMEOUT_SECONDS, "isolation_level": None}
    engine = sa.create_engine(url, hide_parameters=True, connect_args=wanted)
    sa.event.listen(engine, "connect", lambda raw, _: raw.execute("PRAGMA synchronous=FULL"))
    sa.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    return engine


def _enable_wal(engine: sa.Engine) -> None:
    """Turns the file to a write-ahead log, once and for all; others who do the same are waited for."""
    raw, give_up = engine.raw_connection(), time.monotonic() + LOCK_TIMEOUT_SECONDS
    try:
        while not _try_enable_wal(raw.cursor(), give_up):
            time.sleep(0.02)
    finally:
        raw.close()


def _try_enable_wal(cursor: Any, give_up: float) -> bool:
    try:
        cursor.execute("PRAGMA journal_mode=WAL")
    except sqlite3.OperationalError as error:
        if "locked" not in str(error) or time.monotonic() > give_up:
            raise
        return False
    return True


def _prepare_tables(connection: sa.Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_SETUP_LOCK)))
    if sa.inspect(connection).has_table(_SCHEMA.name):
        found = connection.scalar(sa.select(_SCHEMA.c.version))
        if found != SCHEMA_VERSION:
            raise UnusableStoreError(
                f"its tables have version {found}, this mock-server knows {SCHEMA_VERSION}; name another database"
            )
        return
    _TABLES.create_all(connection, checkfirst=False)
    connection.execute(sa.insert(_SCHEMA).values(version=SCHEMA_VERSION))


def error_message(error: Exception) -> str:
    """The first line of what the database said, without the statement."""
    text = str(getattr(error, "orig", None) or error).strip()
    return (text.splitlines() or [type(error).__name__])[0]
