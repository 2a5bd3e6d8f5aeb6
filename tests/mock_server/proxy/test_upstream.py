"""The proxy over sockets: failures of the upstream and invalid options."""

import contextlib
import socket
import ssl
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from werkzeug.test import Client

from mock_server.cli.main import main
from mock_server.proxy.app import create_proxy
from tests.support.certificates import make_certificate
from tests.support.proxy.fixtures import (
    CREATE,
    MIB,
    OK,
    ProxyFixtures,
    build_head,
    respond_with,
)
from tests.support.proxy.processes import (
    open_request,
    proxy_process,
    receive_until,
    send_raw,
)

BROKEN = {
    "length": b"Content-Length: 100\r\n\r\nsome",
    "chunked": b"Transfer-Encoding: chunked\r\n\r\n4\r\nsome\r\n",
    "within-a-chunk": b"Transfer-Encoding: chunked\r\n\r\n9\r\nsome",
}


@pytest.mark.parametrize("path", ["/file", CREATE])
@pytest.mark.parametrize("response", BROKEN.values(), ids=BROKEN)
def test_a_truncated_response_stays_truncated(
    proxy_fixtures: ProxyFixtures, path: str, response: bytes
) -> None:
    """The client receives the sent bytes, and can detect that the response is incomplete."""
    process, _, switch = proxy_fixtures
    switch.handler = respond_with(b"HTTP/1.1 200 OK\r\n" + response)
    head, body = send_raw(process.port, build_head(f"POST {path}", "Content-Length: 0"))
    assert b"some" in body
    assert b"content-length: 100" in head if b"100" in response else not body.endswith(b"0\r\n\r\n")
    assert process.wait_for_log(rf"POST {path} 200 .*broken off [0-9.]+ ms"), process.read_log()


@pytest.mark.parametrize("path", ["/file", CREATE])
@pytest.mark.parametrize(
    "fields", [["Content-Length: 100"], ["Transfer-Encoding: chunked"]], ids=["length", "chunked"]
)
def test_a_truncated_request_is_not_forwarded(
    proxy_fixtures: ProxyFixtures, path: str, fields: list[str]
) -> None:
    """The upstream never receives an incomplete request."""
    process, upstream, switch = proxy_fixtures
    switch.handler = respond_with(OK)
    before = len(upstream.heads)
    with open_request(process.port, build_head(f"POST {path}", *fields) + b'4\r\n{"a"\r\n') as connection:
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(1000):
            pass
    assert len(upstream.heads) == before


def test_unfinished_requests_hold_no_thread(proxy_fixtures: ProxyFixtures) -> None:
    """While more requests than threads are unfinished, another one is answered."""
    process, _, switch = proxy_fixtures
    switch.handler = respond_with(OK)
    with contextlib.ExitStack() as stack:
        for _ in range(100):
            stack.enter_context(
                open_request(process.port, build_head(f"POST {CREATE}", "Content-Length: 500"))
            )
        assert send_raw(process.port, build_head("GET /x"))[0].split()[1] == b"200"


DOWN = {
    "silent": (lambda *_: time.sleep(3), b"504", b"within 2 seconds"),
    "closing": (lambda *_: None, b"502", b"without a response"),
    "no-http": (respond_with(b"hello\r\n\r\n"), b"502", b"does not begin as HTTP"),
}


@pytest.mark.parametrize(("handler", "status", "words"), DOWN.values(), ids=DOWN)
@pytest.mark.slow
def test_an_upstream_without_a_response_is_reported(
    proxy_fixtures: ProxyFixtures, handler: Any, status: bytes, words: bytes
) -> None:
    """The client gets a problem document, and the log has a line."""
    process, _, switch = proxy_fixtures
    switch.handler = handler
    head, body = send_raw(process.port, build_head("GET /x"))
    assert (head.split()[1], b"application/problem+json" in head, words in body) == (status, True, True)
    assert process.wait_for_log(f"GET /x {status.decode()} "), process.read_log()


