"""The proxy over real sockets: what goes in comes out, byte for byte."""

import re
import socket
import threading
from typing import Any

import pytest

from tests.support.proxy.fixtures import CREATE, MIB, OK, TOKEN, Switch, Trio, head, plain, running
from tests.support.proxy.processes import ByHand, Running, proxy, raw, rest, sent, until


@pytest.fixture(scope="module")
def trio(closing: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Running, ByHand, Switch]:
    """One proxy for the module, its upstream, and how that answers."""
    return closing(running(tmp_path_factory.mktemp("proxy"), "--timeout", "2"))


# --- nothing is altered


TARGETS = {
    "/api/v1/containers/a%2Fb%20c": "/api/v1/containers/a%2Fb%20c",
    "/a%2fb/%7e/%C3%A9?q=%41&r=a+b%2f&&;": "/a%2fb/%7e/%C3%A9?q=%41&r=a+b%2f&&;",
    "/a//b/./../c/": "/a//b/./../c/",
    "/[x]|!$&'()*,;=:@": "/[x]|!$&'()*,;=:@",
    "/": "/",
    "/_mock/services/x/status/running": "/_mock/services/x/status/running",
}


@pytest.mark.parametrize(("target", "received"), TARGETS.items())
def test_the_target_goes_on_as_it_was_sent(trio: Trio, target: str, received: str) -> None:
    """No letter of the path or the query is decoded, encoded or tidied up."""
    process, upstream, switch = trio
    switch.handler = plain(OK)
    raw(process.port, head(f"PUT {target}", "Content-Length: 0"))
    assert upstream.lines[0].decode() == f"PUT {received} HTTP/1.1"


def test_the_api_has_another_base_at_the_upstream(trio: Trio) -> None:
    """What is below /api/v1 goes to the base path of --upstream, all else to its path at the same host."""
    process, upstream, switch = trio
    switch.handler = plain(OK)
    base = f"http://127.0.0.1:{upstream.port}/deep/base/"
    with proxy(base, process.log.parent) as other:
        for path in ("/api/v1/containers?x=%2f", "/api/v1", "/api/v10", "/other"):
            raw(other.port, head(f"GET {path}"))
    lines = [request_head.split(b" ")[1].decode() for request_head in upstream.heads[-4:]]
    assert lines == ["/deep/base/containers?x=%2f", "/deep/base", "/api/v10", "/other"]


def test_header_fields_go_on_but_for_those_of_the_hop(trio: Trio) -> None:
    """Duplicates and odd bytes stay, `Via` is added, `Host` is the upstream's, and nothing is made up."""
    process, upstream, switch = trio
    switch.handler = plain(OK)
    fields = [
        *(f"Authorization: Bearer {TOKEN}", "X-Twice: 1", "X-Twice: 2", "X-Odd: caf\xe9", "x_under: u"),
        *(
            "Connection: X-Hop, close",
            "X-Hop: 1",
            "Keep-Alive: 5",
            "TE: trailers",
            "Trailer: X",
            "Upgrade: h2c",
        ),
        *("Proxy-Authorization: Basic x", "Proxy-Connection: close", "Via: 1.0 first"),
    ]
    raw(process.port, head("GET /x", *fields, close=False))
    received = re.sub(rb"mock-server-[0-9a-f]{8}", b"mock-server-x", b"\n".join(upstream.lines[1:]).lower())
    assert sorted(received.split(b"\n")) == [
        b"authorization: bearer " + TOKEN.encode(),
        b"host: 127.0.0.1:%d" % upstream.port,
        *(b"via: 1.0 first", b"via: 1.1 mock-server-x"),
        *(b"x-odd: caf\xe9", b"x-twice: 1", b"x-twice: 2", b"x_under: u"),
    ]


def test_a_field_with_an_underscore_passes_for_no_other(trio: Trio) -> None:
    """X_Team_ID is not the X-Team-ID that a JWT needs."""
    process, _, switch = trio
    switch.handler = plain(OK)
    fields = ["Authorization: Bearer a.b.c", "X_Team_ID: 0192f0c0-1111-7aaa-8bbb-0123456789ab"]
    got, _ = raw(process.port, head(f"POST {CREATE}", *fields, "Content-Length: 0"))
    assert b"team-required-for-jwt;in=request" in got


