"""The SQL store, through SQLAlchemy Core; `database` has all that differs from one database to another.

A service is one row: a document and its index keys. The document is ASCII JSON: databases refuse some text.
"""

import hashlib
import json
import logging
import uuid
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from mock_server.services import database, lifecycle
from mock_server.services.database import SERVICES
from mock_server.services.model import (
    STATUSES,
    IdTakenError,
    Service,
    SlugTakenError,
    Transaction,
    UnreachableStoreError,
    UnreadableServiceError,
)
from mock_server.services.sqlite_file import SqliteFile

_COLUMNS = SERVICES.c
# Statements are built once: SQLAlchemy needs longer to build one than a database to run it.
_DOCUMENTS = sa.select(_COLUMNS.id, _COLUMNS.document)
_BY_ID = _DOCUMENTS.where(_COLUMNS.id == sa.bindparam("service_id_value")).with_for_update()
_BY_SLUG = (
    _DOCUMENTS.where(_COLUMNS.team == sa.bindparam("team_value"), _COLUMNS.slug == sa.bindparam("slug_value"))
    .order_by(_COLUMNS.position.desc())
    .limit(1)
)
_UPDATE = sa.update(SERVICES).where(_COLUMNS.id == sa.bindparam("service_id_value"))


def open_sql_store(address: str) -> "SqlStore":
    """Return the store at a database URL; raise UnusableStoreError if the database cannot be used."""
    return SqlStore(*database.open_engine(address))


