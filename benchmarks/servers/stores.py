"""Empty stores for one run, and the many services that fill a store."""

import contextlib
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from benchmarks.load.workloads import CREATE
from benchmarks.processes.errors import BenchmarkError
from benchmarks.processes.folders import temporary_folder
from mock_server.services.model import Service, Store

#: A PostgreSQL database whose user may create schemas.
POSTGRES = os.environ.get("TEST_POSTGRES", "postgresql://127.0.0.1:5432/test")
STORE_KINDS = ("memory", "SQLite", "PostgreSQL")
_TEAM = "0192f0c0-1111-7aaa-8bbb-0123456789ab"
#: Twelve digits that each row replaces with its number, and the first of these numbers.
_NUMBER_SLOT, _FIRST_NUMBER = "000000000000", 100_000_000_000
_FILL_QUERY = """
WITH RECURSIVE numbers(number) AS (
  SELECT CAST(:first AS BIGINT) UNION ALL SELECT number + 1 FROM numbers WHERE number + 1 < :first + :count
)
INSERT INTO mock_server_services (id, team, slug, claim, document)
SELECT replace(:id, :slot, CAST(number AS TEXT)), :team, replace(:slug, :slot, CAST(number AS TEXT)),
  replace(:claim, :slot, CAST(number AS TEXT)), replace(:document, :slot, CAST(number AS TEXT)) FROM numbers
"""


@contextmanager
def open_empty_store(kind: str) -> Iterator[str]:
    """Yield the address of an empty store, and delete it afterwards; raise BenchmarkError without PostgreSQL."""
    if kind == "memory":
        yield "memory"
    elif kind == "SQLite":
        with temporary_folder() as folder:
            yield f"sqlite:///{folder / 'services.db'}"
    else:
        schema = f"bench_{uuid.uuid4().hex}"
        _execute_statement(f"CREATE SCHEMA {schema}")
        try:
            yield f"{POSTGRES}?options=-csearch_path%3D{schema}"
        finally:
            _execute_statement(f"DROP SCHEMA {schema} CASCADE")


def fill_store(store: Store, address: str, count: int) -> None:
    """Add `count` services of one team to a store."""
    if address == "memory":
        with store.transaction() as transaction:
            for number in range(count):
                transaction.add(_build_service(str(_FIRST_NUMBER + number)))
    else:
        _fill_database(address, count)


def _fill_database(address: str, count: int) -> None:
    import sqlalchemy as sa

    from mock_server.services import database, sql

    row = sql._to_row(_build_service(_NUMBER_SLOT))  # noqa: SLF001  # one statement inserts many such rows
    engine, _ = database.open_engine(address)
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(sa.text("SET LOCAL statement_timeout = 0"))
        parameters = {**row, "slot": _NUMBER_SLOT, "first": _FIRST_NUMBER, "count": count}
        connection.execute(sa.text(_FILL_QUERY), parameters)
        connection.execute(sa.text("ANALYZE"))
    engine.dispose()


def _build_service(number: str) -> Service:
    now, slug = datetime.now(UTC), f"stored-{number}"
    values: dict[str, Any] = {**CREATE, "service_slug": slug}
    return Service(f"0192f0c1-9a8b-7c6d-9e5f-{number}", _TEAM, slug, "created", now, now, values)


def _execute_statement(statement: str) -> None:
    try:
        import psycopg

        with contextlib.closing(psycopg.connect(POSTGRES, connect_timeout=3, autocommit=True)) as connection:
            connection.execute(statement)
    except (ImportError, OSError, Exception) as error:
        raise BenchmarkError(f"no PostgreSQL at {POSTGRES}: {str(error).splitlines()[0]}") from error
