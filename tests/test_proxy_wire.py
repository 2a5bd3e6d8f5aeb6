"""The proxy over real sockets: what goes in comes out, byte for byte, and as soon as it has come."""

import contextlib
import re
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from werkzeug.test import Client

from mock_server.cli import main
from mock_server.proxy import create_proxy
from tests.proxies import ByHand, Running, by_hand, proxy, raw, rest, sent, until

TOKEN = "sk-red-5f0c7c1e9a"
CREATE = "/api/v1/containers"
MIB = 1024 * 1024


def head(line: str = f"POST {CREATE}", *fields: str, close: bool = True) -> bytes:
    """The head of a request."""
    lines = [f"{line} HTTP/1.1", "Host: proxy.example", *fields, *(["Connection: close"] if close else [])]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def plain(answer: bytes) -> Callable[..., None]:
    """An upstream that sends these bytes and closes."""
    return lambda connection, *_: connection.sendall(answer)


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Switch:
    """An upstream whose handler a test sets, so that one proxy serves them all."""

    def __init__(self) -> None:
        self.handler: Callable[..., None] = plain(OK)

    def __call__(self, connection: socket.socket, request_head: bytes, body: bytes) -> None:
        """Answers as the test says."""
        self.handler(connection, request_head, body)


@contextmanager
def running(folder: Path, *arguments: str) -> Iterator[tuple[Running, ByHand, Switch]]:
    """A proxy before an upstream made by hand."""
    switch = Switch()
    with by_hand(switch) as upstream, proxy(upstream.url, folder, *arguments) as process:
        yield process, upstream, switch


@pytest.fixture(scope="module")
def trio(closing: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Running, ByHand, Switch]:
    """One proxy for the module, its upstream, and how that answers."""
    return closing(running(tmp_path_factory.mktemp("proxy"), "--timeout", "2"))


Trio = tuple[Running, ByHand, Switch]


# --- streams