class SqlStore:
    """A store that processes can share. Every acknowledged write survives a crash.

    A store that nothing refers to any more closes its connections, so that an app in a test leaves none open.
    """

    def __init__(self, engine: sa.Engine, file: SqliteFile | None) -> None:
        self._engine, self._file = engine, file
        # At exit a forked process must not close what it inherited: SQLite would delete the log of the others.
        weakref.finalize(self, engine.dispose).atexit = False

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Return a transaction; raise UnreachableStoreError if the database fails."""
        try:
            with self._file or nullcontext(), self._engine.connect() as connection:
                try:
                    with connection.begin():
                        yield _SqlTransaction(connection)
                finally:  # after the commit, and while the connection keeps the files of SQLite open
                    if self._file is not None:
                        self._file.check()
        except SQLAlchemyError as error:
            raise UnreachableStoreError(database.error_message(error, self._engine.url)) from error

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()


class _SqlTransaction:
    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def get(self, service_id: str) -> Service | None:
        return self._find_one(_BY_ID, service_id_value=_index_key(service_id))

    def by_slug(self, team: str, slug: str) -> Service | None:
        return self._find_one(_BY_SLUG, team_value=_index_key(team), slug_value=_index_key(slug))

    def all(self) -> list[Service]:
        return self._find_readable(_DOCUMENTS.order_by(_COLUMNS.position))

    def newest(self, limit: int, before: str | None = None) -> list[Service]:
        query = _DOCUMENTS.order_by(_COLUMNS.position.desc()).limit(limit)
        if before is not None:
            position = sa.select(_COLUMNS.position).where(_COLUMNS.id == _index_key(before)).scalar_subquery()
            query = query.where(_COLUMNS.position < position)
        return self._find_readable(query)

    def count(self) -> int:
        return self._connection.scalar(sa.select(sa.func.count()).select_from(SERVICES)) or 0

    def add(self, service: Service, *, unique: bool = True) -> None:
        row = _to_row(service)
        if self._insert(row):
            return
        if self._exists(_COLUMNS.id == row["id"]):
            raise IdTakenError(service.id)
        if unique:
            raise SlugTakenError(service.slug)
        self._insert({**row, "claim": _unique_placeholder()})

    def replace(self, service: Service) -> None:
        old = self.get(service.id)
        if old is None:
            raise KeyError(service.id)
        row, old_row = _to_row(service), _to_row(old)
        names = ("team", "slug")
        slug_changed = [row[name] for name in names] != [old_row[name] for name in names]
        values = {**row, "claim": _unique_placeholder()} if slug_changed else {"document": row["document"]}
        self._connection.execute(_UPDATE, {"service_id_value": row["id"], **values})
        for each in (old_row, row) if slug_changed else ():
            self._claim_slug(each["team"], each["slug"])

    def clear(self) -> None:
        self._connection.execute(sa.delete(SERVICES))

    def _insert(self, row: dict[str, Any]) -> bool:
        """Insert a row unless its id or claim is taken; return whether it was inserted."""
        insert = database.INSERT[self._connection.dialect.name]
        options = {"preserve_rowcount": True}  # otherwise the row count of an insert may be unknown
        return bool(self._connection.execute(insert, row, execution_options=options).rowcount == 1)

    def _exists(self, *conditions: sa.ColumnElement[bool]) -> bool:
        return self._connection.scalar(sa.select(_COLUMNS.position).where(*conditions).limit(1)) is not None

    def _claim_slug(self, team: str, slug: str | None) -> None:
        """Give an unclaimed slug to its newest service, if it has one."""
        if slug is None or self._exists(_COLUMNS.team == team, _COLUMNS.claim == slug):
            return
        newest = sa.select(sa.func.max(_COLUMNS.position)).where(_COLUMNS.team == team, _COLUMNS.slug == slug)
        position = self._connection.scalar(newest)
        self._connection.execute(sa.update(SERVICES).where(_COLUMNS.position == position).values(claim=slug))

    def _find_one(self, query: sa.Select[Any], **parameters: str) -> Service | None:
        row = self._connection.execute(query, parameters).first()
        return None if row is None else _read_service(row)

    def _find_readable(self, query: sa.Select[Any]) -> list[Service]:
        services = []
        for row in self._connection.execute(query):
            try:
                services.append(_read_service(row))
            except UnreadableServiceError as error:
                logging.getLogger(__name__).error("left out of the list: %s", error)  # noqa: TRY400 - one line
        return services


def _to_row(service: Service) -> dict[str, Any]:
    slug = _index_key(service.slug) if isinstance(service.slug, str) else None
    properties = {name: getattr(service, name) for name in Service.__slots__}
    return {
        "id": _index_key(service.id),
        "team": _index_key(service.team),
        "slug": slug,
        "claim": slug or _unique_placeholder(),
        "document": json.dumps(properties | {"values": dict(service.values)}, default=datetime.isoformat),
    }


def _read_service(row: sa.Row[Any]) -> Service:
    try:
        return _service_from_json(row.document)
    except (KeyError, RecursionError, TypeError, ValueError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise UnreadableServiceError(f"the row of the service {row.id!r} cannot be read: {reason}") from error


def _service_from_json(text: str) -> Service:
    """Return the service of a document; raise KeyError, RecursionError, TypeError or ValueError if it is none."""
    if not text.isascii():
        raise ValueError("got another document, expected ASCII JSON")
    loaded = json.loads(text)
    moments = {name: datetime.fromisoformat(loaded[name]) for name in ("created_at", "updated_at")}
    service = Service(**{**loaded, **moments})
    if service.status not in STATUSES:
        raise ValueError(f"status: got {service.status!r}, expected one of {', '.join(STATUSES)}")
    if not all(isinstance(text, str) for text in (service.id, service.team)):
        raise TypeError("id and team: expected texts")
    if not isinstance(service.values, dict):
        raise TypeError("values: expected an object")
    lifecycle.pending_transition(service)
    return service


def _index_key(text: str) -> str:
    """Return the text, or its digest if some database cannot index the text."""
    if text and len(text) <= 200 and text.isascii() and text.isprintable() and ":" not in text:
        return text
    return f"sha256:{hashlib.sha256(json.dumps(text).encode()).hexdigest()}"


def _unique_placeholder() -> str:
    """Return a claim that is no slug."""
    return f"free:{uuid.uuid4()}"