def test_header_fields_of_the_answer_come_back_but_for_those_of_the_hop(trio: Trio) -> None:
    """Cookies stay apart, odd bytes stay, and the status may have any words."""
    process, _, switch = trio
    switch.handler = plain(
        b"HTTP/1.1 299 Whatever it is\r\nContent-Length: 0\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n"
        b"X-Odd: caf\xe9\r\n"
        b"Connection: close, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: 5\r\nProxy-Authenticate: Basic\r\nServer: own\r\n\r\n"
    )
    lines = raw(process.port, head("GET /x"))[0].split(b"\r\n")
    assert lines[0].split()[1] == b"299"
    kept = [line for line in lines[1:] if not re.match(rb"date:|via: 1.1 mock-server-[0-9a-f]{8}$", line)]
    assert sorted(kept) == sorted(
        [
            b"connection: close",
            b"content-length: 0",
            *(b"set-cookie: a=1", b"set-cookie: b=2", b"x-odd: caf\xe9", b"server: own"),
        ]
    )
    assert any(line.startswith(b"via: 1.1 ") for line in lines)


CHUNKS = b"3\r\n{\xff\x00\r\n1\r\n}\r\n0\r\n\r\n"
BODIES = {
    "length": (["Content-Length: 4"], b"{\xff\x00}", b"{\xff\x00}"),
    "chunked": (["Transfer-Encoding: chunked"], CHUNKS, b"{\xff\x00}"),
    "expecting": (["Content-Length: 4", "Expect: 100-continue"], b"{\xff\x00}", b"{\xff\x00}"),
    "empty": (["Content-Length: 0"], b"", b""),
}


@pytest.mark.parametrize("path", ["/file", CREATE])
@pytest.mark.parametrize(("fields", "body", "content"), BODIES.values(), ids=BODIES)
def test_the_body_of_a_request_stays_as_it_is(
    trio: Trio, path: str, fields: list[str], body: bytes, content: bytes
) -> None:
    """A length stays a length, what is chunked stays chunked, and no byte is another."""
    process, upstream, switch = trio
    switch.handler = plain(OK)
    answered = raw(process.port, head(f"POST {path}", *fields) + body)
    received = upstream.bodies[-1]
    chunked = any(line.lower() == b"transfer-encoding: chunked" for line in upstream.lines)
    assert chunked == (fields[0] == "Transfer-Encoding: chunked")
    assert (
        re.sub(rb"[0-9a-f]+\r\n(.*?)\r\n", rb"\1", received, flags=re.DOTALL) if chunked else received
    ) == content
    assert b"ok" in answered[1]


def test_a_client_may_wait_for_100_continue(trio: Trio) -> None:
    """It is told to go on before it sends a body."""
    process, upstream, switch = trio
    switch.handler = plain(OK)
    with sent(
        process.port, head(f"POST {CREATE}", "Content-Length: 2", "Expect: 100-continue")
    ) as connection:
        assert until(connection, b"\r\n\r\n").startswith(b"HTTP/1.1 100 ")
        connection.sendall(b"{}")
        assert rest(connection).endswith(b"ok")
    assert upstream.bodies[-1] == b"{}"


def test_an_answer_while_the_body_is_on_its_way_is_read(trio: Trio) -> None:
    """An upstream that refuses early does not keep the sender from its answer."""
    process, _, _ = trio
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def upstream() -> None:
            connection, _ = listening.accept()
            with connection:
                until(connection, b"\r\n\r\n")
                connection.sendall(
                    b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig"
                )
                connection.shutdown(socket.SHUT_WR)
                rest(connection)

        threading.Thread(target=upstream, daemon=True).start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/api/v1"
        with proxy(url, process.log.parent) as other:
            body = b"a" * (8 * MIB)
            answered = raw(other.port, head("PUT /file", f"Content-Length: {len(body)}") + body)
    assert (answered[0].split()[1], answered[1]) == (b"413", b"big")


NO_BODY = {
    "head": ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n", b"200"),
    "204": ("GET", b"HTTP/1.1 204 No Content\r\n\r\n", b"204"),
    "304": ("GET", b'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\n\r\n', b"304"),
}


@pytest.mark.parametrize(("method", "answer", "status"), NO_BODY.values(), ids=NO_BODY)
def test_an_answer_without_a_body_has_none(trio: Trio, method: str, answer: bytes, status: bytes) -> None:
    """HEAD keeps the length of what it does not carry; nothing is added to 204 and 304."""
    process, _, switch = trio
    switch.handler = plain(answer)
    got, body = raw(process.port, head(f"{method} /x"))
    assert (got.split()[1], body, b"content-length: 10" in got) == (status, b"", method == "HEAD")
    assert b"transfer-encoding" not in got.lower()


def test_a_redirect_is_passed_on(trio: Trio) -> None:
    """Nobody follows it but the client."""
    process, upstream, switch = trio
    switch.handler = plain(b"HTTP/1.1 307 Go\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n")
    before = len(upstream.heads)
    got, _ = raw(process.port, head("GET /x"))
    assert (got.split()[1], b"location: http://127.0.0.1:1/" in got, len(upstream.heads) - before) == (
        b"307",
        True,
        1,
    )
