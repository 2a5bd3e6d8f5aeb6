"""Ways to a mock: in process, and over a real socket in a thread."""

import http.client
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.test import Client

from mock_server import create_app
from tests.support.fixture_player import Reply, Send


@contextmanager
def over_wsgi(app: Any = None) -> Iterator[Send]:
    """Sends straight to the WSGI app."""
    client = Client(app or create_app())

    def send(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        response = client.open(path, method=method, headers=list(headers.items()), data=body)
        return Reply(response.status_code, response.headers, response.data)

    yield send


class _Silent(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002
        """Says nothing."""


@contextmanager
def serving(app: Any) -> Iterator[int]:
    """The port at which an app is served by a thread."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Silent)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def over_socket(app: Any = None) -> Iterator[Send]:
    """Sends over a real socket, a connection per request."""
    with serving(app or create_app()) as port:

        def send(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
            try:
                connection.request(method, path, body or None, dict(headers))
                response = connection.getresponse()
                return Reply(response.status, dict(response.headers), response.read())
            finally:
                connection.close()

        yield send
