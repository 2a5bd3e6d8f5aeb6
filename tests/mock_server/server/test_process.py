"""Several processes on one store behave like one service, and a crash loses no acknowledged write."""

import collections
import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from mock_server.app.options import MockOptions
from mock_server.server import process
from mock_server.server.process import ServerOptions
from tests.support.databases import SHARED, run_mock, store_address
from tests.support.fixture_player import PREFIX, ROOT, RULES
from tests.support.processes import run
from tests.support.sampling import keep_first

pytestmark = pytest.mark.slow

HEADERS = {"Authorization": "Bearer sk-red-5f0c7c1e9a", "Content-Type": "application/json"}
#: A slug, and the status and id of its create.
CreateResult = tuple[str, int, str]


def send_request(url: str, method: str, path: str, body: object = None) -> tuple[int, dict[str, object]]:
    """Send a request over a new connection, and return its status and content."""
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 0, timeout=30)
    try:
        connection.request(method, path, json.dumps(body) if body is not None else None, HEADERS)
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


def create(url: str, slug: str) -> CreateResult:
    """Send a create, and return its slug, status and id."""
    body = {"service_slug": slug, "display_name": slug, "docker_image": "nginx"}
    status, content = send_request(url, "POST", f"{PREFIX}/containers", body)
    return slug, status, str(content.get("id", ""))


def create_concurrently(urls: list[str], slugs: Iterable[str], threads: int = 8) -> list[CreateResult]:
    """Send each slug to every URL from many threads."""
    with ThreadPoolExecutor(threads) as pool:
        futures = [pool.submit(create, url, slug) for slug in slugs for url in urls]
        return [future.result() for future in futures]


@pytest.mark.parametrize("workers", keep_first(1, ["4", "1"]))
@pytest.mark.parametrize("kind", SHARED)
def test_the_gate_passes(kind: str, workers: str, tmp_path: Path) -> None:
    """Every rule conforms on a shared store, with one worker and with four."""
    with (
        store_address(kind, tmp_path) as store,
        run_mock(store, tmp_path / "log", "--workers", workers) as (_, url),
    ):
        hook = ("--control-hook", "/_mock/services/{id}/status/{status}")
        command = [sys.executable, "-m", "contract_tests", "run", "--target", url, *hook]
        result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False, timeout=120)
    assert (result.returncode, f"{len(RULES)} conforms" in result.stdout) == (0, True), result.stdout


def test_four_processes_on_one_database_are_one_service(tmp_path: Path) -> None:
    """Of four creates of a slug at four processes, one responds with 201 and the others with 409."""
    with store_address("postgresql", tmp_path) as store, ExitStack() as stack:
        logs = [tmp_path / f"log-{number}" for number in range(4)]
        urls = [stack.enter_context(run_mock(store, log))[1] for log in logs]
        results = create_concurrently(urls, [f"slug-{number}" for number in range(40)])
        counts = [send_request(url, "GET", "/_mock/services")[1]["count"] for url in urls]
    assert group_statuses(results) == {f"slug-{number}": [201, 409, 409, 409] for number in range(40)}
    assert counts == [40] * 4


@pytest.mark.parametrize("kind", SHARED)
def test_four_workers_are_one_service(kind: str, tmp_path: Path) -> None:
    """Of four creates of a slug, one responds with 201; every worker sees a status set at one of them."""
    with (
        store_address(kind, tmp_path) as store,
        run_mock(store, tmp_path / "log", "--workers", "4") as (_, url),
    ):
        results = create_concurrently([url] * 4, [f"slug-{number}" for number in range(40)])
        service = next(service_id for _, status, service_id in results if status == 201)
        send_request(url, "PUT", f"/_mock/services/{service}/status/deploying")
        body = {"display_name": "b"}
        updates = {send_request(url, "PUT", f"{PREFIX}/containers/{service}", body)[0] for _ in range(40)}
        journals = {send_request(url, "GET", "/_mock/journal")[1]["count"] for _ in range(40)}
    assert len(journals) > 1, "one worker results everything"
    assert group_statuses(results) == {f"slug-{number}": [201, 409, 409, 409] for number in range(40)}
    assert updates == {RULES["not-while-busy"]["status"][0]}


