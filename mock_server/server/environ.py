"""The WSGI environ of an ASGI request, and the refusal of a request that two servers may read in two ways."""

import functools
import sys
from collections import Counter
from typing import IO, Any

from mock_server.web.responses import Response, problem_response
from mock_server.web.wsgi import AWAITS_DELAY, HEADER_FIELDS, Environ

#: Of a refusal, since what follows on the connection may be a part of the request.
CLOSE = {"Connection": "close"}
#: Fields that a request has once at most, even with equal values (RFC 9110, 5.3).
_SINGLE_FIELDS = ("Host", "Content-Type", "Authorization", "X-Team-ID")


def build_environ(scope: dict[str, Any], body: IO[bytes]) -> Environ:
    """Return the WSGI environ of a request, with the raw path and query as `RAW_URI`."""
    host, port = scope.get("server") or ("localhost", 0)
    path, query = scope["raw_path"].decode("latin-1"), scope["query_string"].decode("latin-1")
    fields = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
    return {
        **_header_variables(fields),
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": scope["path"].encode("utf-8", "surrogateescape").decode("latin-1"),
        "QUERY_STRING": query,
        "RAW_URI": f"{path}?{query}" if query else path,
        "SERVER_NAME": str(host),
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": body,
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        HEADER_FIELDS: fields,
        AWAITS_DELAY: True,
    }


def check_fields(environ: Environ) -> Response | None:
    """Return the refusal of a request that two servers may read in two ways."""
    if environ["SERVER_PROTOCOL"] == "HTTP/1.1" and not environ.get("HTTP_HOST"):  # granian adds an empty one
        return problem_response(400, "Host: got none, expected the host of the request", (), CLOSE)
    if environ.get("HTTP_TRANSFER_ENCODING", "chunked").lower() != "chunked":
        return problem_response(400, "Transfer-Encoding: got another value, expected chunked", (), CLOSE)
    counts = Counter(name.lower() for name, _ in environ[HEADER_FIELDS])
    for name in _SINGLE_FIELDS:
        if (count := counts[name.lower()]) > 1:
            return problem_response(400, f"{name}: got {count} fields, expected one", (), CLOSE)
    return None


def _header_variables(fields: list[tuple[str, str]]) -> Environ:
    """Return the header fields under their WSGI names.

    A name with an underscore is left out: it would pass for the name with a hyphen.
    """
    variables: Environ = {}
    for name, value in fields:
        key = _variable_name(name)
        separator = "; " if key == "HTTP_COOKIE" else ","
        variables[key] = f"{variables[key]}{separator}{value}" if key in variables else value
    variables.pop("", None)
    return variables


@functools.lru_cache(1000)
def _variable_name(field_name: str) -> str:
    """Return the WSGI name of a header field, empty for a name with an underscore."""
    key = "" if "_" in field_name else field_name.upper().replace("-", "_")
    return key if key in {"", "CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"
