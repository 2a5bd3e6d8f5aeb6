"""The requests that a mock received, as a test asks about them; a failure shows what there was."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

_COLUMNS = ("number", "method", "path", "caller", "status", "rules")
_MAX_ROWS = 20
_BASE = "/api/v1"


@dataclass(frozen=True, slots=True)
class ReceivedRequest:
    """One request as the journal shows it, without its token. The status is 0 where no answer was sent."""

    number: int
    time: str
    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: str
    operation: str | None
    caller: str | None
    status: int
    rules: tuple[str, ...]
    violations: tuple[dict[str, str], ...]
    response_headers: dict[str, str]
    response_body: str
    milliseconds: float

    def misses(self, filters: dict[str, Any]) -> int:
        """How many of the filters do not pick the request."""
        return sum(not self._has(name, expected) for name, expected in filters.items())

    def _has(self, name: str, expected: Any) -> bool:
        if name == "path":  # as it was sent, or as it follows the base URL
            return self.path in (expected, _BASE + expected)
        return expected in self.rules if name == "rule" else bool(getattr(self, name) == expected)


class RequestCount(int):
    """A number of requests that knows what was counted, and among what."""

    asked: "ReceivedRequests"
    filters: dict[str, Any]

    def explain(self) -> list[str]:
        """What was counted, and the requests received, near misses first."""
        return [f"{int(self)} {_describe_filters(self.filters)}", *self.asked.table(self.filters)]


class ReceivedRequests:
    """The requests received so far, oldest first; filters are rule, status, operation, caller, method, path."""

    def __init__(
        self, read: Callable[[], list[dict[str, Any]]], check: Callable[[dict[str, Any]], object]
    ) -> None:
        """`check` raises where a filter names what does not exist, so that a slip is never taken for "none"."""
        self._read, self._check = read, check

    def __iter__(self) -> Iterator[ReceivedRequest]:
        for entry in self._read():
            yield ReceivedRequest(
                **{**entry, "rules": tuple(entry["rules"]), "violations": tuple(entry["violations"])}
            )

    def __len__(self) -> int:
        return len(self._read())

    def __getitem__(self, index: int) -> ReceivedRequest:
        return list(self)[index]

    def __repr__(self) -> str:
        return "\n".join(self.table({}))

    def select(
        self,
        *,
        rule: str | None = None,
        status: int | None = None,
        operation: str | None = None,
        caller: str | None = None,
        method: str | None = None,
        path: str | None = None,
    ) -> list[ReceivedRequest]:
        """The requests that every given filter picks."""
        given = {"rule": rule, "status": status, "operation": operation, "caller": caller}
        filters = _without_none({**given, "method": method and method.upper(), "path": path})
        self._check(filters)
        return [received for received in self if not received.misses(filters)]

    def count(self, **filters: Any) -> RequestCount:
        """How many requests every given filter picks: a number whose failed comparison shows the requests."""
        count = RequestCount(len(self.select(**filters)))
        count.asked, count.filters = self, _without_none(filters)
        return count

    def assert_called(self, times: int | None = None, **filters: Any) -> list[ReceivedRequest]:
        """The requests picked; AssertionError where there are none, or not so many."""
        count = self.count(**filters)
        if count == times or (times is None and count):
            return self.select(**filters)
        wanted = "at least 1" if times is None else str(times)
        raise AssertionError("\n".join((f"expected {wanted}, received:", *count.explain())))

    def assert_called_once(self, **filters: Any) -> ReceivedRequest:
        """The one request picked; AssertionError where there is none, or more."""
        return self.assert_called(1, **filters)[0]

    def assert_not_called(self, **filters: Any) -> None:
        """AssertionError where a request is picked."""
        self.assert_called(0, **filters)

    def table(self, filters: dict[str, Any]) -> list[str]:
        """The requests as lines; those that miss the fewest filters first."""
        rows = sorted(self, key=lambda received: received.misses(filters))
        if not rows:
            return ["no request was received"]
        cells = [_COLUMNS, *(tuple(_format_cell(row, name) for name in _COLUMNS) for row in rows[:_MAX_ROWS])]
        widths = [max(len(row[i]) for row in cells) for i in range(len(_COLUMNS))]
        lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in cells]
        more = len(rows) - _MAX_ROWS
        return [*lines, f"and {more} more"] if more > 0 else lines


def _without_none(filters: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in filters.items() if value is not None}


def _describe_filters(filters: dict[str, Any]) -> str:
    named = ", ".join(f"{name}={value!r}" for name, value in filters.items())
    return f"requests with {named}; received:" if named else "requests; received:"


def _format_cell(received: ReceivedRequest, name: str) -> str:
    value = getattr(received, name)
    return ",".join(value) if isinstance(value, tuple) else "-" if value is None else str(value)[:70]