STREAMS = {
    "chunked": (
        "GET /events",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"5\r\nfirst\r\n",
        b"5\r\nlater\r\n0\r\n\r\n",
    ),
    "with-its-length": ("GET /file", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n", b"first", b"later"),
    "until-closed": ("GET /old", b"HTTP/1.1 200 OK\r\n\r\n", b"first", b"later"),
    "a-long-answer-of-the-contract": (
        f"POST {CREATE}",
        b"HTTP/1.1 201 Created\r\nContent-Length: 100010\r\n\r\n",
        b"a" * 100_000 + b"first",
        b"later",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("line", "start", "first", "later"), STREAMS.values(), ids=STREAMS)
def test_an_answer_comes_as_it_is_sent(
    trio: Trio, line: str, start: bytes, first: bytes, later: bytes
) -> None:
    """The client has the first part before the upstream sends the next."""
    process, _, switch = trio
    seen = threading.Event()

    def handler(connection: socket.socket, *_: bytes) -> None:
        connection.sendall(start + first)
        assert seen.wait(10)
        connection.sendall(later)

    switch.handler = handler
    with sent(process.port, head(line)) as connection:
        until(connection, b"first")
        seen.set()
        assert later in rest(connection)


def test_the_head_of_an_answer_waits_for_no_body(trio: Trio) -> None:
    """A stream of events that is silent at first is open at once."""
    process, _, switch = trio
    seen = threading.Event()

    def handler(connection: socket.socket, *_: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        seen.wait(10)

    switch.handler = handler
    with sent(process.port, head("GET /events")) as connection:
        connection.settimeout(1)  # the proxy gives up after two
        assert b"text/event-stream" in until(connection, b"\r\n\r\n")
        seen.set()


def test_a_request_goes_on_as_it_comes(trio: Trio) -> None:
    """The upstream has the first part of a long body before the client sends the next."""
    process, _, _ = trio
    first, done = threading.Event(), []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def upstream() -> None:
            connection, _ = listening.accept()
            with connection:
                until(connection, b"first")
                first.set()
                done.append(until(connection, b"later")[-5:])
                connection.sendall(OK)

        threading.Thread(target=upstream, daemon=True).start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/api/v1"
        with (
            proxy(url, process.log.parent) as other,
            sent(other.port, head("PUT /file", "Content-Length: 10") + b"first") as connection,
        ):
            assert first.wait(10)
            connection.sendall(b"later")
            assert rest(connection).endswith(b"ok")
    assert done == [b"later"]


SIZE = 200 * MIB


def send_much(connection: socket.socket, *_: bytes) -> None:
    """Answers 200 MB."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % SIZE)
    for _part in range(200):
        connection.sendall(b"a" * MIB)


def counted(connection: socket.socket) -> int:
    """How many bytes come until the connection is closed."""
    return sum(iter(lambda: len(connection.recv(MIB)), 0))


@pytest.mark.parametrize("path", ["/file", CREATE])
def test_an_answer_of_any_size_takes_no_memory(trio: Trio, path: str) -> None:
    """Of 200 MB that pass, no more than a few are ever held."""
    process, _, switch = trio
    switch.handler = plain(OK)
    raw(process.port, head(f"POST {path}", "Content-Length: 0"))
    before = process.memory()
    switch.handler = send_much
    with sent(process.port, head(f"POST {path}", "Content-Length: 0")) as connection:
        assert counted(connection) > SIZE
    assert process.memory() - before < 24 * 1024


@pytest.mark.parametrize("path", ["/file", CREATE])
def test_a_request_of_any_size_takes_no_memory(tmp_path: Path, path: str) -> None:
    """The same in the other direction."""
    received: list[int] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def upstream() -> None:
            connection, _ = listening.accept()
            with connection:
                body = until(connection, b"\r\n\r\n").partition(b"\r\n\r\n")[2]
                size = len(body)
                while size < SIZE:
                    size += len(connection.recv(MIB))
                received.append(size)
                connection.sendall(OK)

        threading.Thread(target=upstream, daemon=True).start()
        with proxy(f"http://127.0.0.1:{listening.getsockname()[1]}/api/v1", tmp_path) as process:
            before = process.memory()
            with sent(process.port, head(f"POST {path}", f"Content-Length: {SIZE}")) as connection:
                for _ in range(200):
                    connection.sendall(b"a" * MIB)
                assert rest(connection).endswith(b"ok")
            assert (received, process.memory() - before < 24 * 1024) == ([SIZE], True)


def test_a_client_that_goes_away_ends_the_stream(trio: Trio) -> None:
    """The upstream need not send what nobody reads."""
    process, _, switch = trio
    ended = threading.Event()

    def handler(connection: socket.socket, *_: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        try:
            while True:
                connection.sendall(b"a" * 1000)
                time.sleep(0.01)
        except OSError:
            ended.set()

    switch.handler = handler
    with sent(process.port, head("GET /endless")) as connection:
        until(connection, b"aaaa")
    assert ended.wait(10)


def test_slow_streams_leave_room_for_others(trio: Trio) -> None:
    """While twenty answers are on their way, another call is answered at once."""
    process, _, switch = trio
    seen = threading.Event()

    def handler(connection: socket.socket, request_head: bytes, _: bytes) -> None:
        if b"/slow" in request_head:
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nbegun")
            seen.wait(10)
        else:
            connection.sendall(OK)

    switch.handler = handler
    connections = [socket.create_connection(("127.0.0.1", process.port), timeout=10) for _ in range(20)]
    for connection in connections:
        connection.sendall(head("GET /slow"))
    for connection in connections:
        until(connection, b"begun")
    assert raw(process.port, head("GET /quick"))[1] == b"ok"
    seen.set()
    for connection in connections:
        connection.close()


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


# --- what goes wrong


BROKEN = {
    "length": b"Content-Length: 100\r\n\r\nsome",
    "chunked": b"Transfer-Encoding: chunked\r\n\r\n4\r\nsome\r\n",
    "within-a-chunk": b"Transfer-Encoding: chunked\r\n\r\n9\r\nsome",
}


@pytest.mark.parametrize("path", ["/file", CREATE])
@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN)
def test_an_answer_that_breaks_off_stays_broken(trio: Trio, path: str, answer: bytes) -> None:
    """The client has what came, and can tell that it is not the whole."""
    process, _, switch = trio
    switch.handler = plain(b"HTTP/1.1 200 OK\r\n" + answer)
    got, body = raw(process.port, head(f"POST {path}", "Content-Length: 0"))
    assert b"some" in body
    assert b"content-length: 100" in got if b"100" in answer else not body.endswith(b"0\r\n\r\n")
    assert process.says(rf"POST {path} 200 .*broken off [0-9.]+ ms"), process.said()


@pytest.mark.parametrize("path", ["/file", CREATE])
@pytest.mark.parametrize(
    "fields", [["Content-Length: 100"], ["Transfer-Encoding: chunked"]], ids=["length", "chunked"]
)
def test_a_request_that_breaks_off_reaches_nobody_as_a_whole(
    trio: Trio, path: str, fields: list[str]
) -> None:
    """The upstream never takes the beginning for all of it."""
    process, upstream, switch = trio
    switch.handler = plain(OK)
    before = len(upstream.heads)
    with sent(process.port, head(f"POST {path}", *fields) + b'4\r\n{"a"\r\n') as connection:
        time.sleep(0.2)
        connection.close()
    time.sleep(0.3)
    assert len(upstream.heads) == before


DOWN = {
    "silent": (lambda *_: time.sleep(3), b"504", b"within 2 seconds"),
    "closing": (lambda *_: None, b"502", b"without an answer"),
    "no-http": (plain(b"hello\r\n\r\n"), b"502", b"without an answer"),
}


@pytest.mark.parametrize(("handler", "status", "words"), DOWN.values(), ids=DOWN)
def test_an_upstream_that_does_not_answer_is_told_of(
    trio: Trio, handler: Any, status: bytes, words: bytes
) -> None:
    """The client gets a problem document, and the log a line."""
    process, _, switch = trio
    switch.handler = handler
    got, body = raw(process.port, head("GET /x"))
    assert (got.split()[1], b"application/problem+json" in got, words in body) == (status, True, True)
    assert process.says(f"GET /x {status.decode()} "), process.said()


def test_an_upstream_that_is_not_there_is_told_of(tmp_path: Path) -> None:
    """Down, or without a name: a 502 that says which; a call is reported on all the same."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    with proxy(f"http://127.0.0.1:{port}/api/v1", tmp_path) as process:
        body = b"{" * MIB * 32
        got, answered = raw(process.port, head(f"POST {CREATE}", f"Content-Length: {len(body)}") + body)
    assert (got.split()[1], b"auth-required;in=request" in got) == (b"502", True)
    assert b"refused the connection" in answered
    unknown = Client(create_proxy("https://nowhere.invalid/api/v1")).get("/x")
    assert (unknown.status_code, "cannot be resolved" in unknown.json["detail"]) == (502, True)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for localhost that nobody vouches for, and its key, in one file."""
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    made = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "1",
        "-subj",
        "/CN=localhost",
    ]
    named = ["-addext", "subjectAltName=DNS:localhost", "-keyout", path, "-out", path.with_suffix(".crt")]
    subprocess.run([*made, *named], check=True, capture_output=True)
    path.write_bytes(path.read_bytes() + path.with_suffix(".crt").read_bytes())
    return path


@pytest.mark.parametrize(("trusted", "status"), [(False, b"502"), (True, b"200")], ids=["unknown", "trusted"])
def test_a_certificate_is_verified(tmp_path: Path, certificate: Path, trusted: bool, status: bytes) -> None:
    """An upstream whose certificate nobody vouches for is not sent a token; SSL_CERT_FILE may vouch for it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    received = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def upstream() -> None:
            with contextlib.suppress(OSError):
                connection = context.wrap_socket(listening.accept()[0], server_side=True)
                with connection:
                    received.append(until(connection, b"\r\n\r\n"))
                    connection.sendall(OK)

        threading.Thread(target=upstream, daemon=True).start()
        url = f"https://localhost:{listening.getsockname()[1]}/api/v1"
        known = {"SSL_CERT_FILE": str(certificate)} if trusted else {}
        with proxy(url, tmp_path, **known) as process:
            got, body = raw(process.port, head("GET /x"))
    assert (got.split()[1], b"TLS with the upstream failed" in body, len(received)) == (
        status,
        not trusted,
        int(trusted),
    )


def test_a_loop_is_seen(tmp_path: Path) -> None:
    """A proxy that forwards to itself says so, instead of going round."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    url = f"http://127.0.0.1:{port}/api/v1"
    with proxy(url, tmp_path, "--port", str(port)) as process:
        got, body = raw(process.port, head("GET /x"))
    assert (got.split()[1], b"forwards to this proxy" in body) == (b"508", True)


MISTAKES = {
    "no-upstream": ([], "Missing option '--upstream'"),
    "no-url": (
        ["--upstream", "host"],
        "'host' is not the base URL of an API; give one like https://host/api/v1",
    ),
    "password": (
        ["--upstream", "https://user:hidden@host/api"],
        "leave them out, each caller sends its own token",
    ),
    "query": (["--upstream", "http://host/?a"], "is not the base URL of an API"),
    "port": (["--upstream", "http://host:99999/"], "is not the base URL of an API"),
    "rule": (["--upstream", "http://host", "--without", "slug-uniqe"], "did you mean slug-unique"),
    "spec": (["--upstream", "http://host", "--spec", "nowhere.yaml"], "nowhere.yaml"),
    "callers": (["--upstream", "http://host", "--callers", "nowhere.yaml"], "nowhere.yaml"),
    "strict-alone": (["--upstream", "http://host", "--strict"], "give both"),
    "timeout": (["--upstream", "http://host", "--timeout", "0"], "--timeout"),
}


@pytest.mark.parametrize(("arguments", "said"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str
) -> None:
    """Exit code 2, the line says what would be right, and no password is repeated."""
    monkeypatch.setattr("signal.signal", lambda *_: None)
    done = CliRunner().invoke(main, ["proxy", *arguments])
    assert (done.exit_code, said in done.stderr, "hidden" in done.stderr) == (2, True, False), done.stderr
    assert done.stderr.strip().count("\n") == (0 if done.stderr.startswith("mock-server: ") else 3)


def test_a_port_that_is_taken_is_told(monkeypatch: pytest.MonkeyPatch, trio: Trio) -> None:
    """Two proxies do not share a port in silence."""
    monkeypatch.setattr("signal.signal", lambda *_: None)
    process, upstream, _ = trio
    done = CliRunner().invoke(main, ["proxy", "--upstream", upstream.url, "--port", str(process.port)])
    assert (done.exit_code, "choose another with --port" in done.stderr) == (2, True)
