"""The proxy over sockets: requests and responses are forwarded byte for byte."""

import re
import socket
import threading

import pytest

from tests.support.proxy.fixtures import (
    CREATE,
    MIB,
    OK,
    TOKEN,
    ProxyFixtures,
    build_head,
    respond_with,
)
from tests.support.proxy.processes import (
    open_request,
    proxy_process,
    receive_rest,
    receive_until,
    send_raw,
)

TARGETS = {
    "/api/v1/containers/a%2Fb%20c": "/api/v1/containers/a%2Fb%20c",
    "/a%2fb/%7e/%C3%A9?q=%41&r=a+b%2f&&;": "/a%2fb/%7e/%C3%A9?q=%41&r=a+b%2f&&;",
    "/a//b/./../c/": "/a//b/./../c/",
    "/[x]|!$&'()*,;=:@": "/[x]|!$&'()*,;=:@",
    "/caf\xc3\xa9?q=\xc3\xa9": "/caf\xc3\xa9?q=\xc3\xa9",
    "/": "/",
    "/_mock/services/x/status/running": "/_mock/services/x/status/running",
}


@pytest.mark.parametrize(("target", "expected"), TARGETS.items())
def test_the_target_is_forwarded_unchanged(proxy_fixtures: ProxyFixtures, target: str, expected: str) -> None:
    """No letter of the path or the query is decoded, encoded or normalized."""
    process, upstream, switch = proxy_fixtures
    switch.handler = respond_with(OK)
    head = build_head(f"PUT {target}", "Content-Length: 0")
    send_raw(process.port, head.replace(b"proxy.example", b"localhost"))  # a private name opens /_mock/, too
    assert upstream.lines[0].decode("latin-1") == f"PUT {expected} HTTP/1.1"


def test_the_base_path_is_replaced(proxy_fixtures: ProxyFixtures) -> None:
    """/api/v1 becomes the base path of --upstream, and other paths stay."""
    process, upstream, switch = proxy_fixtures
    switch.handler = respond_with(OK)
    base = f"http://127.0.0.1:{upstream.port}/deep/base/"
    with proxy_process(base, process.log.parent) as other:
        for path in ("/api/v1/containers?x=%2f", "/api/v1", "/api/v10", "/other"):
            send_raw(other.port, build_head(f"GET {path}", "X-Case: base-path"))
    own = [head for head in upstream.heads if b"base-path" in head]  # a port may get requests of other tests
    lines = [head.split(b" ")[1].decode() for head in own]
    assert lines == ["/deep/base/containers?x=%2f", "/deep/base", "/api/v10", "/other"]


def test_request_headers_are_forwarded_except_hop_by_hop(proxy_fixtures: ProxyFixtures) -> None:
    """Duplicates and odd bytes stay, `Via` is added, `Host` is the upstream's, and no default is added."""
    process, upstream, switch = proxy_fixtures
    switch.handler = respond_with(OK)
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
    send_raw(process.port, build_head("GET /x", *fields, close=False))
    received = re.sub(rb"mock-server-[0-9a-f]{8}", b"mock-server-x", b"\n".join(upstream.lines[1:]).lower())
    assert sorted(received.split(b"\n")) == [
        b"authorization: bearer " + TOKEN.encode(),
        b"host: 127.0.0.1:%d" % upstream.port,
        *(b"via: 1.0 first", b"via: 1.1 mock-server-x"),
        *(b"x-odd: caf\xe9", b"x-twice: 1", b"x-twice: 2", b"x_under: u"),
    ]


def test_a_header_with_an_underscore_is_another_header(proxy_fixtures: ProxyFixtures) -> None:
    """X_Team_ID is not the X-Team-ID that a JWT needs."""
    process, _, switch = proxy_fixtures
    switch.handler = respond_with(OK)
    fields = ["Authorization: Bearer a.b.c", "X_Team_ID: 0192f0c0-1111-7aaa-8bbb-0123456789ab"]
    head, _ = send_raw(process.port, build_head(f"POST {CREATE}", *fields, "Content-Length: 0"))
    assert b"team-required-for-jwt;in=request" in head


