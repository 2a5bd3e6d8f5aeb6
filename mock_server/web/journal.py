"""The requests received, for "was this called" assertions. A token never appears in it."""

import itertools
import threading
from collections import deque
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from mock_server.contract.model import Violation
from mock_server.web.redaction import REDACTED, Redactor
from mock_server.web.responses import violation_to_json

MAX_ENTRIES = 10_000
#: In bytes, of all the bodies that are kept together; the oldest requests make room.
MAX_JOURNAL_BYTES = 64 * 1024 * 1024
MAX_SHOWN_BODY = 64 * 1024
#: A little more is kept than shown, so that no token is cut in half before it is replaced.
MAX_STORED_BODY = MAX_SHOWN_BODY + 4096


class JournalEntry(NamedTuple):
    """One request and how it was answered, as it came; it is shown through `Journal.shown` only.

    The status is 0 where no answer was sent. `violations` are of the request, or of the answer (`in`: answer).
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

    def __repr__(self) -> str:
        """Without what was sent: a token may be in it."""
        return f"<Entry {self.number}: {self.status}>"

    @property
    def time(self) -> str:
        """When it came, as RFC 3339 writes it."""
        return self.moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    @property
    def rules(self) -> tuple[str, ...]:
        """The ids of the rules that were broken, each once."""
        return tuple(dict.fromkeys(violation.rule.id for violation in self.violations))

    @property
    def size_bytes(self) -> int:
        """The bytes of the bodies."""
        return len(self.body) + len(self.response_body)


class Journal:
    """The last requests, oldest first; older ones are forgotten, by number and by the room that they take."""

    def __init__(self, tokens: Redactor, length: int = MAX_ENTRIES, room: int = MAX_JOURNAL_BYTES) -> None:
        self._tokens = tokens
        self._length, self._room, self._taken = length, room, 0
        self._entries: deque[JournalEntry] = deque()
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def add(self, **parts: Any) -> None:
        """Notes a request."""
        with self._lock:
            entry = JournalEntry(next(self._numbers), **parts)
            self._entries.append(entry)
            self._taken += entry.size_bytes
            while len(self._entries) > self._length or self._taken > self._room:
                self._taken -= self._entries.popleft().size_bytes

    def clear(self) -> None:
        """Forgets every request."""
        with self._lock:
            self._entries.clear()
            self._taken = 0

    def __len__(self) -> int:
        """How many requests are kept."""
        return len(self._entries)

    def select(
        self, rule: str | None = None, status: str | None = None, operation: str | None = None
    ) -> list[JournalEntry]:
        """The requests that every given filter picks."""
        with self._lock:
            entries = list(self._entries)
        return [
            entry
            for entry in entries
            if (rule is None or rule in entry.rules)
            and (status is None or status == str(entry.status))
            and (operation is None or operation == entry.operation)
        ]

    def entry(self, number: int) -> JournalEntry | None:
        """The request of that number, while it is kept."""
        with self._lock:
            place = number - self._entries[0].number if self._entries else -1
            return self._entries[place] if 0 <= place < len(self._entries) else None

    def path(self, entry: JournalEntry) -> str:
        """The path of an entry, shown as `shown` does, without the cost of its bodies."""
        return self._tokens.redact(entry.path, entry.headers.get("Authorization", ""))

    def entry_to_json(self, entry: JournalEntry) -> dict[str, Any]:
        """An entry for the reader's eyes: each token is replaced."""
        header = entry.headers.get("Authorization", "")

        def clean(text: str) -> str:
            return self._tokens.redact(text, header)

        headers = {clean(name): clean(value) for name, value in entry.headers.items()}
        if header:
            headers["Authorization"] = f"Bearer {REDACTED} ({entry.caller or 'unknown'})"
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
            "response_headers": {name: clean(value) for name, value in entry.response_headers.items()},
            "response_body": clean(entry.response_body.decode("utf-8", "replace"))[:MAX_SHOWN_BODY],
            "milliseconds": round(entry.milliseconds, 3),
        }
