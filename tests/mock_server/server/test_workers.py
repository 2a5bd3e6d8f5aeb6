"""One service of many processes: whoever answers, and whoever is killed, nothing is lost and no slug is twice."""

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

from tests.support.databases import SHARED, address, process
from tests.support.fixture_player import PREFIX, ROOT, RULES
from tests.support.processes import run

HEADERS = {"Authorization": "Bearer sk-red-5f0c7c1e9a", "Content-Type": "application/json"}
#: A slug, and how its create was answered.
Answered = tuple[str, int, str]


def request(url: str, method: str, path: str, body: object = None) -> tuple[int, dict[str, object]]:
    """Status and content of one request, over a connection of its own."""
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 0, timeout=30)
    try:
        connection.request(method, path, json.dumps(body) if body is not None else None, HEADERS)
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


def create(url: str, slug: str) -> Answered:
    """Slug, status and id."""
    body = {"service_slug": slug, "display_name": slug, "docker_image": "nginx"}
    status, content = request(url, "POST", f"{PREFIX}/containers", body)
    return slug, status, str(content.get("id", ""))


def at_once(urls: list[str], slugs: Iterable[str], threads: int = 8) -> list[Answered]:
    """Each slug sent to every URL, by many threads."""
    with ThreadPoolExecutor(threads) as pool:
        sent = [pool.submit(create, url, slug) for slug in slugs for url in urls]
        return [one.result() for one in sent]


@pytest.mark.parametrize("workers", ["1", "4"])
@pytest.mark.parametrize("kind", SHARED)
def test_the_gate_passes(kind: str, workers: str, tmp_path: Path) -> None:
    """Every rule conforms on a store that is shared, with one worker and with four."""
    with (
        address(kind, tmp_path) as store,
        process(store, tmp_path / "log", "--workers", workers) as (_, url),
    ):
        hook = ("--control-hook", "/_mock/services/{id}/status/{status}")
        command = [sys.executable, "-m", "contract_tests", "run", "--target", url, *hook]
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False, timeout=120)
    assert (done.returncode, f"{len(RULES)} conforms" in done.stdout) == (0, True), done.stdout


def test_four_processes_on_one_database_are_one_service(tmp_path: Path) -> None:
    """Of four creates of a slug at four processes exactly one is answered 201, and the others 409."""
    with address("postgresql", tmp_path) as store, ExitStack() as stack:
        each = [tmp_path / f"log-{number}" for number in range(4)]
        urls = [stack.enter_context(process(store, log))[1] for log in each]
        answered = at_once(urls, [f"slug-{number}" for number in range(40)])
        listed = [request(url, "GET", "/_mock/services")[1]["count"] for url in urls]
    assert _by_slug(answered) == {f"slug-{number}": [201, 409, 409, 409] for number in range(40)}
    assert listed == [40] * 4


@pytest.mark.parametrize("kind", SHARED)
def test_four_workers_are_one_service(kind: str, tmp_path: Path) -> None:
    """Of four creates of a slug exactly one is answered 201; a status set at one worker is seen by all."""
    with address(kind, tmp_path) as store, process(store, tmp_path / "log", "--workers", "4") as (_, url):
        answered = at_once([url] * 4, [f"slug-{number}" for number in range(40)])
        service = next(found for _, status, found in answered if status == 201)
        request(url, "PUT", f"/_mock/services/{service}/status/deploying")
        sent = {"display_name": "b"}
        updates = {request(url, "PUT", f"{PREFIX}/containers/{service}", sent)[0] for _ in range(40)}
        journals = {request(url, "GET", "/_mock/journal")[1]["count"] for _ in range(40)}
    assert len(journals) > 1, "one worker answered everything"
    assert _by_slug(answered) == {f"slug-{number}": [201, 409, 409, 409] for number in range(40)}
    assert updates == {RULES["not-while-busy"]["status"][0]}


@pytest.mark.parametrize("kind", SHARED)
def test_updates_at_many_workers_are_all_kept(kind: str, tmp_path: Path) -> None:
    """Each of many updates at once of one service is answered 200, and what it changed is there afterwards."""
    names = ("service_desc", "health_path", "usage_prompt", "openapi_url")
    with address(kind, tmp_path) as store, process(store, tmp_path / "log", "--workers", "4") as (_, url):
        path = f"{PREFIX}/containers/{create(url, 'abc')[2]}"
        expected, seen = [], []
        with ThreadPoolExecutor(8) as pool:
            for number in range(25):
                sent = [{name: f"/{number}"} for name in names]
                statuses = [*pool.map(lambda body: request(url, "PUT", path, body)[0], sent)]
                read = request(url, "GET", f"{PREFIX}/r/containers/abc")[1]
                seen.append((statuses, [read[name] for name in names]))
                expected.append(([200] * len(names), [f"/{number}"] * len(names)))
    assert seen == expected


