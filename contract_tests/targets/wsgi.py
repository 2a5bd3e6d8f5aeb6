"""A WSGI app in this process as a target, without a socket."""

import time
from collections.abc import Callable, Iterable
from io import StringIO
from typing import Any
from urllib.parse import urlsplit

from werkzeug.test import create_environ, run_wsgi_app

from contract_tests.targets.base import MAX_RESPONSE_BYTES, USER_AGENT, Request, Response
from contract_tests.targets.clock import RunClock


class WsgiTarget:
    """A WSGI app, called directly."""

    concurrent = False

    def __init__(self, app: Callable[..., Any], base_path: str = "/api/v1") -> None:
        """Wrap an app; ``base_path`` precedes the paths of the contract."""
        self.app, self.clock = app, RunClock()
        self.url = "http://localhost" + base_path
        self._base_path = base_path

    def send(self, request: Request) -> Response:
        """Call the app; an exception that it raises becomes a 500, as on a server."""
        environ = _build_environ(request, self._base_path)
        started = time.perf_counter()
        try:
            parts, status, headers = run_wsgi_app(self.app, environ)
            body, code = _read_body(parts), int(status.split()[0])
        except (Exception, SystemExit) as error:
            return Response(500, (), repr(error).encode(), time.perf_counter() - started)
        return Response(code, tuple(headers), body, time.perf_counter() - started)

    def reconnect(self) -> None:
        """Do nothing: there is no connection."""


def _read_body(parts: Iterable[bytes]) -> bytes:
    """Return the body, or its beginning if it is too long, as over HTTP; then close it."""
    body = bytearray()
    try:
        for part in parts:
            body += part
            if len(body) >= MAX_RESPONSE_BYTES:
                break
    finally:
        getattr(parts, "close", lambda: None)()
    return bytes(body[:MAX_RESPONSE_BYTES])


def _build_environ(request: Request, base_path: str) -> dict[str, Any]:
    parts = urlsplit(base_path + request.path)
    environ = create_environ(
        path=parts.path,
        base_url="http://localhost",
        query_string=parts.query,
        method=request.method,
        data=request.body if request.body is not None else b"",
        errors_stream=StringIO(),
    )
    environ["HTTP_USER_AGENT"] = USER_AGENT
    if any(name.lower() == "transfer-encoding" for name, _ in request.headers):
        del environ["CONTENT_LENGTH"]
        environ["wsgi.input_terminated"] = True
    for name, value in request.headers:
        key = name.upper().replace("-", "_")
        environ[key if key == "CONTENT_TYPE" else "HTTP_" + key] = value
    return environ
