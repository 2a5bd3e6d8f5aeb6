"""The requests received, for "was this called" assertions. A token never appears in it."""

import itertools
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mock_server.secrecy import HIDDEN, Tokens

LENGTH = 10_000
BODY = 64 * 1024
#: A little more is kept than shown, so that no token is cut in half before it is replaced.
KEPT = BODY + 4096


@dataclass(frozen=True, slots=True)
class Entry:
    """One request and how it was answered, as it came; it is shown through `Journal.shown` only."""

    number: int
    time: str
    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    operation: str
    caller: str
    status: int
    rules: tuple[str, ...]
    milliseconds: float


class Journal:
    """The last requests, oldest first; older ones are forgotten."""

    def __init__(self, tokens: Tokens, length: int = LENGTH) -> None:
        self._tokens = tokens
        self._entries: deque[Entry] = deque(maxlen=length)
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def add(self, **parts: Any) -> None:
        """Notes a request."""
        with self._lock:
            self._entries.append(Entry(next(self._numbers), **parts))

    def clear(self) -> None:
        """Forgets every request."""
        with self._lock:
            self._entries.clear()

    def select(
        self, rule: str | None = None, status: str | None = None, operation: str | None = None
    ) -> list[Entry]:
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

    def shown(self, entry: Entry) -> dict[str, Any]:
        """An entry for the reader's eyes: each token is replaced."""
        header = entry.headers.get("Authorization", "")

        def clean(text: str) -> str:
            return self._tokens.hidden(text, header)

        headers = {clean(name): clean(value) for name, value in entry.headers.items()}
        if header:
            headers["Authorization"] = f"Bearer {HIDDEN} ({entry.caller or 'unknown'})"
        return {
            "number": entry.number,
            "time": entry.time,
            "method": entry.method,
            "path": clean(entry.path),
            "query": clean(entry.query),
            "headers": headers,
            "body": clean(entry.body.decode("utf-8", "replace"))[:BODY],
            "operation": entry.operation or None,
            "caller": entry.caller or None,
            "status": entry.status,
            "rules": list(entry.rules),
            "milliseconds": entry.milliseconds,
        }