@pytest.mark.parametrize("kind", SHARED)
def test_updates_at_many_workers_are_all_stored(kind: str, tmp_path: Path) -> None:
    """Concurrent updates of one service all succeed, and their changes are stored."""
    names = ("service_desc", "health_path", "usage_prompt", "openapi_url")
    with (
        store_address(kind, tmp_path) as store,
        run_mock(store, tmp_path / "log", "--workers", "4") as (_, url),
    ):
        path = f"{PREFIX}/containers/{create(url, 'abc')[2]}"
        expected, actual = [], []
        with ThreadPoolExecutor(8) as pool:
            for number in range(25):
                bodies = [{name: f"/{number}"} for name in names]
                statuses = [*pool.map(lambda body: send_request(url, "PUT", path, body)[0], bodies)]
                read_back = send_request(url, "GET", f"{PREFIX}/r/containers/abc")[1]
                actual.append((statuses, [read_back[name] for name in names]))
                expected.append(([200] * len(names), [f"/{number}"] * len(names)))
    assert actual == expected


def group_statuses(results: list[CreateResult]) -> dict[str, list[int]]:
    """Return the sorted statuses by slug."""
    statuses = collections.defaultdict(list)
    for slug, status, _ in sorted(results):
        statuses[slug].append(status)
    return statuses


@pytest.mark.parametrize("workers", ["1", "4"])
@pytest.mark.parametrize("kind", SHARED)
def test_a_kill_loses_no_acknowledged_service(kind: str, workers: str, tmp_path: Path) -> None:
    """After a kill amid many creates, every acknowledged service is stored and no slug repeats."""
    acknowledged: list[CreateResult] = []
    with store_address(kind, tmp_path) as store:
        with run_mock(store, tmp_path / "log", "--workers", workers) as (mock, url):
            kill = threading.Thread(target=kill_after, args=(mock, lambda: len(acknowledged) >= 150))
            kill.start()
            with ThreadPoolExecutor(16) as pool:
                for number in range(1000):
                    pool.submit(record_create, url, f"slug-{number // 2}", acknowledged)
            kill.join()
        with run_mock(store, tmp_path / "log", "--workers", workers) as (_, url):
            stored = send_request(url, "GET", "/_mock/services")[1]["services"]
    assert isinstance(stored, list)
    slugs = [service["service_slug"] for service in stored]
    there = {(service["service_slug"], 201, service["id"]) for service in stored}
    assert 150 <= len(acknowledged) < 500
    assert set(acknowledged) - there == set()
    assert len(slugs) == len(set(slugs))


def record_create(url: str, slug: str, acknowledged: list[CreateResult]) -> None:
    """Send a create, and record it if it is acknowledged."""
    try:
        result = create(url, slug)
    except (OSError, http.client.HTTPException):
        return
    if result[1] == 201:
        acknowledged.append(result)


def kill_after(mock: subprocess.Popen[bytes], enough: Callable[[], bool]) -> None:
    """Kill the process group once a condition holds."""
    deadline = time.monotonic() + 60
    while not enough() and time.monotonic() < deadline:
        time.sleep(0.002)
    os.killpg(mock.pid, signal.SIGKILL)


def test_several_workers_need_a_shared_store() -> None:
    """One line says which store to use, and the exit code is 2."""
    result = run("--port", "0", "--workers", "2")
    hint = "share a store with --store sqlite:///file.db or postgresql://…"
    message = f"mock-server: --workers 2: each worker has its own memory; {hint}\n"
    assert (result.returncode, result.stdout, result.stderr) == (2, "", message)


