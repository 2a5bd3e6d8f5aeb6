"""Clients of a mock: in process, and over a socket to a thread."""

import http.client
import io
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.test import Client

from mock_server import create_app
from tests.support.fixture_player import Response, Send


@contextmanager
def over_wsgi(app: Any = None) -> Iterator[Send]:
    """Yield a function that sends requests to the WSGI app."""
    client = Client(app or create_app())

    def send(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Response:
        content: dict[str, Any] = {"data": body}
        if "Transfer-Encoding" in headers:
            content = {"input_stream": io.BytesIO(body), "environ_overrides": {"wsgi.input_terminated": True}}
        response = client.open(path, method=method, headers=list(headers.items()), **content)
        return Response(response.status_code, response.headers, response.data)

    yield send


class _SilentHandler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002
        """Print nothing."""


@contextmanager
def serving(app: Any) -> Iterator[int]:
    """Serve an app in a thread, and yield its port."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_SilentHandler)
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
    """Yield a function that sends each request over a new connection."""
    with serving(app or create_app()) as port:

        def send(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Response:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
            try:
                chunked = "Transfer-Encoding" in headers
                content = iter([body]) if chunked else body or None
                connection.request(method, path, content, dict(headers), encode_chunked=chunked)
                response = connection.getresponse()
                return Response(response.status, dict(response.headers), response.read())
            finally:
                connection.close()

        yield send
