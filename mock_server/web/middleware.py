"""The outermost WSGI layer: it reads the body, answers what the app does not, records and logs each request."""

import logging
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

from mock_server.validation.authentication import bearer_token
from mock_server.validation.callers import Caller
from mock_server.web import responses
from mock_server.web.hosts import is_private_host
from mock_server.web.journal import MAX_STORED_BODY, Journal
from mock_server.web.redaction import Redactor
from mock_server.web.responses import Response
from mock_server.web.truncated_body import TRUNCATE_AT, TruncatedBody
from mock_server.web.wsgi import (
    AWAITS_DELAY,
    BODY_SIZE,
    DELAY_SECONDS,
    FRONT_PROBLEM,
    OUTCOME,
    RAW_REQUEST,
    Environ,
    StartResponse,
    WsgiApp,
    decoded_path,
    request_headers,
)

#: Prefix of the control plane and its pages.
CONTROL_PREFIX = "/_mock/"
#: A body that is too large is read up to here, so that its sender can read the response.
MAX_DRAIN_BYTES = 64 * 1024 * 1024
_CHUNK_BYTES = 64 * 1024
_PREFLIGHT_HEADERS = {
    "Access-Control-Allow-Methods": "GET, POST, PUT, DELETE",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Prefer, X-Team-ID",
    "Access-Control-Max-Age": "600",
}


class RawRequest(NamedTuple):
    """The headers of a request, its body cut at the limit, and the size of the whole body in bytes."""

    headers: Mapping[str, str]
    body: bytes
    body_size: int


class RequestOutcome(NamedTuple):
    """The response to a request, for the journal and the log."""

    response: Response
    operation: str = ""
    caller: str = ""


def read_request(environ: Environ, limit: int) -> RawRequest:
    """Return a request with at most `limit` bytes of its body; the rest is read up to a bound and dropped."""
    headers, stream = request_headers(environ), environ["wsgi.input"]
    if BODY_SIZE in environ:
        return RawRequest(headers, stream.read(limit), environ[BODY_SIZE])
    length = str(environ.get("CONTENT_LENGTH") or "")
    declared = int(length) if length.isascii() and length.isdigit() and len(length) < 18 else None
    if declared is None and not environ.get("wsgi.input_terminated"):
        return RawRequest(headers, b"", 0)
    end = MAX_DRAIN_BYTES if declared is None else min(declared, MAX_DRAIN_BYTES)
    parts: list[bytes] = []
    size = 0
    try:
        while size < end and (chunk := stream.read(min(end - size, max(_CHUNK_BYTES, min(limit, end))))):
            if size < limit:
                parts.append(chunk[: limit - size])
            size += len(chunk)
    except (OSError, RuntimeError):  # the sender closed the connection, or framed its chunks wrongly
        return RawRequest(headers, b"".join(parts), size)
    return RawRequest(headers, b"".join(parts), max(size, declared or 0) if size >= end else size)