def test_several_workers_greet_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only one of four workers prints the callers and the example request."""
    greetings: list[str] = []
    monkeypatch.setattr(process, "print_when_ready", lambda *arguments: greetings.append(arguments[-1]))
    monkeypatch.setattr(process, "run_server", lambda _server, load_worker: [load_worker() for _ in range(4)])
    store = f"sqlite:///{tmp_path / 'services.db'}"
    process.serve_mock(ServerOptions(workers=4), MockOptions(store=store, workers=4))
    assert [greeting.count("sk-red-5f0c7c1e9a") > 0 for greeting in greetings] == [True]


def test_a_killed_worker_is_replaced(tmp_path: Path) -> None:
    """The other workers continue, and soon there are as many as before."""
    store, log = f"sqlite:///{tmp_path / 'services.db'}", tmp_path / "log"
    with run_mock(store, log, "--workers", "2") as (parent, url):
        before = find_workers(parent.pid)
        os.kill(min(before), signal.SIGKILL)
        wait_until(lambda: len(find_workers(parent.pid) - {min(before)}) == 2)
        assert {status for _, status, _ in create_concurrently([url], [f"after-{n}" for n in range(20)])} == {
            201
        }


@pytest.mark.parametrize(("workers", "reason"), [(1, "failed"), (2, "failed again within seconds")])
def test_a_mock_whose_workers_are_killed_again_and_again_ends(
    tmp_path: Path, workers: int, reason: str
) -> None:
    """The last line says why, and the exit code is 1."""
    store, log = f"sqlite:///{tmp_path / 'services.db'}", tmp_path / "log"
    with run_mock(store, log, "--workers", str(workers)) as (parent, _):
        for _ in range(workers):
            kill_newest_worker(parent)
        assert parent.wait(timeout=10) == 1
    last_line = log.read_text(encoding="utf-8").splitlines()[-1]
    assert last_line == f"mock-server: a worker process was killed or {reason}, so the server ends"


def kill_newest_worker(parent: subprocess.Popen[bytes]) -> None:
    """Kill the newest worker, and wait until it is replaced or the parent ends."""
    before = find_workers(parent.pid)
    os.kill(max(before), signal.SIGKILL)
    wait_until(lambda: parent.poll() is not None or bool(find_workers(parent.pid) - before))


def test_a_worker_whose_store_is_lost_says_so(tmp_path: Path) -> None:
    """The replacement of a killed worker reports the store on one line, without a traceback."""
    path, log = tmp_path / "services.db", tmp_path / "log"
    with run_mock(f"sqlite:///{path}", log, "--workers", "2") as (parent, _):
        path.unlink()
        path.mkdir()
        os.kill(min(find_workers(parent.pid)), signal.SIGKILL)
        assert parent.wait(timeout=10) == 1
    *_, reason, last_line = log.read_text(encoding="utf-8").splitlines()
    assert (
        reason
        == f"mock-server: --store sqlite:///{path}: unable to open database file; name a usable database"
    )
    assert last_line.startswith("mock-server: a worker process was killed or failed again")
    assert "Traceback" not in log.read_text(encoding="utf-8")


@pytest.mark.parametrize("arguments", [("--workers", "2"), ()], ids=["two", "one"])
def test_workers_end_with_their_parent(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """After a kill -9 of the parent no worker holds the port."""
    store, log = f"sqlite:///{tmp_path / 'services.db'}", tmp_path / "log"
    with run_mock(store, log, *arguments) as (parent, _):
        orphans = find_workers(parent.pid)
        parent.kill()
        parent.wait()
        wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in orphans))
    assert orphans


def find_workers(parent: int) -> set[int]:
    """Return the worker processes of a parent."""
    result = subprocess.run(["pgrep", "-P", str(parent)], capture_output=True, text=True, check=False)
    return {int(pid) for pid in result.stdout.split()}


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds, for ten seconds at most."""
    for _ in range(200):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("it never was so")
