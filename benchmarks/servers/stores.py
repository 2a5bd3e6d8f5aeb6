"""Stores with many services in them, and the databases for them."""

import contextlib
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from benchmarks.load.workloads import CREATE
from benchmarks.processes.server import BrokenError, folder
from mock_server.services.model import Service, Store

#: A database of PostgreSQL in which a schema may be made.
POSTGRES = os.environ.get("TEST_POSTGRES", "postgresql://127.0.0.1:5432/test")
KINDS = ("memory", "SQLite", "PostgreSQL")
_TEAM = "0192f0c0-1111-7aaa-8bbb-0123456789ab"


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
                step.add(_service(str(_FIRST + number)))
        return
    import sqlalchemy as sa

    from mock_server.services import database, sql

    row = sql._to_row(_service(_SLOT))  # noqa: SLF001  # as the store does, and many at once
    engine = database.open_engine(where)
    with engine.begin() as connection:
        connection.execute(sa.text(_FILL), {**row, "slot": _SLOT, "first": _FIRST, "count": count})
        connection.execute(sa.text("ANALYZE"))
    engine.dispose()


#: Twelve digits, in place of which each row has a number.
_SLOT, _FIRST = "000000000000", 100_000_000_000
_FILL = """
WITH RECURSIVE numbers(number) AS (
  SELECT CAST(:first AS BIGINT) UNION ALL SELECT number + 1 FROM numbers WHERE number + 1 < :first + :count
)
INSERT INTO mock_server_services (id, team, slug, claim, document)
SELECT replace(:id, :slot, CAST(number AS TEXT)), :team, replace(:slug, :slot, CAST(number AS TEXT)),
  replace(:claim, :slot, CAST(number AS TEXT)), replace(:document, :slot, CAST(number AS TEXT)) FROM numbers
"""


def _service(number: str) -> Service:
    now, slug = datetime.now(UTC), f"stored-{number}"
    values: dict[str, Any] = {**CREATE, "service_slug": slug}
    return Service(f"0192f0c1-9a8b-7c6d-9e5f-{number}", _TEAM, slug, "created", now, now, values)


def _query(statement: str) -> None:
    try:
        import psycopg

        with contextlib.closing(psycopg.connect(POSTGRES, connect_timeout=3, autocommit=True)) as connection:
            connection.execute(statement)
    except (ImportError, OSError, Exception) as error:
        raise BrokenError(f"no PostgreSQL at {POSTGRES}: {str(error).splitlines()[0]}") from error
