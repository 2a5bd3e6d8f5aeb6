"""Stores for tests: each is new, and is removed afterwards."""

import contextlib
import os
import re
import signal
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from mock_server.services.addresses import open_store
from mock_server.services.model import Store
from tests.support.fixture_player import ROOT
from tests.support.processes import MOCK

#: A database in which the tests may create schemas.
POSTGRES = os.environ.get("TEST_POSTGRES", "postgresql://127.0.0.1:5432/test")
STORES = ("memory", "sqlite", "postgresql")
SHARED = ("sqlite", "postgresql")
each_store = pytest.mark.parametrize("store_url", STORES, indirect=True)
each_shared_store = pytest.mark.parametrize("store_url", SHARED, indirect=True)
StoreOpener = Callable[[str], Store]


@contextmanager
def store_address(kind: str, folder: Path) -> Iterator[str]:
    """Yield the address of an empty store; skip the test if there is no server for it."""
    if kind == "memory":
        yield "memory"
    elif kind == "sqlite":
        yield f"sqlite:///{folder / f'{uuid.uuid4().hex}.db'}"
    else:
        schema = f"kit_{uuid.uuid4().hex}"
        run_query(f"CREATE SCHEMA {schema}")
        try:
            yield f"{POSTGRES}?options=-csearch_path%3D{schema}"
        finally:
            run_query(f"DROP SCHEMA {schema} CASCADE")


def run_query(statement: str) -> list[Any]:
    """Return the rows of a PostgreSQL query; skip the test if there is no server."""
    try:
        connection = psycopg.connect(POSTGRES, connect_timeout=3, autocommit=True)
    except psycopg.OperationalError as error:
        pytest.skip(f"no PostgreSQL at {POSTGRES}: {str(error).splitlines()[0]}")
    with connection:
        result = connection.execute(statement)
        return result.fetchall() if result.description else []


def lock_services(transaction: Any) -> None:
    """Lock all services until the transaction ends; one of SQLite locks its whole file anyway."""
    if transaction._connection.dialect.name == "postgresql":
        transaction._connection.exec_driver_sql("LOCK TABLE mock_server_services")


@contextmanager
def run_mock(store: str, log: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Run a mock on a store in a process group; yield the process and the URL."""
    command = [*MOCK, "--port", "0", "--store", store, *arguments]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, cwd=ROOT, start_new_session=True
        )
    try:
        yield process, _wait_for_url(process, log)
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=10)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _wait_for_url(process: subprocess.Popen[bytes], log: Path) -> str:
    for _ in range(600):
        match = re.search(r"http://\S+/api/v1", log.read_text(encoding="utf-8"))
        if match:
            return match[0]
        assert process.poll() is None, log.read_text(encoding="utf-8")
        time.sleep(0.05)
    raise AssertionError(log.read_text(encoding="utf-8"))


@pytest.fixture
def store_opener() -> Iterator[StoreOpener]:
    """Return a function that opens stores, which are closed after the test."""
    with ExitStack() as stack:

        def open_address(url: str) -> Store:
            store = open_store(url)
            stack.callback(getattr(store, "close", lambda: None))
            return store

        yield open_address


@pytest.fixture
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Return the address of a new store of the kind that the test names."""
    with store_address(request.param, tmp_path) as url:
        yield url
