"""The asynchronous front: the request that it passes to the app, and the response that it sends."""

import asyncio
import errno
import itertools
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mock_server import create_app
from mock_server.app.options import MockOptions
from mock_server.server import process
from mock_server.server.front import Front
from mock_server.server.process import ServerOptions
from mock_server.web.wsgi import BODY_SIZE, DELAY_SECONDS, FRONT_PROBLEM, HEADER_FIELDS
from tests.support.fixture_player import CALLERS

SCOPE: dict[str, Any] = {
    "type": "http",
    "http_version": "1.1",
    "method": "POST",
    "scheme": "http",
    "server": ("127.0.0.1", "80"),
    "path": "/a/b c",
    "raw_path": b"/a%2Fb%20c",
    "query_string": b"q=%41",
    "headers": [(b"host", b"h"), (b"transfer-encoding", b"chunked")],
}


def send_through(
    app: Callable[..., Any], *parts: bytes | None, scope: dict[str, Any] | None = None, **options: Any
) -> list[dict[str, Any]]:
    """Return the ASGI messages for a request with these body parts; None is a client that disconnects."""
    responses: list[dict[str, Any]] = []
    messages = [
        {"type": "http.disconnect"}
        if part is None
        else {"type": "http.request", "body": part, "more_body": number < len(parts) - 1}
        for number, part in enumerate(parts)
    ]

    async def receive() -> dict[str, Any]:
        if not messages:
            await asyncio.Event().wait()
        return messages.pop(0)

    async def send(message: dict[str, Any]) -> None:
        responses.append(message)

    front = Front(app, **{"body_timeout": 5.0, "threads": 1, **options})
    asyncio.run(front({**SCOPE, **(scope or {})}, receive, send))
    return responses


def test_an_app_on_the_event_loop_may_return_an_iterator() -> None:
    """Without threads, the parts of a response are sent as a whole."""

    def app(_environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [])
        yield b"a"
        yield b"b"

    messages = send_through(app, b"", threads=0)
    assert [message.get("body") for message in messages] == [None, b"ab"]


def test_the_environ_has_the_request() -> None:
    """The raw target is unchanged, the path is decoded, and header fields are also listed one by one."""
    received_environ: dict[str, Any] = {}

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        received_environ.update(environ)
        start_response("200 OK", [])
        return []

    fields = [(b"x-a", b"1"), (b"x-a", b"\xe9"), (b"cookie", b"a=1"), (b"cookie", b"b=2"), (b"x_b", b"3")]
    send_through(app, b"", scope={"headers": fields})
    assert {
        key: received_environ[key]
        for key in ("RAW_URI", "PATH_INFO", "QUERY_STRING", "HTTP_X_A", "HTTP_COOKIE")
    } == {
        "RAW_URI": "/a%2Fb%20c?q=%41",
        "PATH_INFO": "/a/b c",
        "QUERY_STRING": "q=%41",
        "HTTP_X_A": "1,\xe9",
        "HTTP_COOKIE": "a=1; b=2",
    }
    assert "HTTP_X_B" not in received_environ
    assert received_environ[HEADER_FIELDS] == [
        (name.decode(), value.decode("latin-1")) for name, value in fields
    ]


