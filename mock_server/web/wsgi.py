"""The WSGI environ: its types, and the entries that the front, the middleware and the app exchange."""

import functools
from collections.abc import Callable, Iterable
from typing import Any

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
WsgiApp = Callable[[Environ, StartResponse], Iterable[bytes]]

#: Set by the middleware: the request as a `RawRequest`.
RAW_REQUEST = "mock_server.request"
#: Set by the app: the response as a `RequestOutcome`.
OUTCOME = "mock_server.outcome"
#: Set by the app: seconds to wait before the response is sent.
DELAY_SECONDS = "mock_server.delay_seconds"
#: Set by a server that waits for `DELAY_SECONDS` itself.
AWAITS_DELAY = "mock_server.awaits_delay"
#: Set by the front: the size of the whole body, of which `wsgi.input` may have the beginning only.
BODY_SIZE = "mock_server.body_size"
#: Set by the front: the refusal of a request that never arrived whole.
FRONT_PROBLEM = "mock_server.front_problem"
#: Set by the front: the header fields one by one, in order.
HEADER_FIELDS = "mock_server.header_fields"

#: Header fields that have other names in an environ.
_CONTENT_HEADERS = (("Content-Type", "CONTENT_TYPE"), ("Content-Length", "CONTENT_LENGTH"))


def request_headers(environ: Environ) -> dict[str, str]:
    """Return the header fields of a request, with names in title case; fields of one name are joined."""
    headers = {_header_name(key): str(value) for key, value in environ.items() if key.startswith("HTTP_")}
    for header, variable in _CONTENT_HEADERS:
        if environ.get(variable):
            headers[header] = str(environ[variable])
    return headers


def decoded_path(environ: Environ) -> str:
    """Return the path of a request as text."""
    return str(environ.get("PATH_INFO", "")).encode("latin-1", "replace").decode("utf-8", "replace")


@functools.lru_cache(1000)
def _header_name(variable: str) -> str:
    return variable[5:].replace("_", "-").title()
