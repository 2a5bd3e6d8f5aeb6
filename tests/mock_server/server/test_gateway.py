"""From ASGI to WSGI: what a WSGI app is given, and how its answer is sent."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from mock_server.server.gateway import FIELDS, Gateway

SCOPE: dict[str, Any] = {
    "type": "http",
    "http_version": "1.1",
    "method": "POST",
    "scheme": "http",
    "server": ("127.0.0.1", "80"),
    "path": "/a/b c",
    "raw_path": b"/a%2Fb%20c",
    "query_string": b"q=%41",
    "headers": [],
}


def played(app: Callable[..., Any], *parts: bytes | None, **scope: Any) -> list[dict[str, Any]]:
    """What is sent for a request whose body comes in these parts; None is a client that goes away."""
    sent: list[dict[str, Any]] = []
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
        sent.append(message)

    asyncio.run(Gateway(app, 1)({**SCOPE, **scope}, receive, send))
    return sent


def test_the_environ_is_what_was_sent() -> None:
    """The target as it came, the path decoded; fields of one name are one, and each by itself beside."""
    seen: dict[str, Any] = {}

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        seen.update(environ)
        start_response("200 OK", [])
        return []

    fields = [(b"x-a", b"1"), (b"x-a", b"\xe9"), (b"cookie", b"a=1"), (b"cookie", b"b=2"), (b"x_b", b"3")]
    played(app, b"", headers=fields)
    assert {
        key: seen[key] for key in ("RAW_URI", "PATH_INFO", "QUERY_STRING", "HTTP_X_A", "HTTP_COOKIE")
    } == {
        "RAW_URI": "/a%2Fb%20c?q=%41",
        "PATH_INFO": "/a/b c",
        "QUERY_STRING": "q=%41",
        "HTTP_X_A": "1,\xe9",
        "HTTP_COOKIE": "a=1; b=2",
    }
    assert "HTTP_X_B" not in seen
    assert seen[FIELDS] == [(name.decode(), value.decode("latin-1")) for name, value in fields]


READS: dict[str, tuple[list[int], list[bytes]]] = {
    "by-two": ([2] * 5, [b"ab", b"c", b"de", b"", b""]),
    "all": ([-1, -1], [b"abcde", b""]),
    "much": ([100] * 3, [b"abc", b"de", b""]),
}


@pytest.mark.parametrize(("sizes", "given"), READS.values(), ids=READS)
def test_the_body_is_read_as_it_comes(sizes: list[int], given: list[bytes]) -> None:
    """No more than was asked for, and no waiting for more than there is."""
    got: list[bytes] = []

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        got.extend(environ["wsgi.input"].read(size) for size in sizes)
        start_response("200 OK", [])
        return []

    played(app, b"abc", b"de")
    assert got == given


def test_a_list_is_sent_in_one_piece_and_all_else_part_by_part() -> None:
    """An answer that is no list begins before anything of it has come."""

    def listed(_environ: Any, start_response: Any) -> list[bytes]:
        start_response("201 Made", [("X-A", "\xe9")])
        return [b"a", b"b"]

    def streamed(_environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("201 Made", [("X-A", "\xe9")])
        return iter([b"a", b"b"])

    start = {"type": "http.response.start", "status": 201, "headers": [(b"x-a", b"\xe9")]}
    body = [{"type": "http.response.body", "body": part, "more_body": True} for part in (b"", b"a", b"b")]
    end = {"type": "http.response.body", "body": b"", "more_body": False}
    assert played(listed, b"") == [start, {**end, "body": b"ab"}]
    assert played(streamed, b"") == [start, *body, end]


def test_a_body_that_breaks_off_is_not_taken_for_whole() -> None:
    """Neither that of the request nor that of the answer."""

    def reading(environ: dict[str, Any], _start_response: Any) -> list[bytes]:
        return [environ["wsgi.input"].read()]

    def failing(_environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [])
        yield b"a"
        raise OSError("the end")

    for app, parts in ((reading, (b"ab", b"c", None)), (failing, (b"",))):
        with pytest.raises(OSError, match="the end"):
            played(app, *parts)
