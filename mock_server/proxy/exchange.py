"""One request on its way through the proxy: its body, its response so far, and its record."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, unquote

from mock_server.contract.model import Operation, Violation
from mock_server.proxy.headers import HeaderFields, violation_side
from mock_server.proxy.upstream import Target
from mock_server.validation.request import Request
from mock_server.web.journal import MAX_STORED_BODY, Journal
from mock_server.web.middleware import CONTROL_PREFIX
from mock_server.web.redaction import REDACTED, SECRET_HEADERS, Redactor, hide_values
from mock_server.web.wsgi import Environ, decoded_path

_CHUNK_BYTES = 64 * 1024


class RequestBody:
    """The body of a request as a stream; `stored` is its beginning, for the journal."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._start = b""
        self.stored = b""
        self._ended = False

    def read_start(self, limit: int) -> bytes:
        """Return the body up to one byte beyond the limit."""
        self._start = self._read(limit + 1)
        return self._start

    def __iter__(self) -> Iterator[bytes]:
        start, self._start = self._start, b""
        if start:
            yield start
        while part := self._read(_CHUNK_BYTES):
            yield part

    def to_send(self, lengths: list[str]) -> bytes | Iterator[bytes]:
        """Return the body in one piece if it is read already. Without a length it stays chunked."""
        whole = self._ended and (lengths or not self._start)
        return self._start if whole else iter(self)

    def _read(self, size: int) -> bytes:
        part = b""
        while len(part) < size and (more := self._stream.read(size - len(part))):
            part += more
        self._ended = len(part) < size
        self.stored += part[: MAX_STORED_BODY - len(self.stored)]
        return part


@dataclass(slots=True)
class ProxyExchange:
    """A request and its response so far; `operation` is None for a path outside the contract."""

    environ: Environ
    fields: HeaderFields
    target: Target
    body: RequestBody
    operation: Operation | None = None
    request: Request | None = None
    caller: str = ""
    violations: list[Violation] = field(default_factory=list)
    status: int = 0
    response_fields: HeaderFields = field(default_factory=list)
    response_body: bytes = b""
    started: float = field(default_factory=time.perf_counter)


class StreamedBody:
    """A response body on its way to the client; `end` is called once, with its beginning and whether it is whole."""

    def __init__(self, parts: Iterator[bytes], max_kept: int, end: Callable[[bytes, bool], None]) -> None:
        self._parts, self._max_kept, self._end = parts, max_kept, end
        self._kept, self._whole, self._closed = bytearray(), False, False

    def __iter__(self) -> Iterator[bytes]:
        for part in self._parts:
            self._kept += part[: max(0, self._max_kept - len(self._kept))]
            yield part
        self._whole = True
        self.close()

    def close(self) -> None:
        """Report the end. The server calls it, also if the response breaks off."""
        if not self._closed:
            self._closed = True
            self._end(bytes(self._kept), self._whole)


class ExchangeLogger:
    """Records each exchange in the journal and the log, without tokens."""

    def __init__(self, journal: Journal, redactor: Redactor, log: Callable[[str], object] | None) -> None:
        self._journal, self._redactor, self._log = journal, redactor, log

    def record(self, exchange: ProxyExchange, response_body: bytes, *, whole: bool = True) -> None:
        """Record a finished exchange; `response_body` may be the beginning only."""
        header = exchange.environ.get("HTTP_AUTHORIZATION")

        def clean(text: str) -> str:
            return self._redactor.redact(text, header)

        method, path = clean(str(exchange.environ["REQUEST_METHOD"])), clean(decoded_path(exchange.environ))
        milliseconds = (time.perf_counter() - exchange.started) * 1000
        if self._log is not None:
            outcome = f"{_format_rules(exchange.violations)}{'' if whole else ' broken off'}"
            self._log(f"{method} {quote(path, safe='/…')} {exchange.status}{outcome} {milliseconds:.1f} ms")
        if path.startswith(CONTROL_PREFIX):
            return
        self._journal.add(
            moment=datetime.now(UTC),
            method=method,
            path=path,
            query=clean(unquote(exchange.environ.get("QUERY_STRING", ""))),
            headers=_redact_headers(exchange.fields, clean),
            body=self._redact_bytes(exchange.body.stored, header),
            operation=exchange.operation.id if exchange.operation else "",
            caller=exchange.caller,
            status=exchange.status,
            response_headers=_redact_headers(exchange.response_fields, clean),
            response_body=self._redact_bytes(response_body[:MAX_STORED_BODY], header),
            violations=redact_violations(exchange, exchange.violations, self._redactor),
            milliseconds=milliseconds,
        )

    def _redact_bytes(self, body: bytes, header: str | None) -> bytes:
        """Return a body without tokens; bytes that are not text stay as they are."""
        authorization = (header or "").encode("latin-1", "replace").decode("utf-8", "surrogateescape")
        text = self._redactor.redact(body.decode("utf-8", "surrogateescape"), authorization)
        return text.encode("utf-8", "surrogateescape")


def redact_violations(
    exchange: ProxyExchange, violations: list[Violation], redactor: Redactor
) -> tuple[Violation, ...]:
    """Return the violations, without any value if the exchange repeats a token, since values are cut."""
    header, text = exchange.environ.get("HTTP_AUTHORIZATION"), _exchange_text(exchange)
    if redactor.redact(text, header) == text:
        return tuple(violations)

    def hide(violation: Violation) -> Violation:
        hidden = hide_values(violation)
        pointer = redactor.redact(hidden.mismatch.pointer, header)
        return hidden._replace(mismatch=hidden.mismatch._replace(pointer=pointer))

    return tuple(map(hide, violations))


def _exchange_text(exchange: ProxyExchange) -> str:
    """Return all that an exchange says outside `Authorization`."""
    texts = [value for name, value in exchange.fields if name.lower() != "authorization"]
    texts += [decoded_path(exchange.environ), *(value for _, value in exchange.response_fields)]
    sent = exchange.request.raw_body if exchange.request else exchange.body.stored
    texts += [body.decode("utf-8", "replace") for body in (sent, exchange.response_body)]
    return "\n".join(texts)


def _format_rules(violations: list[Violation]) -> str:
    """Return the rules for the log: ` rule,response:rule,rule(assumed)`."""
    rules = (
        f"{'response:' if violation_side(v) == 'response' else ''}{v.rule.id}"
        f"{'(assumed)' if v.rule.grade == 'assumed' else ''}"
        for v in violations
    )
    return f" {','.join(dict.fromkeys(rules))}" if violations else ""


def _redact_headers(fields: HeaderFields, clean: Callable[[str], str]) -> dict[str, str]:
    redacted: dict[str, str] = {}
    for name, value in fields:
        key = clean(name.title())
        secret = name.lower() in SECRET_HEADERS
        text = REDACTED if secret else _redact_authorization(name, value, clean)
        redacted[key] = f"{redacted[key]}, {text}" if key in redacted else text
    return redacted


def _redact_authorization(name: str, value: str, clean: Callable[[str], str]) -> str:
    if name.lower() != "authorization":
        return clean(value)
    scheme, blank, _ = value.partition(" ")
    return f"{scheme} {REDACTED}" if blank else REDACTED