def test_response_headers_are_forwarded_except_hop_by_hop(proxy_fixtures: ProxyFixtures) -> None:
    """Cookies stay separate, odd bytes stay, and any reason phrase is allowed."""
    process, _, switch = proxy_fixtures
    switch.handler = respond_with(
        b"HTTP/1.1 299 Whatever it is\r\nContent-Length: 0\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n"
        b"X-Odd: caf\xe9\r\n"
        b"Connection: close, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: 5\r\nProxy-Authenticate: Basic\r\nServer: own\r\n\r\n"
    )
    lines = send_raw(process.port, build_head("GET /x"))[0].split(b"\r\n")
    assert lines[0].split()[1] == b"299"
    fields = [line for line in lines[1:] if not re.match(rb"date:|via: 1.1 mock-server-[0-9a-f]{8}$", line)]
    assert sorted(fields) == sorted(
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
def test_a_request_body_is_forwarded_unchanged(
    proxy_fixtures: ProxyFixtures, path: str, fields: list[str], body: bytes, content: bytes
) -> None:
    """A length stays a length, chunks stay chunks, and every byte is the same."""
    process, upstream, switch = proxy_fixtures
    switch.handler = respond_with(OK)
    response = send_raw(process.port, build_head(f"POST {path}", *fields) + body)
    received = upstream.bodies[-1]
    is_chunked = any(line.lower() == b"transfer-encoding: chunked" for line in upstream.lines)
    assert is_chunked == (fields[0] == "Transfer-Encoding: chunked")
    assert (
        re.sub(rb"[0-9a-f]+\r\n(.*?)\r\n", rb"\1", received, flags=re.DOTALL) if is_chunked else received
    ) == content
    assert b"ok" in response[1]


def test_a_client_may_wait_for_100_continue(proxy_fixtures: ProxyFixtures) -> None:
    """The client gets the 100 before it sends a body."""
    process, upstream, switch = proxy_fixtures
    switch.handler = respond_with(OK)
    with open_request(
        process.port, build_head(f"POST {CREATE}", "Content-Length: 2", "Expect: 100-continue")
    ) as connection:
        assert receive_until(connection, b"\r\n\r\n").startswith(b"HTTP/1.1 100 ")
        connection.sendall(b"{}")
        assert receive_rest(connection).endswith(b"ok")
    assert upstream.bodies[-1] == b"{}"


def test_an_early_response_is_forwarded(proxy_fixtures: ProxyFixtures) -> None:
    """The client receives the response of an upstream that refuses during the body."""
    process, _, _ = proxy_fixtures
    with socket.create_server(("127.0.0.1", 0)) as server:

        def refuse_early() -> None:
            connection, _ = server.accept()
            with connection:
                receive_until(connection, b"\r\n\r\n")
                connection.sendall(
                    b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig"
                )
                connection.shutdown(socket.SHUT_WR)
                receive_rest(connection)

        threading.Thread(target=refuse_early, daemon=True).start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/api/v1"
        with proxy_process(url, process.log.parent) as other:
            body = b"a" * (8 * MIB)
            response = send_raw(other.port, build_head("PUT /file", f"Content-Length: {len(body)}") + body)
    assert (response[0].split()[1], response[1]) == (b"413", b"big")


NO_BODY = {
    "head": ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n", b"200"),
    "204": ("GET", b"HTTP/1.1 204 No Content\r\n\r\n", b"204"),
    "304": ("GET", b'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\n\r\n', b"304"),
}


@pytest.mark.parametrize(("method", "response", "status"), NO_BODY.values(), ids=NO_BODY)
def test_a_response_without_a_body_has_none(
    proxy_fixtures: ProxyFixtures, method: str, response: bytes, status: bytes
) -> None:
    """HEAD keeps the Content-Length, and 204 and 304 get no body."""
    process, _, switch = proxy_fixtures
    switch.handler = respond_with(response)
    head, body = send_raw(process.port, build_head(f"{method} /x"))
    assert (head.split()[1], body, b"content-length: 10" in head) == (status, b"", method == "HEAD")
    assert b"transfer-encoding" not in head.lower()


def test_a_redirect_is_forwarded(proxy_fixtures: ProxyFixtures) -> None:
    """The proxy does not follow a redirect."""
    process, upstream, switch = proxy_fixtures
    switch.handler = respond_with(
        b"HTTP/1.1 307 Go\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
    )
    before = len(upstream.heads)
    head, _ = send_raw(process.port, build_head("GET /x"))
    assert (head.split()[1], b"location: http://127.0.0.1:1/" in head, len(upstream.heads) - before) == (
        b"307",
        True,
        1,
    )