@dataclass(frozen=True, slots=True)
class RequestMiddleware:
    """WSGI middleware around the app. `log` takes one line per request; `max_bytes` limits the body that is kept.

    `find_caller` returns the caller of a token, for requests of which the app names none. `hosts` are further names
    under which the control plane may be reached.
    """

    app: WsgiApp
    journal: Journal
    redactor: Redactor
    max_bytes: int
    cors: bool = False
    log: Callable[[str], object] | None = None
    hosts: frozenset[str] = frozenset()
    find_caller: Callable[[str], Caller | None] = lambda _token: None

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request; an exception of the app becomes a problem document and a line in the log."""
        started = time.perf_counter()
        environ[RAW_REQUEST] = read_request(environ, self.max_bytes)
        environ.pop("HTTP_UPGRADE", None)  # Werkzeug would refuse a WebSocket
        is_open = self.cors and not is_control_path(environ["PATH_INFO"])
        respond = _allow_any_origin(start_response) if is_open else start_response
        try:
            body = self._answer_here(environ, respond) or collect_body(self.app(environ, respond))
        except Exception:
            logging.getLogger(__name__).exception("the mock failed on %s", environ.get("PATH_INFO"))
            failure = responses.problem_response(500, "the mock failed; its log says where: please report it")
            environ[OUTCOME] = RequestOutcome(failure)
            respond("500 Internal Server Error", responses.response_headers(failure), sys.exc_info())
            body = [failure.body]
        delay = environ.get(DELAY_SECONDS, 0)
        self._record(environ, (time.perf_counter() - started + delay) * 1000)
        if delay and AWAITS_DELAY not in environ:
            time.sleep(delay)
        truncate_at = environ.get(TRUNCATE_AT)
        return body if truncate_at is None else TruncatedBody(b"".join(body), truncate_at, environ)

    def _answer_here(self, environ: Environ, respond: StartResponse) -> list[bytes]:
        """Return the body of a response that needs no app, or an empty list."""
        problem: Response | None = environ.get(FRONT_PROBLEM) or check_host(environ, self.hosts)
        if problem is not None:
            environ[OUTCOME] = RequestOutcome(problem)
            status = f"{problem.status} {responses.reason_phrase(problem.status)}"
            respond(status, responses.response_headers(problem))
            return [problem.body]
        preflight = "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in environ and environ["REQUEST_METHOD"] == "OPTIONS"
        if not (self.cors and preflight) or is_control_path(environ["PATH_INFO"]):
            return []
        environ[OUTCOME] = RequestOutcome(Response(204, b""))
        respond("204 No Content", list(_PREFLIGHT_HEADERS.items()))
        return [b""]

    def _record(self, environ: Environ, milliseconds: float) -> None:
        outcome: RequestOutcome | None = environ.get(OUTCOME)
        if outcome is None:
            return
        response, path, header = outcome.response, decoded_path(environ), environ.get("HTTP_AUTHORIZATION")
        method = self.redactor.redact(str(environ["REQUEST_METHOD"]), header)
        detail = self.redactor.redact(_shorten_detail(response), header)
        if self.log is not None:
            shown = quote(self.redactor.redact(path, header), safe="/…")
            self.log(f"{method} {shown} {_describe_response(response, milliseconds, detail)}")
        if is_control_path(path):
            return
        self.journal.add(
            moment=datetime.now(UTC),
            method=method,
            path=path,
            query=unquote(environ.get("QUERY_STRING", "")),
            headers=environ[RAW_REQUEST].headers,
            body=environ[RAW_REQUEST].body[:MAX_STORED_BODY],
            operation=outcome.operation,
            caller=outcome.caller or self._caller_name(environ),
            status=response.status,
            response_headers={"Content-Type": response.media_type, **response.headers},
            response_body=response.body[:MAX_STORED_BODY],
            violations=response.violations,
            ignored=response.ignored,
            detail=detail,
            injected=response.injected,
            milliseconds=milliseconds,
        )

    def _caller_name(self, environ: Environ) -> str:
        caller = self.find_caller(bearer_token(environ.get("HTTP_AUTHORIZATION")))
        return caller.name if caller else ""


def _shorten_detail(response: Response) -> str:
    """Return why a request was refused that breaks no rule, in one line, without the list of what is available."""
    text = "" if response.injected else response.detail.partition("; available")[0]
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _describe_response(response: Response, milliseconds: float, detail: str) -> str:
    """Return the status, the broken rules, the time, and the remarks of a response for the log."""
    rules = dict.fromkeys(violation.rule.id for violation in response.violations)
    broken = f" {','.join(rules)}" if rules else ""
    injected = f"; injected: {response.injected}" if response.injected else ""
    ignored = f"; ignored: {', '.join(response.ignored)}" if response.ignored else ""
    reason = f"; {detail}" if detail else ""
    return f"{response.status}{broken} {milliseconds:.1f} ms{reason}{injected}{ignored}"


def is_control_path(path: str) -> bool:
    """Return whether a path leads to the control plane. Flask reads several slashes at the start as one."""
    return f"/{path.lstrip('/')}".startswith(CONTROL_PREFIX)


def check_host(environ: Environ, hosts: frozenset[str]) -> Response | None:
    """Return the refusal of a request for a control plane under a name that may be another site's."""
    host = environ.get("HTTP_HOST", "")
    if not is_control_path(environ["PATH_INFO"]) or not host or is_private_host(host, hosts):
        return None
    expected = "an address, localhost, or a name given with --allow-host"
    return responses.problem_response(403, f"Host: got {host!r}, expected {expected}")


def collect_body(parts: Iterable[bytes]) -> list[bytes]:
    """Return all parts of a WSGI body, and close it."""
    try:
        return list(parts)
    finally:
        getattr(parts, "close", lambda: None)()


def _allow_any_origin(start_response: StartResponse) -> StartResponse:
    def respond(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
        return start_response(status, [*headers, ("Access-Control-Allow-Origin", "*")], *rest)

    return respond
