"""Stores at the start: the tables are made once, and what cannot be used is told in one line."""

import os
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mock_server.services.model import IdTakenError, Service, SlugTakenError, Store
from tests.support import databases
from tests.support.databases import Opening, shared
from tests.support.fixture_player import ROOT
from tests.support.processes import MOCK, run

opening, where = databases.opening, databases.where
NOW = datetime(2026, 1, 2, tzinfo=UTC)


def service(service_id: str, slug: object = "abc", team: str = "red") -> Service:
    """A service with hardly anything in it."""
    return Service(service_id, team, slug, "created", NOW, NOW, {"service_slug": slug})


@shared
def test_a_store_is_made_once_by_whoever_comes_first(where: str, opening: Opening) -> None:
    """Eight that open it at once find the same tables."""
    barrier = threading.Barrier(8)

    def one(_: int) -> Store:
        barrier.wait()
        return opening(where)

    with ThreadPoolExecutor(8) as pool:
        stores = list(pool.map(one, range(8)))
    with stores[0].transaction() as step:
        step.add(service("one"))
    with stores[7].transaction() as step, pytest.raises(SlugTakenError):
        step.add(service("two"))
    with stores[3].transaction() as step, pytest.raises(IdTakenError):
        step.add(service("one", "other"))


@shared
@pytest.mark.parametrize("version", ["0", "2"])
def test_tables_of_another_version_are_left_alone(where: str, version: str, opening: Opening) -> None:
    """One line names both versions; exit code 2."""
    with opening(where).transaction() as step:
        step._connection.exec_driver_sql(f"UPDATE mock_server_schema SET version = {version}")
    done = run("--port", "0", "--store", where)
    said = f"got tables of version {version}, expected version 1; name another database\n"
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.endswith(said)


UNUSABLE = {
    "another-kind": (
        "mysql://u:secret@host/d",
        "--store mysql: unknown store; expected memory, sqlite:///file.db",
    ),
    "a-path": ("file.db", "unknown store; expected memory"),
    "no-file": ("sqlite://", "got no file name, expected sqlite:///file.db"),
    "two-slashes": ("sqlite://file.db", "expected sqlite:///file.db"),
    "in-memory": ("sqlite:///:memory:", "got no file name"),
    "no-folder": ("sqlite:///nowhere/file.db", "unable to open database file; name a usable database"),
    "no-database": ("sqlite:///text.db", "file is not a database; name a usable database"),
    "no-server": ("postgresql://u:secret@127.0.0.1:9/d", "name a usable database"),
}


@pytest.mark.parametrize(("where", "said"), UNUSABLE.values(), ids=UNUSABLE)
def test_what_is_no_store_is_told_in_one_line(where: str, said: str, tmp_path: Path) -> None:
    """The line says what to name, and no password; exit code 2."""
    (tmp_path / "text.db").write_text("no database " * 100, encoding="utf-8")
    done = subprocess.run(
        [*MOCK, "--port", "0", "--store", where],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
        timeout=30,
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert said in done.stderr
    assert "secret" not in done.stderr


@pytest.mark.parametrize(
    ("missing", "where"), [("sqlalchemy", "sqlite:///file.db"), ("psycopg", "postgresql://u:secret@host/d")]
)
def test_what_is_not_installed_is_named(missing: str, where: str) -> None:
    """One line with the command that installs it; exit code 2."""
    program = f"import sys; sys.modules[{missing!r}] = None; from mock_server.cli.main import main; main()"
    command = [sys.executable, "-c", program, "--port", "0", "--store", where]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False, timeout=30)
    how = "pip install 'cyberun-contract-kit[sql]' (from a checkout: -e '.[sql]')"
    wanted = f"{missing} is not installed; {how}\n"
    said = f"mock-server: --store {where.partition(':')[0]}: {wanted}"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", said)


def test_a_file_is_written_through(tmp_path: Path, opening: Opening) -> None:
    """SQLite keeps a write-ahead log and waits for the disk at every commit."""
    store = opening(f"sqlite:///{tmp_path / 'file.db'}")
    with store.transaction() as step:
        modes = [
            step._connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous")
        ]
    assert modes == ["wal", 2]
    with sqlite3.connect(tmp_path / "file.db") as raw:
        assert raw.execute("SELECT version FROM mock_server_schema").fetchall() == [(1,)]
    raw.close()


def test_memory_loads_no_database() -> None:
    """Making the app without naming a store loads neither SQLAlchemy nor SQLite."""
    program = (
        "import sys; from mock_server import create_app; create_app();"
        "sys.exit(bool({'sqlalchemy', 'psycopg', 'sqlite3'} & {*sys.modules}))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False, cwd=ROOT).returncode == 0
