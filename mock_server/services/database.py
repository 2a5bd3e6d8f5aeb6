"""The databases of the SQL store, SQLite and PostgreSQL: tables, how to open one, and how they differ."""

import sqlite3
import time
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from mock_server.services.model import UnusableStoreError
from mock_server.services.sqlite_file import LOCK_TIMEOUT_SECONDS, SqliteFile

#: Version of the tables; a database with another version is refused.
SCHEMA_VERSION = 1
#: Seconds that PostgreSQL may take to accept a connection, or to run a statement.
_POSTGRESQL_TIMEOUT_SECONDS = 5
#: Sets the timeouts of a connection that neither the URL nor the server sets.
_SET_TIMEOUTS = """
    SELECT set_config(name, value, false)
    FROM (VALUES ('lock_timeout', %s::text), ('statement_timeout', %s::text)) AS timeouts (name, value)
    WHERE current_setting(name) = '0'
"""
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


def open_engine(address: str) -> tuple[sa.Engine, SqliteFile | None]:
    """Open the database at a URL and create its tables; raise UnusableStoreError if it cannot be read and written.

    Return the file too if the database is SQLite's.
    """
    url = None
    try:
        url = _parse_url(address)
        engine = _create_engine(url)
        if engine.dialect.name == "sqlite":
            _enable_wal(engine)
        with engine.begin() as connection:
            _prepare_tables(connection)
            file = _find_file(connection)
        engine.dispose()  # a forked process must not share a connection
    except (SQLAlchemyError, sqlite3.Error) as error:
        raise UnusableStoreError(f"{error_message(error, url)}; name a usable database") from error
    return engine, file


def _parse_url(address: str) -> sa.URL:
    try:
        url = sa.make_url(address)
    except ValueError as error:  # of int(), which repeats the text: a part of a password, if that holds an @
        raise UnusableStoreError(
            "the port is not a number; write : and @ of a password as %3A and %40"
        ) from error
    if url.drivername in {"postgres", "postgresql"}:
        url = url.set(drivername="postgresql+psycopg")
    if url.drivername == "sqlite" and (url.host or url.database in {None, "", ":memory:"}):
        raise UnusableStoreError(
            "got no file name, expected sqlite:///file.db; use memory for a store without a file"
        )
    return url


def _create_engine(url: sa.URL) -> sa.Engine:
    if url.get_backend_name() == "postgresql":
        return _create_postgresql_engine(url)
    sqlite_options = {"timeout": LOCK_TIMEOUT_SECONDS, "isolation_level": None}
    engine = sa.create_engine(url, hide_parameters=True, connect_args=sqlite_options)
    sa.event.listen(engine, "connect", _set_up_sqlite)
    sa.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    return engine


def _create_postgresql_engine(url: sa.URL) -> sa.Engine:
    seconds = _POSTGRESQL_TIMEOUT_SECONDS
    timeouts = {"connect_timeout": seconds, "tcp_user_timeout": seconds * 1000}
    engine = sa.create_engine(
        url,
        hide_parameters=True,
        pool_pre_ping=True,  # replaces a connection that the server closed
        pool_timeout=seconds,
        connect_args={
            **{name: value for name, value in timeouts.items() if name not in url.query},
            "client_encoding": "utf8",  # a database without an encoding would return bytes
        },
    )
    sa.event.listen(engine, "connect", _set_up_postgresql)
    return engine


def _set_up_postgresql(raw: Any, _record: Any) -> None:
    raw.execute(_SET_TIMEOUTS, (f"{LOCK_TIMEOUT_SECONDS}s", f"{_POSTGRESQL_TIMEOUT_SECONDS}s"))
    raw.commit()


def _set_up_sqlite(raw: Any, _record: Any) -> None:
    raw.execute("PRAGMA synchronous=FULL")
    # A broken text is the failure of its row, not of the whole query.
    raw.text_factory = lambda text: text.decode("utf-8", "surrogateescape")


def _find_file(connection: sa.Connection) -> SqliteFile | None:
    if connection.dialect.name != "sqlite":
        return None
    return SqliteFile(str(connection.exec_driver_sql("PRAGMA database_list").scalars(2).first()))


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
        # Changes nothing, and fails if the database is read-only or the table locked.
        connection.execute(sa.update(SERVICES).where(sa.false()).values(document=""))
        return
    _TABLES.create_all(connection, checkfirst=False)
    connection.execute(sa.insert(_SCHEMA).values(version=SCHEMA_VERSION))


def error_message(error: Exception, url: sa.URL | None = None) -> str:
    """Return the first line of a database error, without the statement.

    A server may repeat the password of its `url`, and send control characters of a terminal.
    """
    text = str(getattr(error, "orig", None) or error).strip()
    text = (text.splitlines() or [type(error).__name__])[0]
    for secret in filter(None, (url.password, url.query.get("password")) if url else ()):
        text = text.replace(str(secret), "***")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
