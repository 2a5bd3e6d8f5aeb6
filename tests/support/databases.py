"""Stores to test on: each new, and gone afterwards."""

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

from mock_server.services import open_store
from mock_server.services.model import Store
from tests.support.fixture_player import ROOT
from tests.support.processes import MOCK

#: A database in which a schema may be made.
POSTGRES = os.environ.get("TEST_POSTGRES", "postgresql://127.0.0.1:5432/test")
STORES = ("memory", "sqlite", "postgresql")
SHARED = ("sqlite", "postgresql")
each = pytest.mark.parametrize("where", STORES, indirect=True)
shared = pytest.mark.parametrize("where", SHARED, indirect=True)
Opening = Callable[[str], Store]


@contextmanager
def address(kind: str, folder: Path) -> Iterator[str]:
    """The address of a store of that kind in which nothing is; skips where there is no such server."""
    if kind == "memory":
        yield "memory"
    elif kind == "sqlite":
        yield f"sqlite:///{folder / f'{uuid.uuid4().hex}.db'}"
    else:
        schema = f"kit_{uuid.uuid4().hex}"
        query(f"CREATE SCHEMA {schema}")
        try:
            yield f"{POSTGRES}?options=-csearch_path%3D{schema}"
        finally:
            query(f"DROP SCHEMA {schema} CASCADE")


def query(statement: str) -> list[Any]:
    """What PostgreSQL answers, if it can be reached."""
    try:
        connection = psycopg.connect(POSTGRES, connect_timeout=3, autocommit=True)
    except psycopg.OperationalError as error:
        pytest.skip(f"no PostgreSQL at {POSTGRES}: {str(error).splitlines()[0]}")
    with connection:
        done = connection.execute(statement)
        return done.fetchall() if done.description else []


@contextmanager
def process(store: str, log: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A mock on a store, with its workers in a process group of its own, and its URL."""
    command = [*MOCK, "--port", "0", "--store", store, *arguments]
    with log.open("wb") as said:
        started = subprocess.Popen(
            command, stdout=said, stderr=subprocess.STDOUT, cwd=ROOT, start_new_session=True
        )
    try:
        yield started, _url(started, log)
    finally:
        started.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            started.wait(timeout=10)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(started.pid, signal.SIGKILL)


def _url(started: subprocess.Popen[bytes], log: Path) -> str:
    for _ in range(600):
        found = re.search(r"http://\S+/api/v1", log.read_text(encoding="utf-8"))
        if found:
            return found[0]
        assert started.poll() is None, log.read_text(encoding="utf-8")
        time.sleep(0.05)
    raise AssertionError(log.read_text(encoding="utf-8"))


@pytest.fixture
def opening() -> Iterator[Opening]:
    """Opens stores that are closed afterwards."""
    with ExitStack() as stack:

        def open_one(where: str) -> Store:
            store = open_store(where)
            stack.callback(getattr(store, "close", lambda: None))
            return store

        yield open_one


@pytest.fixture
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a new store of the kind that the test names."""
    with address(request.param, tmp_path) as made:
        yield made
