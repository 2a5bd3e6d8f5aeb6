"""Targets behind TLS."""

import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from contract_tests.targets.base import NoResponse, Request, Response
from contract_tests.targets.http import HttpTarget
from tests.support.certificates import make_certificate


class _Handler(BaseHTTPRequestHandler):
    """Answers each request after longer than a read waits before it looks at the clock of the run."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        time.sleep(0.7)
        self.send_response(201)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@contextmanager
def serve_tls(certificate: Path) -> Iterator[str]:
    """Serve over TLS; yield the base URL."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with HTTPServer(("127.0.0.1", 0), _Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"https://localhost:{server.server_address[1]}/api/v1"
        server.shutdown()


@pytest.mark.parametrize("trusted", [True, False])
@pytest.mark.slow
def test_a_certificate_is_verified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, trusted: bool) -> None:
    """A target with an unknown certificate gets no token; SSL_CERT_FILE, which the reason names, adds one.

    Slow responses are read whole.
    """
    certificate = make_certificate(tmp_path)
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with serve_tls(certificate) as url:
        received = HttpTarget(url).send(Request("POST", "/containers", (("A", "b"),), b"{}"))
    if trusted:
        assert isinstance(received, Response)
        assert (received.status, received.body) == (201, b"{}")
    else:
        assert isinstance(received, NoResponse)
        assert received.reason.startswith(
            "TLS failed: "
        )  # then the words of OpenSSL, which its version decides
        assert received.reason.endswith(" (SSL_CERT_FILE names a file of authorities to trust)")
