"""A WSGI request on its way in and out: the body read within bounds, the request noted and logged."""

import functools
import logging
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

from mock_server.faults.injector import CUT, Cut
from mock_server.web import responses
from mock_server.web.journal import KEPT, Journal
from mock_server.web.redaction import Tokens
from mock_server.web.responses import Answer

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
WsgiApp = Callable[[Environ, StartResponse], Iterable[bytes]]

RECEIVED = "mock_server.received"
OUTCOME = "mock_server.outcome"
CONTROL = "/_mock/"
_CHUNK = 64 * 1024
#: What is too large is read and dropped up to here, so that its sender gets to read the answer.
DRAINED = 64 * 1024 * 1024
#: Header fields that WSGI calls otherwise.
_NAMED = (("Content-Type", "CONTENT_TYPE"), ("Content-Length", "CONTENT_LENGTH"))
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST, PUT, DELETE",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Prefer, X-Team-ID",
    "Access-Control-Max-Age": "600",
}


class Received(NamedTuple):
    """What came of a request: the headers, of the body no more than the limit, and the size of the whole."""

    headers: Mapping[str, str]
    raw: bytes
    size: int


class Outcome(NamedTuple):
    """How a request was answered, for the journal and the log."""

    answer: Answer
    operation: str = ""
    caller: str = ""


def received(environ: Environ, limit: int) -> Received:
    """A request, its body read to its end or to a bound, whatever its headers say."""
    headers, stream = sent_headers(environ), environ["wsgi.input"]
    length = str(environ.get("CONTENT_LENGTH") or "")
    known = int(length) if length.isascii() and length.isdigit() and len(length) < 18 else None
    if known is None and not environ.get("wsgi.input_terminated"):
        return Received(headers, b"", 0)
    whole = DRAINED if known is None else min(known, DRAINED)
    kept: list[bytes] = []
    size = 0
    try:
        while size < whole:
            chunk = stream.read(min(whole - size, max(_CHUNK, min(limit, whole))))
            if not chunk:
                break
            if size < limit:
                kept.append(chunk[: limit - size])
            size += len(chunk)
    except (OSError, RuntimeError):  # the sender went away, or framed its chunks wrongly
        return Received(headers, b"".join(kept), size)
    return Received(headers, b"".join(kept), max(size, known or 0) if size >= whole else size)


class Front:
    """The outermost WSGI layer: it reads the body, lets the app answer, notes and logs the request."""

    def __init__(
        self,
        app: WsgiApp,
        journal: Journal,
        tokens: Tokens,
        limit: int,
        cors: bool,
        log: Callable[[str], object] | None,
    ) -> None:
        self._app = app
        self._journal = journal
        self._tokens = tokens
        self._limit = limit
        self._cors = cors
        self._log = log

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answers one request; what the app raises becomes a problem document and a line in the log."""
        started = time.perf_counter()
        environ[RECEIVED] = received(environ, self._limit)
        respond = _open_to_all(start_response) if self._cors else start_response
        try:
            body = self._preflight(environ, respond) or listed(self._app(environ, respond))
        except Exception:
            logging.getLogger(__name__).exception("the mock failed on %s", environ.get("PATH_INFO"))
            failed = responses.problem(500, "the mock failed; its log says where: please report it")
            environ[OUTCOME] = Outcome(failed)
            respond("500 Internal Server Error", answer_headers(failed), sys.exc_info())
            body = [failed.body]
        self._note(environ, (time.perf_counter() - started) * 1000)
        cut = environ.get(CUT)
        return body if cut is None else Cut(b"".join(body), cut, environ)

    def _preflight(self, environ: Environ, respond: StartResponse) -> list[bytes]:
        if not self._cors or environ.get("HTTP_ACCESS_CONTROL_REQUEST_METHOD") is None:
            return []
        if environ["REQUEST_METHOD"] != "OPTIONS":
            return []
        allowed = Answer(204, b"")
        environ[OUTCOME] = Outcome(allowed)
        respond("204 No Content", list(_PREFLIGHT.items()))
        return [b""]

    def _note(self, environ: Environ, milliseconds: float) -> None:
        outcome = environ.get(OUTCOME)
        method, path = (
            environ["REQUEST_METHOD"],
            environ.get("PATH_INFO", "").encode("latin-1", "replace").decode("utf-8", "replace"),
        )
        if outcome is None:
            return
        given = outcome.answer
        if self._log is not None:
            rules = dict.fromkeys(violation.rule.id for violation in given.violations)
            refused = f" {','.join(rules)}" if rules else ""
            shown = quote(self._tokens.hidden(path, environ.get("HTTP_AUTHORIZATION")), safe="/…")
            self._log(f"{method} {shown} {given.status}{refused} {milliseconds:.1f} ms")
        if path.startswith(CONTROL):
            return
        self._journal.add(
            moment=datetime.now(UTC),
            method=method,
            path=path,
            query=unquote(environ.get("QUERY_STRING", "")),
            headers=environ[RECEIVED].headers,
            body=environ[RECEIVED].raw[:KEPT],
            operation=outcome.operation,
            caller=outcome.caller,
            status=given.status,
            answer_headers={"Content-Type": given.media_type, **given.headers},
            answer_body=given.body[:KEPT],
            violations=given.violations,
            milliseconds=milliseconds,
        )


def sent_headers(environ: Environ) -> dict[str, str]:
    """The header fields of a request; those of one name are one."""
    sent = {_field(name): str(value) for name, value in environ.items() if name.startswith("HTTP_")}
    for header, variable in _NAMED:
        if environ.get(variable):
            sent[header] = str(environ[variable])
    return sent


@functools.lru_cache(1000)
def _field(variable: str) -> str:
    """The name of the header field that WSGI calls so."""
    return variable[5:].replace("_", "-").title()


def listed(parts: Iterable[bytes]) -> list[bytes]:
    """All parts of an answer."""
    try:
        return list(parts)
    finally:
        getattr(parts, "close", lambda: None)()


def answer_headers(given: Answer) -> list[tuple[str, str]]:
    """The header fields of an answer."""
    named = {"Content-Type": given.media_type, "Content-Length": str(len(given.body)), **given.headers}
    return list(named.items())


def _open_to_all(start_response: StartResponse) -> StartResponse:
    def respond(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
        return start_response(status, [*headers, ("Access-Control-Allow-Origin", "*")], *rest)

    return respond
