"""The proxy over real sockets: what breaks stays broken, what is wrong is told."""

import contextlib
import socket
import ssl
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from werkzeug.test import Client

from mock_server.cli.main import main
from mock_server.proxy.app import create_proxy
from tests.support.proxy.fixtures import CREATE, MIB, OK, Switch, Trio, head, plain, running
from tests.support.proxy.processes import ByHand, Running, proxy, raw, sent, until


@pytest.fixture(scope="module")
def trio(closing: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Running, ByHand, Switch]:
    """One proxy for the module, its upstream, and how that answers."""
    return closing(running(tmp_path_factory.mktemp("proxy"), "--timeout", "2"))


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
    "closing": (lambda *_: None, b"502", b"without a response"),
    "no-http": (plain(b"hello\r\n\r\n"), b"502", b"without a response"),
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
        "got 'host', expected the base URL of an API such as https://host/api/v1",
    ),
    "password": (
        ["--upstream", "https://user:hidden@host/api"],
        "expected none: each caller sends its own token",
    ),
    "query": (["--upstream", "http://host/?a"], "expected the base URL of an API"),
    "port": (["--upstream", "http://host:99999/"], "expected the base URL of an API"),
    "rule": (["--upstream", "http://host", "--disable-rule", "slug-uniqe"], "did you mean slug-unique"),
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