def test_an_unreachable_upstream_is_reported(tmp_path: Path) -> None:
    """A 502 gives the reason, and the request is still checked."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with proxy_process(f"http://127.0.0.1:{port}/api/v1", tmp_path) as process:
        body = b"{" * MIB * 32
        head, content = send_raw(
            process.port, build_head(f"POST {CREATE}", f"Content-Length: {len(body)}") + body
        )
    assert (head.split()[1], b"auth-required;in=request" in head) == (b"502", True)
    assert b"refused the connection" in content
    unknown = Client(create_proxy("https://nowhere.invalid/api/v1")).get("/x")
    assert (unknown.status_code, "cannot be resolved" in unknown.json["detail"]) == (502, True)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a self-signed certificate for localhost and its key, in one file."""
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.mark.parametrize(("trusted", "status"), [(False, b"502"), (True, b"200")], ids=["unknown", "trusted"])
@pytest.mark.slow
def test_a_certificate_is_verified(tmp_path: Path, certificate: Path, trusted: bool, status: bytes) -> None:
    """An upstream with an unknown certificate receives no token; SSL_CERT_FILE can add the certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    received = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve_once() -> None:
            with contextlib.suppress(OSError):
                connection = context.wrap_socket(server.accept()[0], server_side=True)
                with connection:
                    received.append(receive_until(connection, b"\r\n\r\n"))
                    connection.sendall(OK)

        threading.Thread(target=serve_once, daemon=True).start()
        url = f"https://localhost:{server.getsockname()[1]}/api/v1"
        environment = {"SSL_CERT_FILE": str(certificate)} if trusted else {}
        with proxy_process(url, tmp_path, **environment) as process:
            head, body = send_raw(process.port, build_head("GET /x"))
    assert (head.split()[1], b"TLS with the upstream failed" in body, len(received)) == (
        status,
        not trusted,
        int(trusted),
    )


def test_a_loop_is_detected(tmp_path: Path) -> None:
    """A proxy that forwards to itself responds with 508."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    url = f"http://127.0.0.1:{port}/api/v1"
    with proxy_process(url, tmp_path, "--port", str(port)) as process:
        head, body = send_raw(process.port, build_head("GET /x"))
    assert (head.split()[1], b"forwards to this proxy" in body) == (b"508", True)


def test_a_request_for_a_tunnel_is_refused(proxy_fixtures: ProxyFixtures) -> None:
    """CONNECT gets a 501 as a problem document, and is not forwarded."""
    process, upstream, switch = proxy_fixtures
    switch.handler = respond_with(OK)
    before = len(upstream.heads)
    head, body = send_raw(process.port, build_head("CONNECT a:443"))
    assert (head.split()[1], b"application/problem+json" in head, b"tunnel" in body) == (b"501", True, True)
    assert len(upstream.heads) == before


MISTAKES = {
    "no-upstream": ([], "Missing option '--upstream'"),
    "no-url": (
        ["--upstream", "host"],
        "got 'host', expected the base URL of an API such as https://host/api/v1",
    ),
    "password": (
        ["--upstream", "https://user:hidden@host/api"],
        "expected none: each caller sends its own token",
    ),
    "query": (["--upstream", "http://host/?hidden"], "got 'http://host/?…', expected the base URL"),
    "name": (["--upstream", "http://a..b/"], "expected the base URL of an API"),
    "long-name": (["--upstream", f"http://{'a' * 64}/"], "expected the base URL of an API"),
    "port": (["--upstream", "http://host:99999/"], "expected the base URL of an API"),
    "rule": (["--upstream", "http://host", "--disable-rule", "slug-uniqe"], "did you mean slug-unique"),
    "spec": (["--upstream", "http://host", "--spec", "nowhere.yaml"], "nowhere.yaml"),
    "callers": (["--upstream", "http://host", "--callers", "nowhere.yaml"], "nowhere.yaml"),
    "strict-alone": (["--upstream", "http://host", "--strict"], "give both"),
    "timeout": (["--upstream", "http://host", "--timeout", "0"], "--timeout"),
}


@pytest.mark.parametrize(("arguments", "message"), MISTAKES.values(), ids=MISTAKES)
def test_an_invalid_option_is_reported_on_one_line(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    """The exit code is 2, the line has the expected value, and no password is repeated."""
    monkeypatch.setattr("signal.signal", lambda *_: None)
    result = CliRunner().invoke(main, ["proxy", *arguments])
    assert (result.exit_code, message in result.stderr, "hidden" in result.stderr) == (2, True, False), (
        result.stderr
    )
    assert result.stderr.strip().count("\n") == (0 if result.stderr.startswith("mock-server: ") else 3)


def test_a_used_port_is_reported(monkeypatch: pytest.MonkeyPatch, proxy_fixtures: ProxyFixtures) -> None:
    """Two proxies do not share a port."""
    monkeypatch.setattr("signal.signal", lambda *_: None)
    process, upstream, _ = proxy_fixtures
    result = CliRunner().invoke(main, ["proxy", "--upstream", upstream.url, "--port", str(process.port)])
    assert (result.exit_code, "choose another with --port" in result.stderr) == (2, True)
