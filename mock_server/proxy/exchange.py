"""One request on its way through the proxy: its body, what is known of its answer, and what is noted of both."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, unquote

from mock_server.contract.loader import Operation, Violation
from mock_server.proxy.headers import Fields, side
from mock_server.proxy.upstream import Target
from mock_server.validation.body import Call
from mock_server.web.journal import KEPT, Journal
from mock_server.web.middleware import CONTROL, DRAINED, Environ
from mock_server.web.redaction import HIDDEN, Tokens

_CHUNK = 64 * 1024
#: Beside `Authorization`, what opens something to whoever holds it.
_SECRET = frozenset({"cookie", "set-cookie", "proxy-authorization"})


class BrokenRequestError(Exception):
    """The client went away before the end of its body."""


class Incoming:
    """The body of a request: it begins when it is asked for, and what has come is not held for long."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._begun = b""
        self.kept = b""
        self.ended = False

    def begin(self, limit: int) -> bytes:
        """As much as there is, up to a byte beyond the limit."""
        parts: list[bytes] = []
        size = 0
        while size <= limit and (part := self._read(limit + 1 - size)):
            parts.append(part)
            size += len(part)
        self._begun = b"".join(parts)
        return self._begun

    def __iter__(self) -> Iterator[bytes]:
        begun, self._begun = self._begun, b""
        if begun:
            yield begun
        while part := self._read(_CHUNK):
            yield part

    def to_send(self, lengths: list[str]) -> bytes | Iterator[bytes]:
        """The body in one piece where that is at hand; what came in chunks, without a length, stays so."""
        whole = self.ended and (lengths or not self._begun)
        return self._begun if whole else iter(self)

    def drain(self) -> None:
        """Reads what nobody wants, within bounds, so that the sender gets to read its answer."""
        size = 0
        while size < DRAINED and (part := self._read(_CHUNK)):
            size += len(part)

    def _read(self, size: int) -> bytes:
        try:
            part: bytes = b"" if self.ended else self._stream.read(size)
        except Exception as error:  # each server has its own
            raise BrokenRequestError("the request broke off before the end of its body") from error
        self.ended = not part
        self.kept += part[: KEPT - len(self.kept)]
        return part


@dataclass(slots=True)
class Passage:
    """A request, and what is known of its answer so far; `operation` is None where the contract has none."""

    environ: Environ
    fields: Fields
    target: Target
    body: Incoming
    operation: Operation | None = None
    call: Call | None = None
    caller: str = ""
    violations: list[Violation] = field(default_factory=list)
    status: int = 0
    answer_fields: Fields = field(default_factory=list)
    started: float = field(default_factory=time.perf_counter)


class Streamed:
    """A body on its way to the client; `end` is told once, how much was kept and whether all of it has passed."""

    def __init__(self, parts: Iterator[bytes], keep: int, end: Callable[[bytes, bool], None]) -> None:
        self._parts, self._keep, self._end = parts, keep, end
        self._kept, self._whole, self._closed = bytearray(), False, False

    def __iter__(self) -> Iterator[bytes]:
        for part in self._parts:
            self._kept += part[: max(0, self._keep - len(self._kept))]
            yield part
        self._whole = True
        self.close()

    def close(self) -> None:
        """The server calls it, also where the answer breaks off."""
        if not self._closed:
            self._closed = True
            self._end(bytes(self._kept), self._whole)


class Record:
    """Notes each request in the journal and the log. No token gets into either."""

    def __init__(self, journal: Journal, tokens: Tokens, log: Callable[[str], object] | None) -> None:
        self._journal, self._tokens, self._log = journal, tokens, log

    def note(self, passage: Passage, answered: bytes, *, whole: bool = True) -> None:
        """Notes a request that is over; `answered` is the beginning of what went back."""
        header = passage.environ.get("HTTP_AUTHORIZATION")

        def clean(text: str) -> str:
            return self._tokens.hidden(text, header)

        method = clean(str(passage.environ["REQUEST_METHOD"]))
        path = clean(passage.environ["PATH_INFO"].encode("latin-1", "replace").decode("utf-8", "replace"))
        milliseconds = (time.perf_counter() - passage.started) * 1000
        if self._log is not None:
            said = f"{_rules(passage.violations)}{'' if whole else ' broken off'}"
            self._log(f"{method} {quote(path, safe='/…')} {passage.status}{said} {milliseconds:.1f} ms")
        if path.startswith(CONTROL):
            return
        self._journal.add(
            moment=datetime.now(UTC),
            method=method,
            path=path,
            query=clean(unquote(passage.environ.get("QUERY_STRING", ""))),
            headers=_shown(passage.fields, clean),
            body=self._bytes(passage.body.kept, header),
            operation=passage.operation.id if passage.operation else "",
            caller=passage.caller,
            status=passage.status,
            answer_headers=_shown(passage.answer_fields, clean),
            answer_body=self._bytes(answered[:KEPT], header),
            violations=cleaned(passage.violations, clean),
            milliseconds=milliseconds,
        )

    def _bytes(self, body: bytes, header: str | None) -> bytes:
        """A body without tokens; what is no text passes as it is."""
        own = (header or "").encode("latin-1", "replace").decode("utf-8", "surrogateescape")
        text = self._tokens.hidden(body.decode("utf-8", "surrogateescape"), own)
        return text.encode("utf-8", "surrogateescape")


def cleaned(violations: list[Violation], clean: Callable[[str], str]) -> tuple[Violation, ...]:
    """The violations, whose places and values may repeat what was sent."""

    def fault(violation: Violation) -> Violation:
        old = violation.fault
        pointer, seen, wanted = clean(old.pointer), clean(old.seen), clean(old.wanted)
        return violation._replace(fault=old._replace(pointer=pointer, seen=seen, wanted=wanted))

    return tuple(fault(violation) for violation in violations)


def _rules(violations: list[Violation]) -> str:
    """The rules for the log: ` rule,answer:rule,rule(assumed)`."""
    told = (
        f"{'answer:' if side(v) == 'answer' else ''}{v.rule.id}"
        f"{'(assumed)' if v.rule.grade == 'assumed' else ''}"
        for v in violations
    )
    return f" {','.join(dict.fromkeys(told))}" if violations else ""


def _shown(fields: Fields, clean: Callable[[str], str]) -> dict[str, str]:
    shown: dict[str, str] = {}
    for name, value in fields:
        key = clean(name.title())
        text = HIDDEN if name.lower() in _SECRET else _credentials(name, value, clean)
        shown[key] = f"{shown[key]}, {text}" if key in shown else text
    return shown


def _credentials(name: str, value: str, clean: Callable[[str], str]) -> str:
    if name.lower() != "authorization":
        return clean(value)
    scheme, blank, _ = value.partition(" ")
    return f"{scheme} {HIDDEN}" if blank else HIDDEN
