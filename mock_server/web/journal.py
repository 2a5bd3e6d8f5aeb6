"""The journal: the latest requests and their responses, shown without tokens."""

import itertools
import threading
from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from mock_server.contract.model import Violation
from mock_server.web.redaction import REDACTED, SECRET_HEADERS, Redactor, redact_authorization
from mock_server.web.responses import violation_to_json

MAX_ENTRIES = 10_000
#: Limit of all bodies together; the oldest entries are dropped beyond it.
MAX_JOURNAL_BYTES = 64 * 1024 * 1024
MAX_SHOWN_BODY = 64 * 1024
#: More bytes are stored than shown, so that a token is whole when it is redacted.
MAX_STORED_BODY = MAX_SHOWN_BODY + 4096


class JournalEntry(NamedTuple):
    """A request and its response, not redacted: show it through `Journal.entry_to_json` only.

    The status is 0 if no response was sent. `violations` are those of the request and, in a proxy, of the response.
    `ignored` are remarks about properties without effect; `injected` is the source of a fault, or empty. `detail`
    says, without a token, why a request was refused that breaks no rule.
    """

    number: int
    moment: datetime
    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    operation: str
    caller: str
    status: int
    response_headers: Mapping[str, str]
    response_body: bytes
    violations: tuple[Violation, ...]
    milliseconds: float
    ignored: tuple[str, ...] = ()
    injected: str = ""
    detail: str = ""

    def __repr__(self) -> str:
        """Return the number and the status only, since the rest may hold a token."""
        return f"<Entry {self.number}: {self.status}>"

    @property
    def time(self) -> str:
        """Return the time of the request in RFC 3339 format."""
        return self.moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    @property
    def rules(self) -> tuple[str, ...]:
        """Return the ids of the broken rules, each once."""
        return tuple(dict.fromkeys(violation.rule.id for violation in self.violations))

    @property
    def missing_caller(self) -> str:
        """Return what stands for the caller that the mock does not know: `none` without a token, else `unknown`."""
        return "unknown" if "Authorization" in self.headers else "none"

    @property
    def size_bytes(self) -> int:
        """Return the size of everything that is kept: bodies, headers, path, query and violations."""
        parts = (
            *self.headers.items(),
            *self.response_headers.items(),
            *(v.mismatch for v in self.violations),
        )
        texts = (
            self.method,
            self.path,
            self.query,
            self.detail,
            *self.ignored,
            *(text for part in parts for text in part),
        )
        return (
            len(self.body)
            + len(self.response_body)
            + sum(len(text.encode("utf-8", "surrogatepass")) for text in texts)
        )


_MATCHES: Mapping[str, Callable[[JournalEntry, str], bool]] = {
    "rule": lambda entry, value: value in entry.rules,
    "status": lambda entry, value: value == str(entry.status),
    "operation": lambda entry, value: value == entry.operation,
    "caller": lambda entry, value: value == (entry.caller or entry.missing_caller),
    "method": lambda entry, value: value.upper() == entry.method,
    "path": lambda entry, value: value in entry.path,
}
#: The names of the filters of a journal; `path` is a part of the path, the others are whole values.
FILTERS = tuple(_MATCHES)


class Journal:
    """The latest requests, oldest first, limited by their number and by their total size."""

    def __init__(
        self, redactor: Redactor, max_entries: int = MAX_ENTRIES, max_bytes: int = MAX_JOURNAL_BYTES
    ) -> None:
        self._redactor = redactor
        self._max_entries, self._max_bytes, self._size_bytes = max_entries, max_bytes, 0
        self._entries: deque[JournalEntry] = deque()
        self._sizes: deque[int] = deque()
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def add(self, **fields: Any) -> None:
        """Record a request; `fields` are those of JournalEntry except the number."""
        with self._lock:
            entry = JournalEntry(next(self._numbers), **fields)
            self._entries.append(entry)
            self._sizes.append(entry.size_bytes)
            self._size_bytes += self._sizes[-1]
            while len(self._entries) > self._max_entries or self._size_bytes > self._max_bytes:
                self._entries.popleft()
                self._size_bytes -= self._sizes.popleft()

    def clear(self) -> None:
        """Delete all entries."""
        with self._lock:
            self._entries.clear()
            self._sizes.clear()
            self._size_bytes = 0

    def __len__(self) -> int:
        """Return the number of entries."""
        return len(self._entries)

    def select(self, **filters: str | None) -> list[JournalEntry]:
        """Return the entries that match all `filters`, whose names are those of `FILTERS`; None matches all."""
        with self._lock:
            entries = list(self._entries)
        asked = [(_MATCHES[name], value) for name, value in filters.items() if value is not None]
        return [entry for entry in entries if all(matches(entry, value) for matches, value in asked)]

    def entry(self, number: int) -> JournalEntry | None:
        """Return the entry with that number, or None if it was deleted."""
        with self._lock:
            index = number - self._entries[0].number if self._entries else -1
            return self._entries[index] if 0 <= index < len(self._entries) else None

    def path(self, entry: JournalEntry) -> str:
        """Return the redacted path of an entry."""
        return self._redactor.redact(entry.path, entry.headers.get("Authorization", ""))

    def entry_to_json(self, entry: JournalEntry) -> dict[str, Any]:
        """Return an entry as JSON values, with all tokens redacted."""
        header = entry.headers.get("Authorization", "")

        def clean(text: str) -> str:
            return self._redactor.redact(text, header)

        headers = {
            clean(name): REDACTED if name.lower() in SECRET_HEADERS else clean(value)
            for name, value in entry.headers.items()
        }
        if header:
            headers["Authorization"] = f"{redact_authorization(header)} ({entry.caller or 'unknown'})"
        return {
            "number": entry.number,
            "time": entry.time,
            "method": entry.method,
            "path": clean(entry.path),
            "query": clean(entry.query),
            "headers": headers,
            "body": clean(entry.body.decode("utf-8", "replace"))[:MAX_SHOWN_BODY],
            "operation": entry.operation or None,
            "caller": entry.caller or None,
            "status": entry.status,
            "rules": list(entry.rules),
            "violations": [
                {name: clean(text) for name, text in violation_to_json(violation).items()}
                for violation in entry.violations
            ],
            "ignored": list(entry.ignored),
            "injected": entry.injected or None,
            "response_headers": {clean(name): clean(value) for name, value in entry.response_headers.items()},
            "response_body": clean(entry.response_body.decode("utf-8", "replace"))[:MAX_SHOWN_BODY],
            "milliseconds": round(entry.milliseconds, 3),
        }
