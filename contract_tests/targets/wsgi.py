"""A WSGI app in this process as a target, without a socket."""

import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from io import StringIO
from itertools import chain
from typing import Any
from urllib.parse import urlsplit

from werkzeug.test import create_environ, run_wsgi_app

from contract_tests.targets.base import (
    BUSY_STATUSES,
    MAX_RESPONSE_BYTES,
    MAX_RETRY_AFTER,
    RATE_LIMITED,
    USER_AGENT,
    Request,
    Response,
    tell_error,
)
from contract_tests.targets.clock import RunClock

#: Headers of a response and the characters in them: more than a client over HTTP takes.
_MAX_FIELDS, _MAX_HEAD = 1000, 2**20
#: Seconds before each further try of a request that the app is too busy for, unless its response asks for others.
_PAUSES = (0, 0.01, 0.01, 0.02, 0.02, 0.05, 0.05, 0.1, 0.1)


class WsgiTarget:
    """A WSGI app, called directly."""

    concurrent = False

    def __init__(
        self, app: Callable[..., Any], base_path: str = "/api/v1", timeout: float = 10.0, name: str = ""
    ) -> None:
        """Wrap an app; ``base_path`` precedes the paths of the contract, ``timeout`` seconds end a body."""
        self.app, self.clock, self.timeout = app, RunClock(), timeout
        self.url = "http://localhost" + base_path
        self.name = name or self.url
        self._base_path = base_path

    def send(self, request: Request) -> Response:
        """Call the app; send a request again that gets a 429 or a 503, within bounds."""
        resent = False
        for pause in _PAUSES:
            response = self._call(request)
            if response.status not in BUSY_STATUSES:
                break
            resent = resent or response.status != RATE_LIMITED
            self.clock.wait_while_busy(_read_retry_after(response) or pause)
        else:
            response = self._call(request)
        return replace(response, resent=resent)

    def _call(self, request: Request) -> Response:
        """Call the app once; an exception that it raises becomes a 500, as on a server."""
        environ = _build_environ(request, self._base_path)
        started = time.perf_counter()
        try:
            parts, status, headers = run_wsgi_app(self._call_app, environ)
            body = b"".join(parts)[:MAX_RESPONSE_BYTES]
            code, fields = _read_status(status), _read_fields(headers)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # an app may exit, and its framework may cancel it
            text = tell_error(error, repr).encode("utf-8", "replace")
            return Response(500, (), text, time.perf_counter() - started)
        return Response(code, fields, body, time.perf_counter() - started)

    def _call_app(self, environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        deadline = time.perf_counter() + self.timeout
        return _limit_parts(self.app(environ, start_response), deadline)

    def reconnect(self) -> None:
        """Do nothing: there is no connection."""

    def open_host(self) -> "WsgiTarget":
        """Return a target for all paths of the app."""
        return WsgiTarget(self.app, "", self.timeout)


def _read_retry_after(response: Response) -> int:
    """Return the seconds that a response asks to wait, within bounds; 0 if it names none."""
    asked = next((value.strip() for name, value in response.headers if name.lower() == "retry-after"), "")
    return min(int(asked), MAX_RETRY_AFTER) if re.fullmatch("[0-9]{1,9}", asked, re.ASCII) else 0


def _read_status(status: str) -> int:
    """Return the code of a status line; raise ValueError if a server could not send it."""
    code = status.partition(" ")[0]
    if not re.fullmatch("[2-9][0-9]{2}", code, re.ASCII):
        raise ValueError(f"the status {code[:20]!r} is not that of a final response")
    return int(code)


def _read_fields(headers: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Return the headers; raise TypeError for names or values that are no texts, ValueError if they are too many."""
    fields = tuple(headers)
    if not all(isinstance(text, str) for field in fields for text in field):
        raise TypeError("the name or the value of a header is no str")
    if len(fields) > _MAX_FIELDS or sum(map(len, chain.from_iterable(fields))) > _MAX_HEAD:
        raise ValueError(f"there are over {_MAX_FIELDS} headers, or over {_MAX_HEAD} characters in them")
    return fields


def _limit_parts(parts: Iterable[bytes], deadline: float) -> Iterator[bytes]:
    """Yield the parts of a body that are not empty, up to the size of a response and a time; then close the body."""
    size = 0
    try:
        for part in parts:
            if part:
                yield part
            size += len(part)
            if size >= MAX_RESPONSE_BYTES:
                return
            if time.perf_counter() > deadline:
                raise TimeoutError("the response has no end before the timeout")
    finally:
        getattr(parts, "close", lambda: None)()


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
