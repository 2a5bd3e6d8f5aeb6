"""The mock as a process, over real sockets: requests that are slow, unfinished or broken."""

import http.client
import json
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager

import pytest

from tests.support.processes import MockProcess, mock_server

CREATE = "/api/v1/containers"
HEADERS = {"Authorization": "Bearer sk-red-5f0c7c1e9a", "Content-Type": "application/json"}
BODY = {"service_slug": "a-service", "display_name": "d", "docker_image": "n"}


@pytest.fixture(scope="module", params=["memory", "sqlite"])
def running(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MockProcess]:
    """A mock that serves, in memory and with a database."""
    folder = tmp_path_factory.mktemp("store")
    store = "memory" if request.param == "memory" else f"sqlite:///{folder}/services.db"
    with mock_server("--store", store, "--body-timeout", "20") as process:
        yield process


def open_connection(running: MockProcess) -> http.client.HTTPConnection:
    """Return a new connection to the mock."""
    host, port = running.url.removeprefix("http://").split("/")[0].split(":")
    return http.client.HTTPConnection(host, int(port), timeout=20)


@contextmanager
def open_socket(running: MockProcess) -> Iterator[socket.socket]:
    """Yield the socket of a new connection."""
    with closing(open_connection(running)) as connection:
        connection.connect()
        yield connection.sock


def request_head(**fields: str) -> bytes:
    """Return the head of a create."""
    headers = {"Host": "mock", **HEADERS, **{name.replace("_", "-"): value for name, value in fields.items()}}
    lines = [f"POST {CREATE} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    return "\r\n".join(lines).encode()


def get_health(connection: http.client.HTTPConnection) -> dict[str, int]:
    """Return the numbers of services and requests."""
    connection.request("GET", "/_mock/health")
    health: dict[str, int] = json.loads(connection.getresponse().read())
    return health


def delete_services(connection: http.client.HTTPConnection) -> None:
    """Delete all services."""
    connection.request("DELETE", "/_mock/services")
    connection.getresponse().read()


@pytest.mark.slow
def test_requests_that_asked_to_wait_delay_no_others(running: MockProcess) -> None:
    """While sixty responses wait for a minute, another client is answered, and all sixty are carried out."""
    with ExitStack() as stack:
        connection = stack.enter_context(closing(open_connection(running)))
        delete_services(connection)
        for number in range(60):
            body = json.dumps({**BODY, "service_slug": f"waiting-{number}"}).encode()
            waiting = stack.enter_context(open_socket(running))
            waiting.sendall(request_head(Prefer="wait=60", Content_Length=str(len(body))) + body)
        while get_health(connection)["services"] < 60:
            pass


def test_unfinished_bodies_hold_no_worker(running: MockProcess) -> None:
    """While three hundred bodies are unfinished, another client is answered."""
    with ExitStack() as stack:
        for _ in range(300):
            unfinished = stack.enter_context(open_socket(running))
            unfinished.sendall(request_head(Content_Length="500") + b'{"service_slug": ')
        connection = stack.enter_context(closing(open_connection(running)))
        assert [get_health(connection)["status"] for _ in range(10)] == ["ok"] * 10


@pytest.mark.parametrize("framing", ["Content-Length: 500", "Transfer-Encoding: chunked"])
def test_a_slow_body_is_answered_once_it_is_whole(running: MockProcess, framing: str) -> None:
    """Other requests are answered first; then the service is stored."""
    name, _, value = framing.partition(": ")
    text = json.dumps({**BODY, "service_desc": "d" * 400}).encode().ljust(500)
    body = text if value == "500" else b"1f4\r\n%s\r\n0\r\n\r\n" % text
    with open_socket(running) as slow, closing(open_connection(running)) as connection:
        delete_services(connection)
        slow.sendall(request_head(**{name.replace("-", "_"): value}) + body[:100])
        assert get_health(connection)["services"] == 0
        slow.sendall(body[100:])
        assert slow.recv(100).startswith(b"HTTP/1.1 201")
        assert get_health(connection)["services"] == 1


_WHOLE = json.dumps(BODY).encode()
#: Heads and bodies that never become a whole request, although the body so far is a valid create.
BROKEN = {
    "shorter-than-its-length": ({"Content_Length": "500"}, _WHOLE),
    "unfinished-chunks": ({"Transfer_Encoding": "chunked"}, b"%x\r\n%s\r\n" % (len(_WHOLE), _WHOLE)),
    "a-broken-chunk-size": ({"Transfer_Encoding": "chunked"}, b"%x\r\n%s\r\nzz\r\n" % (len(_WHOLE), _WHOLE)),
}


@pytest.mark.parametrize(("fields", "body"), BROKEN.values(), ids=BROKEN)
def test_nothing_of_a_broken_request_is_stored(
    running: MockProcess, fields: dict[str, str], body: bytes
) -> None:
    """A body that breaks off or is framed wrongly gets a 400 at most."""
    with closing(open_connection(running)) as connection:
        delete_services(connection)
        with open_socket(running) as broken:
            broken.sendall(request_head(**fields) + body)
            broken.shutdown(socket.SHUT_WR)
            status = broken.recv(100)[:12]
        assert (status in {b"", b"HTTP/1.1 400"}, get_health(connection)["services"]) == (True, 0)


def test_a_body_that_does_not_arrive_ends_with_408() -> None:
    """The deadline is --body-timeout, and the log has a line about it."""
    with mock_server("--body-timeout", "0.2") as running, open_socket(running) as slow:
        slow.sendall(request_head(Content_Length="500") + b"{")
        response = http.client.HTTPResponse(slow)
        response.begin()
        problem = json.loads(response.read())
        assert (response.status, problem["detail"]) == (408, "the body did not arrive within 0.2 seconds")


@pytest.mark.slow
def test_an_abandoned_read_of_a_large_journal_is_given_up() -> None:
    """A client that does not read is reported and cut off; another client gets the whole journal meanwhile."""
    with (
        mock_server("--body-timeout", "1") as running,
        closing(open_connection(running)) as connection,
        open_socket(running) as abandoned,
    ):
        for _ in range(100):
            connection.request("POST", CREATE, b"\x01" * 64_000, HEADERS)
            assert connection.getresponse().read()
        abandoned.sendall(b"GET /_mock/journal HTTP/1.1\r\nHost: mock\r\n\r\n")
        connection.request("GET", "/_mock/journal")
        assert len(json.loads(connection.getresponse().read())["requests"]) == 100
        assert running.process.stderr is not None
        assert any("read nothing of its response for 1 seconds" in line for line in running.process.stderr)
        response = http.client.HTTPResponse(abandoned)
        response.begin()
        with pytest.raises(http.client.IncompleteRead):
            response.read()


def test_without_the_size_rule_a_longer_body_is_served() -> None:
    """A body above --max-body is read whole if body-size is disabled."""
    body = json.dumps({**BODY, "service_desc": "d" * 400}).encode()
    with (
        mock_server("--max-body", "200", "--disable-rule", "body-size") as running,
        closing(open_connection(running)) as connection,
    ):
        connection.request("POST", CREATE, body, HEADERS)
        assert connection.getresponse().status == 201


@pytest.mark.slow
def test_ctrl_c_ends_the_mock_while_a_body_is_unfinished() -> None:
    """The process ends with exit code 0."""
    with mock_server() as running, open_socket(running) as slow:
        slow.sendall(request_head(Content_Length="500") + b"{")
        with closing(open_connection(running)) as connection:
            get_health(connection)
        running.process.send_signal(signal.SIGINT)
        assert running.process.wait(timeout=10) == 0
