"""Stores with many services in them, and the databases for them."""

import contextlib
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from benchmarks.processes import BrokenError, folder
from benchmarks.requests import CREATE
from mock_server.store import Service, Store

#: A database of PostgreSQL in which a schema may be made.
POSTGRES = os.environ.get("TEST_POSTGRES", "postgresql://127.0.0.1:5432/test")
KINDS = ("memory", "SQLite", "PostgreSQL")
_TEAM = "0192f0c0-1111-7aaa-8bbb-0123456789ab"
_CHUNK = 10_000


@contextmanager
def address(kind: str) -> Iterator[str]:
    """The address of a new and empty store of that kind, gone afterwards; BrokenError where there is none."""
    if kind == "memory":
        yield "memory"
    elif kind == "SQLite":
        with folder() as made:
            yield f"sqlite:///{made / 'services.db'}"
    else:
        schema = f"bench_{uuid.uuid4().hex}"
        _query(f"CREATE SCHEMA {schema}")
        try:
            yield f"{POSTGRES}?options=-csearch_path%3D{schema}"
        finally:
            _query(f"DROP SCHEMA {schema} CASCADE")


def fill(store: Store, where: str, count: int) -> None:
    """Stores so many services of a team."""
    if where == "memory":
        with store.transaction() as step:
            for number in range(count):
                step.add(_service(number))
        return
    from mock_server import database, sql_store

    engine = database.opened(where)
    for first in range(0, count, _CHUNK):
        rows = [
            sql_store._row(_service(number))  # noqa: SLF001  # as the store does, and many at once
            for number in range(first, min(first + _CHUNK, count))
        ]
        with engine.begin() as connection:
            connection.execute(database.SERVICES.insert(), rows)
    engine.dispose()


def _service(number: int) -> Service:
    now, slug = datetime.now(UTC), f"stored-{number}"
    values: dict[str, Any] = {**CREATE, "service_slug": slug}
    return Service(str(uuid.uuid4()), _TEAM, slug, "created", now, now, values)


def _query(statement: str) -> None:
    try:
        import psycopg

        with contextlib.closing(psycopg.connect(POSTGRES, connect_timeout=3, autocommit=True)) as connection:
            connection.execute(statement)
    except (ImportError, OSError, Exception) as error:
        raise BrokenError(f"no PostgreSQL at {POSTGRES}: {str(error).splitlines()[0]}") from error
