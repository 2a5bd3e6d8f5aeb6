"""The base URL of a target, and its connections."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from contract_tests.targets.base import Request, TargetError
from contract_tests.targets.http import HttpTarget


@pytest.mark.parametrize(
    "url",
    [
        "http://me:secret@h/api",
        "http://me@h/api",
        "ftp://h/api",
        "http://h/api?a=1",
        "h",
        "http://[::1/api",
        "http://me:secret@[::1/api",
        "http://me:secret@h:x/api",
        "me:secret@h/api",
        "ftp://me:secret@h",
        "http://h:99999/api",
        "http://h:x/api",
        "http://:80/api",
    ],
)
def test_an_unusable_base_url_is_one_sentence(url: str) -> None:
    """A URL with a user, another scheme or a query is refused; neither password nor query is repeated."""
    with pytest.raises(TargetError) as caught:
        HttpTarget(url)
    shown = url.replace("?a=1", "?…")
    assert str(caught.value).startswith(("--target ", repr(shown)))
    assert "secret" not in str(caught.value)


def test_reconnecting_opens_a_new_connection() -> None:
    """Requests share a connection until the target reconnects; the next ones share another."""
    ports = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            ports.append(self.client_address[1])
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        Thread(target=server.serve_forever, daemon=True).start()
        target = HttpTarget(f"http://127.0.0.1:{server.server_port}/api", connections=1)
        for reconnects in (False, False, True, False):
            if reconnects:
                target.reconnect()
            target.send(Request("GET", "/"))
        server.shutdown()
    first, second, third, fourth = ports
    assert (first == second, second != third, third == fourth) == (True, True, True)