def test_a_list_is_sent_at_once_and_an_iterator_in_parts() -> None:
    """The response of an iterator starts before its first part."""

    def list_app(_environ: Any, start_response: Any) -> list[bytes]:
        start_response("201 Made", [("X-A", "\xe9")])
        return [b"a", b"b"]

    def iterator_app(_environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("201 Made", [("X-A", "\xe9")])
        return iter([b"a", b"b"])

    start = {"type": "http.response.start", "status": 201, "headers": [(b"x-a", b"\xe9")]}
    body = [{"type": "http.response.body", "body": part, "more_body": True} for part in (b"", b"a", b"b")]
    end = {"type": "http.response.body", "body": b"", "more_body": False}
    assert send_through(list_app, b"") == [start, {**end, "body": b"ab"}]
    assert send_through(iterator_app, b"") == [start, *body, end]


def keep_environ(environs: list[dict[str, Any]]) -> Callable[..., list[bytes]]:
    """Return an app that keeps the environ and the body of each request."""

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        environs.append({**environ, "body": environ["wsgi.input"].read()})
        start_response("200 OK", [])
        return []

    return app


@pytest.mark.parametrize(("max_bytes", "body"), [(None, b"abcde"), (4, b"abcd"), (2, b"ab")])
def test_the_app_gets_the_start_of_the_body_and_its_whole_size(max_bytes: int | None, body: bytes) -> None:
    """Bytes beyond the limit are counted and dropped."""
    environs: list[dict[str, Any]] = []
    send_through(keep_environ(environs), b"abc", b"de", max_bytes=max_bytes)
    assert (environs[0]["body"], environs[0][BODY_SIZE], FRONT_PROBLEM in environs[0]) == (body, 5, False)


def test_a_body_without_a_limit_is_refused_when_it_fills_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """A body over the bound becomes a 413, and one that the disk has no room for a 503."""
    environs: list[dict[str, Any]] = []
    send_through(keep_environ(environs), b"abc", b"d", max_file_bytes=4)
    send_through(keep_environ(environs), b"abc", b"de", max_file_bytes=4)

    def fail(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile.SpooledTemporaryFile, "write", fail)
    send_through(keep_environ(environs), b"abc", b"d", max_file_bytes=4)
    problems = [environ.get(FRONT_PROBLEM) for environ in environs]
    assert [problem and problem.status for problem in problems] == [None, 413, 503]


@pytest.mark.parametrize(
    ("store", "path", "in_thread"),
    [("memory", "/_mock/journal", True), ("memory", "/api/v1", False), ("sqlite", "/api/v1", True)],
)
def test_what_may_take_long_holds_up_no_request(
    store: str, path: str, in_thread: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control plane, and with a database each request, is answered beside the event loop."""
    threads: list[str] = []

    def app(_environ: Any, start_response: Any) -> list[bytes]:
        threads.append(threading.current_thread().name)
        start_response("200 OK", [])
        return [b""]

    app.config = {process.MAX_BYTES: 10}  # type: ignore[attr-defined]
    monkeypatch.setattr(process, "create_app", lambda *_, **__: app)
    address = store if store == "memory" else f"sqlite:///{tmp_path}/services.db"
    loaded = process._load_worker(ServerOptions(quiet=True), MockOptions(store=address), None)
    asyncio.run(loaded({**SCOPE, "path": path, "headers": [HOST]}, receive_nothing, discard))
    assert [name.startswith("front") for name in threads] == [in_thread]


async def receive_nothing() -> dict[str, Any]:
    """Return the end of a request without a body."""
    return {"type": "http.request", "body": b"", "more_body": False}


async def discard(_message: dict[str, Any]) -> None:
    """Send nothing."""


HOST = (b"host", b"h")
AMBIGUOUS = {
    "no-host": [],
    "an-empty-host": [(b"host", b"")],
    "two-hosts": [HOST, HOST],
    "two-media-types": [HOST, (b"content-type", b"text/plain"), (b"content-type", b"application/json")],
    "two-tokens": [HOST, (b"authorization", b"Bearer a"), (b"authorization", b"Bearer b")],
    "the-same-token-twice": [HOST, (b"authorization", b"Bearer a"), (b"authorization", b"Bearer a")],
    "two-teams": [HOST, (b"x-team-id", b"a"), (b"x-team-id", b"b")],
    "another-coding": [HOST, (b"transfer-encoding", b"gzip, chunked")],
}


@pytest.mark.parametrize("fields", AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_an_ambiguous_request_is_refused(fields: list[tuple[bytes, bytes]]) -> None:
    """A request that two servers may read in two ways gets a 400, and its connection is closed."""
    environs: list[dict[str, Any]] = []
    send_through(keep_environ(environs), b"", scope={"headers": fields})
    problem = environs[0][FRONT_PROBLEM]
    assert (problem.status, problem.headers["Connection"]) == (400, "close")


@pytest.mark.parametrize(
    ("version", "fields"),
    [
        ("1.1", [HOST, (b"transfer-encoding", b"Chunked"), (b"accept", b"a"), (b"accept", b"b")]),
        ("1.0", []),
        ("1.0", [HOST]),
    ],
)
def test_a_request_with_one_field_of_a_kind_is_passed_on(
    version: str, fields: list[tuple[bytes, bytes]]
) -> None:
    """Fields that are lists may repeat, and HTTP/1.0 needs no Host."""
    environs: list[dict[str, Any]] = []
    send_through(keep_environ(environs), b"", scope={"headers": fields, "http_version": version})
    assert FRONT_PROBLEM not in environs[0]


@pytest.mark.parametrize(("name", "status"), [(b"x-team-id", 201), (b"x_team_id", 400)])
def test_an_underscore_is_no_hyphen(name: bytes, status: int) -> None:
    """X_Team_ID does not pass for X-Team-ID: a JWT without a team is refused."""
    red = next(caller for caller in CALLERS["callers"] if caller["name"] == "jwt-red")
    fields = {
        b"host": b"h",
        b"content-type": b"application/json",
        b"authorization": f"Bearer {red['token']}".encode(),
        name: CALLERS["teams"]["red"].encode(),
    }
    path = "/api/v1/containers"
    fields[b"transfer-encoding"] = b"chunked"
    scope = {"path": path, "raw_path": path.encode(), "query_string": b"", "headers": list(fields.items())}
    body = b'{"service_slug": "a-slug", "display_name": "d", "docker_image": "n"}'
    assert send_through(create_app(), body, scope=scope, threads=0)[0]["status"] == status


def test_a_request_that_breaks_off_becomes_a_400() -> None:
    """The app refuses it with 400 and closes the connection."""
    environs: list[dict[str, Any]] = []
    send_through(keep_environ(environs), b"ab", b"c", None)
    problem = environs[0][FRONT_PROBLEM]
    assert (problem.status, problem.headers["Connection"]) == (400, "close")


@pytest.mark.parametrize("fields", [[HOST], [HOST, (b"content-length", b"0")]])
def test_a_request_without_a_body_has_no_deadline(fields: list[tuple[bytes, bytes]]) -> None:
    """It is passed on at once, however late a busy server reads it."""
    environs: list[dict[str, Any]] = []
    send_through(keep_environ(environs), scope={"headers": fields}, body_timeout=0.05)
    assert (environs[0][BODY_SIZE], FRONT_PROBLEM in environs[0]) == (0, False)


def test_a_slow_body_becomes_a_408() -> None:
    """The deadline counts from the start of the request."""
    environs: list[dict[str, Any]] = []

    async def drip() -> dict[str, Any]:
        await asyncio.sleep(0.01)
        return {"type": "http.request", "body": b"a", "more_body": True}

    async def send(_message: dict[str, Any]) -> None:
        return None

    asyncio.run(Front(keep_environ(environs), body_timeout=0.05)(SCOPE, drip, send))
    assert environs[0][FRONT_PROBLEM].status == 408


def test_a_delay_is_awaited() -> None:
    """Other requests are answered while one response is delayed."""
    order: list[str] = []

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        environ[DELAY_SECONDS] = float(environ["QUERY_STRING"])
        start_response("200 OK", [])
        return []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    async def request(front: Front, seconds: str) -> None:
        async def send(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.body":
                order.append(seconds)

        await front({**SCOPE, "query_string": seconds.encode()}, receive, send)

    async def main() -> None:
        front = Front(app, body_timeout=5)
        await asyncio.gather(*(request(front, seconds) for seconds in ("0.05", "0", "0.02")))

    asyncio.run(main())
    assert order == ["0", "0.02", "0.05"]


def test_a_stream_that_fails_breaks_the_connection() -> None:
    """The exception reaches the server, so that the client does not take the body for whole."""

    def app(_environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [])
        yield b"a"
        raise OSError("the end")

    with pytest.raises(OSError, match="the end"):
        send_through(app, b"")


def test_a_long_list_is_sent_in_parts() -> None:
    """No part has more than 256 KiB, so that the client has to read on."""

    def app(_environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [b"a" * 200_000, b"b" * 400_000]

    _, *parts = send_through(app, b"")
    assert [(len(part["body"]), part["more_body"]) for part in parts] == [
        (262_144, True),
        (262_144, True),
        (75_712, False),
    ]
    assert b"".join(part["body"] for part in parts) == b"a" * 200_000 + b"b" * 400_000


async def request_without_reading(body: object, threads: int) -> list[object]:
    """Return the exceptions of two requests whose clients read nothing of the response."""

    def app(_environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        return body

    async def request(front: Front) -> None:
        messages = [{"type": "http.request"}]

        async def receive() -> dict[str, Any]:
            if not messages:
                await asyncio.Event().wait()
            return messages.pop()

        await front(SCOPE, receive, send)

    async def send(message: dict[str, Any]) -> None:
        if message.get("body"):
            await asyncio.Event().wait()

    front = Front(app, body_timeout=0.05, threads=threads)
    return await asyncio.gather(request(front), request(front), return_exceptions=True)


BODIES = {"a-list": ([b"a" * 1_000_000], 0), "a-stream": (itertools.repeat(b"a"), 1)}


@pytest.mark.parametrize(("body", "threads"), BODIES.values(), ids=BODIES)
def test_a_response_that_is_not_read_is_given_up(
    body: object, threads: int, caplog: pytest.LogCaptureFixture
) -> None:
    """After the timeout the connection is closed and the thread is free; the log has a line."""
    errors = asyncio.run(request_without_reading(body, threads))
    line = "a client read nothing of its response for 0.05 seconds"
    assert [repr(error) for error in errors] == [repr(ConnectionResetError(line))] * 2
    assert [record.getMessage() for record in caplog.records] == [f"{line}; its connection is closed"] * 2


def test_a_request_that_finds_no_free_thread_is_refused() -> None:
    """The app refuses it with 503 on the event loop, and the request that holds the thread is answered later."""
    release = threading.Event()
    statuses: list[int] = []

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        refused = FRONT_PROBLEM in environ
        assert refused or release.wait(10)
        start_response("503 Busy" if refused else "200 OK", [])
        release.set()
        return []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    async def send(message: dict[str, Any]) -> None:
        statuses.extend([message["status"]] if "status" in message else [])

    async def request_twice() -> None:
        front = Front(app, body_timeout=5, threads=1, queue_timeout=0.05)
        await asyncio.gather(front(SCOPE, receive, send), front(SCOPE, receive, send))

    asyncio.run(request_twice())
    assert statuses == [503, 200]
