"""Services in a database, SQLite or PostgreSQL: one implementation over SQLAlchemy Core.

A service is one row: a document (JSON in ASCII, so that any text is fit for any database) and the keys to find it.
"""

import hashlib
import json
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from mock_server.services import database
from mock_server.services.database import SERVICES
from mock_server.services.model import (
    IdTakenError,
    Service,
    SlugTakenError,
    Transaction,
    UnreachableStoreError,
)

_COLUMNS = SERVICES.c
# Statements are made once: a database takes less time for one than SQLAlchemy takes to make it.
_DOCUMENTS = sa.select(_COLUMNS.document)
_BY_ID = _DOCUMENTS.where(_COLUMNS.id == sa.bindparam("sent_id")).with_for_update()
_BY_SLUG = (
    _DOCUMENTS.where(_COLUMNS.team == sa.bindparam("sent_team"), _COLUMNS.slug == sa.bindparam("sent_slug"))
    .order_by(_COLUMNS.position.desc())
    .limit(1)
)
_UPDATE = sa.update(SERVICES).where(_COLUMNS.id == sa.bindparam("sent_id"))
_INSERT: dict[str, Any] = {
    name: insert(SERVICES).inline().on_conflict_do_nothing()
    for name, insert in (("sqlite", sqlite.insert), ("postgresql", postgresql.insert))
}


def open_sql_store(address: str) -> "SqlStore":
    """The store of a URL, its tables made or found in the form that is known; else UnusableStoreError."""
    return SqlStore(database.open_engine(address))


class SqlStore:
    """A store that other workers, and other processes, share; what is acknowledged is on the disk."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        # SQLite lets one write at a time and the others poll: threads wait in line instead.
        self._turn = threading.Lock() if engine.dialect.name == "sqlite" else nullcontext()

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """A step that is committed as a whole or not at all; UnreachableStoreError if the database fails."""
        try:
            with self._turn, self._engine.begin() as connection:
                yield _SqlTransaction(connection)
        except SQLAlchemyError as error:
            raise UnreachableStoreError(database.error_message(error)) from error

    def close(self) -> None:
        """Ends the connections that are open."""
        self._engine.dispose()


class _SqlTransaction:
    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def get(self, service_id: str) -> Service | None:
        return self._one(_BY_ID, sent_id=_index_key(service_id))

    def by_slug(self, team: str, slug: str) -> Service | None:
        return self._one(_BY_SLUG, sent_team=_index_key(team), sent_slug=_index_key(slug))

    def all(self) -> list[Service]:
        return [_from_row(text) for text in self._connection.scalars(_DOCUMENTS.order_by(_COLUMNS.position))]

    def newest(self, limit: int) -> list[Service]:
        newest_first = _DOCUMENTS.order_by(_COLUMNS.position.desc()).limit(limit)
        return [_from_row(text) for text in self._connection.scalars(newest_first)]

    def count(self) -> int:
        return self._connection.scalar(sa.select(sa.func.count()).select_from(SERVICES)) or 0

    def add(self, service: Service, *, unique: bool = True) -> None:
        row = _to_row(service)
        if self._inserted(row):
            return
        if self._there(_COLUMNS.id == row["id"]):
            raise IdTakenError(service.id)
        if unique:
            raise SlugTakenError(service.slug)
        self._inserted({**row, "claim": _unique_placeholder()})

    def replace(self, service: Service) -> None:
        old = self.get(service.id)
        if old is None:
            raise KeyError(service.id)
        row, before = _to_row(service), _to_row(old)
        names = ("team", "slug")
        moved = [row[name] for name in names] != [before[name] for name in names]
        changed = {**row, "claim": _unique_placeholder()} if moved else {"document": row["document"]}
        self._connection.execute(_UPDATE, {"sent_id": row["id"], **changed})
        for each in (before, row) if moved else ():
            self._claim(each["team"], each["slug"])

    def clear(self) -> None:
        self._connection.execute(sa.delete(SERVICES))

    def _inserted(self, row: dict[str, Any]) -> bool:
        insert = _INSERT[self._connection.dialect.name]
        kept = {"preserve_rowcount": True}  # without it the driver's count of an insert may be lost
        return bool(self._connection.execute(insert, row, execution_options=kept).rowcount == 1)

    def _there(self, *which: sa.ColumnElement[bool]) -> bool:
        return self._connection.scalar(sa.select(_COLUMNS.position).where(*which).limit(1)) is not None

    def _claim(self, team: str, slug: str | None) -> None:
        """Lets the newest service of a slug claim it, where there is one and none does."""
        if slug is None or self._there(_COLUMNS.team == team, _COLUMNS.claim == slug):
            return
        named = sa.select(sa.func.max(_COLUMNS.position)).where(_COLUMNS.team == team, _COLUMNS.slug == slug)
        position = self._connection.scalar(named)
        self._connection.execute(sa.update(SERVICES).where(_COLUMNS.position == position).values(claim=slug))

    def _one(self, query: sa.Select[Any], **sent: str) -> Service | None:
        text = self._connection.scalar(query, sent)
        return None if text is None else _from_row(text)


def _to_row(service: Service) -> dict[str, Any]:
    slug = _index_key(service.slug) if isinstance(service.slug, str) else None
    told = {name: getattr(service, name) for name in Service.__slots__}
    return {
        "id": _index_key(service.id),
        "team": _index_key(service.team),
        "slug": slug,
        "claim": slug or _unique_placeholder(),
        "document": json.dumps(told | {"values": dict(service.values)}, default=datetime.isoformat),
    }


def _from_row(text: str) -> Service:
    loaded = json.loads(text)
    moments = {name: datetime.fromisoformat(loaded[name]) for name in ("created_at", "updated_at")}
    return Service(**{**loaded, **moments})


def _index_key(text: str) -> str:
    """The text, or a digest of it where it is long, or not fit for an index of every database."""
    if text and len(text) <= 200 and text.isascii() and text.isprintable() and ":" not in text:
        return text
    return f"sha256:{hashlib.sha256(json.dumps(text).encode()).hexdigest()}"


def _unique_placeholder() -> str:
    """A claim that is no slug."""
    return f"free:{uuid.uuid4()}"
