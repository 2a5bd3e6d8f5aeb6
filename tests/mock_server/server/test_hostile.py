"""The mock and the proxy before hostile clients: each connection ends, and nothing of a broken request is stored."""

import http.client
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.hostile_client import (
    INVALID,
    REQUESTS,
    UNFINISHED_HEADS,
    VALID,
    choose_requests,
    send_request,
)
from tests.support.processes import mock_server
from tests.support.proxy.processes import proxy_process

pytestmark = pytest.mark.slow

_BODY_TIMEOUT = "0.5"  # seconds
#: Seconds within which a connection ends and another client is answered, on a busy machine.
_DEADLINE = 5.0


@dataclass(frozen=True, slots=True)
class Server:
    """A server under attack, the mock that stores, and their logs."""

    port: int
    mock_port: int
    logs: tuple[Path, ...]

    def call_mock(self, method: str, path: str) -> Any:
        """Return the JSON that the control plane of the mock answers."""
        with closing(
            http.client.HTTPConnection("127.0.0.1", self.mock_port, timeout=_DEADLINE)
        ) as connection:
            connection.request(method, path)
            return json.loads(connection.getresponse().read() or b"null")

    def get_page(self) -> int:
        """Return the status of a harmless request of another client."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=_DEADLINE)) as connection:
            connection.request("GET", "/_mock/health")
            return connection.getresponse().status

    def read_logs(self) -> str:
        """Return all that the servers have printed."""
        return "".join(log.read_text(encoding="utf-8") for log in self.logs)


@pytest.fixture(scope="module", params=["memory", "sqlite", "proxy"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Yield a mock in memory, one with a database, and a proxy before a mock."""
    folder, timeout = tmp_path_factory.mktemp("hostile"), ("--body-timeout", _BODY_TIMEOUT)
    store = f"sqlite:///{folder}/services.db" if request.param == "sqlite" else "memory"
    log = folder / "mock.log"
    with ExitStack() as stack:
        output = stack.enter_context(log.open("w"))
        mock = stack.enter_context(mock_server("--store", store, *timeout, stderr=output))
        port = urlsplit(mock.url).port or 0
        if request.param == "proxy":
            proxy = stack.enter_context(proxy_process(mock.url, folder, *timeout))
            yield Server(proxy.port, port, (log, proxy.log))
        else:
            yield Server(port, port, (log,))


def list_failures(statuses: list[int]) -> list[int]:
    """Return the statuses of failures; 501 is the refusal of a tunnel."""
    return [status for status in statuses if status >= 500 and status != 501]


@pytest.mark.parametrize("name", REQUESTS)
def test_a_hostile_request_ends_and_stores_nothing(server: Server, name: str) -> None:
    """The connection ends in time without a 5xx, a request that is not whole or not valid stores nothing."""
    server.call_mock("DELETE", "/_mock/services")
    received = send_request(server.port, REQUESTS[name], _DEADLINE)
    assert (received.ended, list_failures(received.statuses)) == (True, [])
    if name in INVALID:
        assert server.call_mock("GET", "/_mock/services")["count"] == 0
    elif name != "half-close":
        assert next(status for status in received.statuses if status >= 200) == 201
    assert (server.get_page(), "Traceback" in server.read_logs()) == (200, False)


def test_each_pipelined_request_gets_its_own_response(server: Server) -> None:
    """Four creates of one slug, sent at once, get one 201 and three 409."""
    server.call_mock("DELETE", "/_mock/services")
    assert send_request(server.port, VALID["pipelined"], _DEADLINE).statuses == [201, 409, 409, 409]


def check_seed(server: Server, seed: int, count: int) -> None:
    """Assert that a mixture of requests at the same time ends, and that another client is answered all along."""
    server.call_mock("DELETE", "/_mock/services")
    chosen = list(islice(choose_requests(seed), count))
    with ThreadPoolExecutor(count) as pool:
        waiting = [pool.submit(send_request, server.port, send, 2 * _DEADLINE) for _, send in chosen]
        while not all(future.done() for future in waiting):
            started = time.monotonic()
            assert server.get_page() == 200
            assert time.monotonic() - started < _DEADLINE
    received = [future.result() for future in waiting]
    assert [name for (name, _), one in zip(chosen, received, strict=True) if not one.ended] == []
    assert [status for one in received for status in list_failures(one.statuses)] == []
    stored = server.call_mock("GET", "/_mock/services")["count"]
    assert stored == 0 or any(name in VALID for name, _ in chosen)
    assert "Traceback" not in server.read_logs()


@pytest.mark.parametrize("seed", range(3))
def test_a_seed_of_requests_holds_nobody_up(server: Server, seed: int) -> None:
    """While thirty hostile clients send at the same time, another one is answered."""
    check_seed(server, seed, 30)


@pytest.mark.parametrize(
    "seed",
    [
        *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(100, 102)),
        *(pytest.param(seed, marks=pytest.mark.exhaustive) for seed in range(102, 250)),
    ],
)
def test_many_seeds_of_requests_hold_nobody_up(server: Server, seed: int) -> None:
    """The same holds for more clients of more seeds."""
    check_seed(server, seed, 60)


@pytest.mark.exhaustive
def test_an_unfinished_head_is_given_up(server: Server) -> None:
    """A head that does not end, however slowly it drips, ends the connection after half a minute."""
    with ThreadPoolExecutor() as pool:
        received = list(pool.map(lambda send: send_request(server.port, send, 40), UNFINISHED_HEADS.values()))
    assert [(one.ended, one.seconds > 25) for one in received] == [(True, True)] * len(UNFINISHED_HEADS)