def _by_slug(answered: list[Answered]) -> dict[str, list[int]]:
    statuses = collections.defaultdict(list)
    for slug, status, _ in sorted(answered):
        statuses[slug].append(status)
    return statuses


@pytest.mark.parametrize("workers", ["1", "4"])
@pytest.mark.parametrize("kind", SHARED)
def test_a_kill_loses_nothing_that_was_acknowledged(kind: str, workers: str, tmp_path: Path) -> None:
    """Killed amid a thousand concurrent creates: every service that was answered is there, no slug twice."""
    acknowledged: list[Answered] = []
    with address(kind, tmp_path) as store:
        with process(store, tmp_path / "log", "--workers", workers) as (mock, url):
            kill = threading.Thread(target=_kill_after, args=(mock, lambda: len(acknowledged) >= 150))
            kill.start()
            with ThreadPoolExecutor(16) as pool:
                for number in range(1000):
                    pool.submit(_note, url, f"slug-{number // 2}", acknowledged)
            kill.join()
        with process(store, tmp_path / "log", "--workers", workers) as (_, url):
            stored = request(url, "GET", "/_mock/services")[1]["services"]
    assert isinstance(stored, list)
    slugs = [service["service_slug"] for service in stored]
    there = {(service["service_slug"], 201, service["id"]) for service in stored}
    assert 150 <= len(acknowledged) < 500
    assert set(acknowledged) - there == set()
    assert len(slugs) == len(set(slugs))


def _note(url: str, slug: str, acknowledged: list[Answered]) -> None:
    try:
        answered = create(url, slug)
    except (OSError, http.client.HTTPException):
        return
    if answered[1] == 201:
        acknowledged.append(answered)


def _kill_after(mock: subprocess.Popen[bytes], enough: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while not enough() and time.monotonic() < until:
        time.sleep(0.002)
    os.killpg(mock.pid, signal.SIGKILL)


def test_a_memory_of_several_workers_is_refused() -> None:
    """One line that says what to name instead, and exit code 2."""
    done = run("--port", "0", "--workers", "2")
    wanted = "share a store with --store sqlite:///file.db or postgresql://…"
    said = f"mock-server: --workers 2: each worker has its own memory; {wanted}\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", said)


def test_several_workers_greet_once(tmp_path: Path) -> None:
    """The callers and the request to paste are printed by one of them."""
    with address("sqlite", tmp_path) as store:
        log = tmp_path / "log"
        with process(store, log, "--workers", "4"):
            time.sleep(0.5)
        assert log.read_text(encoding="utf-8").count("Ctrl-C ends it.") == 1


def test_a_worker_that_is_killed_is_replaced(tmp_path: Path) -> None:
    """The others serve on, and soon there are as many as before."""
    store, log = f"sqlite:///{tmp_path / 'services.db'}", tmp_path / "log"
    with process(store, log, "--workers", "2") as (started, url):
        before = workers_of(started.pid)
        os.kill(min(before), signal.SIGKILL)
        await_until(lambda: len(workers_of(started.pid) - {min(before)}) == 2)
        assert {status for _, status, _ in at_once([url], [f"after-{n}" for n in range(20)])} == {201}


@pytest.mark.parametrize("arguments", [("--workers", "2"), ()], ids=["two", "one"])
def test_workers_end_with_the_process_that_started_them(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """After a kill -9 of the parent nobody is left at the port, so that the same command starts again."""
    store, log = f"sqlite:///{tmp_path / 'services.db'}", tmp_path / "log"
    with process(store, log, *arguments) as (started, _):
        orphans = workers_of(started.pid)
        started.kill()
        started.wait()
        await_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in orphans))
    assert orphans


def workers_of(parent: int) -> set[int]:
    """The processes that serve for a parent."""
    listed = subprocess.run(["pgrep", "-P", str(parent)], capture_output=True, text=True, check=False)
    return {int(pid) for pid in listed.stdout.split()}


def await_until(holds: Callable[[], bool]) -> None:
    """Waits until it holds, for ten seconds."""
    for _ in range(200):
        if holds():
            return
        time.sleep(0.05)
    raise AssertionError("it never was so")
