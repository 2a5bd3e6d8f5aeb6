"""The requests that a mock received, with assertions whose failures list these requests."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from mock_server.contract.suggestions import suggestion_suffix

_FILTERS = ("rule", "status", "operation", "caller", "method", "path")
_COLUMNS = ("number", "method", "path", "caller", "status", "rules")
_MAX_ROWS = 20
_BASE = "/api/v1"
#: Tracebacks of failing tests leave the frames of this module out.
__tracebackhide__ = True


@dataclass(frozen=True, slots=True)
class ReceivedRequest:
    """A request of the journal, without its token. The status is 0 if no response was sent."""

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
    ignored: tuple[str, ...]
    injected: str | None
    response_headers: dict[str, str]
    response_body: str
    milliseconds: float

    @property
    def json(self) -> Any:
        """The parsed body; raise ValueError if it is not JSON."""
        return json.loads(self.body)

    @property
    def reason(self) -> str:
        """Why the mock refused the request, in its words; an empty string if it did not."""
        try:
            problem = json.loads(self.response_body) if self.status >= 400 else None
        except ValueError:
            return ""
        return str(problem.get("detail", "")) if isinstance(problem, dict) else ""

    def count_misses(self, filters: dict[str, Any]) -> int:
        """Return the number of filters that the request does not match."""
        return sum(not self._matches(name, expected) for name, expected in filters.items())

    def _matches(self, name: str, expected: Any) -> bool:
        if name == "path":  # with or without the path of the base URL
            return self.path in (expected, _BASE + expected)
        return expected in self.rules if name == "rule" else bool(getattr(self, name) == expected)


class RequestCount(int):
    """A number of requests, which explains itself in a failed comparison."""

    requests: "ReceivedRequests"
    filters: dict[str, Any]

    def explain(self) -> list[str]:
        """Return lines with the filters and the requests received, near misses first."""
        first, *rest = self.requests.table(self.filters)
        matching = f"{int(self)} {_describe_filters(self.filters)}"
        return [f"{matching}; received:", first, *rest] if rest else [f"{matching}; {first}"]


class ReceivedRequests:
    """The requests received so far, oldest first; filters are rule, status, operation, caller, method, path."""

    def __init__(
        self, read: Callable[[], list[dict[str, Any]]], check: Callable[[dict[str, Any]], object]
    ) -> None:
        """Read the journal through `read`. `check` raises ValueError for an unknown name in a filter."""
        self._read, self._check = read, check

    def __iter__(self) -> Iterator[ReceivedRequest]:
        for entry in self._read():
            lists = {name: tuple(entry[name]) for name in ("rules", "violations", "ignored")}
            yield ReceivedRequest(**{**entry, **lists})

    def __len__(self) -> int:
        return len(self._read())

    def __getitem__(self, index: int) -> ReceivedRequest:
        received = list(self)
        try:
            return received[index]
        except IndexError:
            raise IndexError(f"no request has the index {index}: {len(received)} received") from None

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
        """Return the requests that match all filters; `rule` is the id of a rule, or of a choice of the profile."""
        if isinstance(status, str):
            raise TypeError(f"status: got {status!r}, expected a number such as 409")
        exact = {"rule": rule, "status": status, "operation": operation, "caller": caller}
        filters = _without_none({**exact, "method": method and method.upper(), "path": path})
        self._check(filters)
        return [received for received in self if not received.count_misses(filters)]

    def count(self, **filters: Any) -> RequestCount:
        """Return the number of requests that match all filters; a failed comparison lists the requests."""
        for name in filters:
            if name not in _FILTERS:
                hint = suggestion_suffix(name, _FILTERS)
                raise TypeError(f"{name}: unknown filter; available: {', '.join(_FILTERS)}{hint}")
        count = RequestCount(len(self.select(**filters)))
        count.requests, count.filters = self, _without_none(filters)
        return count

    def assert_called(self, times: int | None = None, **filters: Any) -> list[ReceivedRequest]:
        """Return the matching requests; raise AssertionError unless there are `times` of them, or at least one."""
        if isinstance(times, str):
            raise TypeError(
                f"times: got {times!r}, expected a number; a filter has a name, as in rule={times!r}"
            )
        count = self.count(**filters)
        if count == times or (times is None and count):
            return self.select(**filters)
        expected = "at least 1" if times is None else str(times)
        raise AssertionError(
            "\n".join((f"expected {expected}, got {count.explain()[0]}", *count.explain()[1:]))
        )

    def assert_called_once(self, **filters: Any) -> ReceivedRequest:
        """Return the only matching request; raise AssertionError unless there is exactly one."""
        return self.assert_called(1, **filters)[0]

    def assert_not_called(self, **filters: Any) -> None:
        """Raise AssertionError if a request matches."""
        self.assert_called(0, **filters)

    def explain(self) -> list[str]:
        """Return a table of the requests, and of each what it was refused for and which properties were ignored."""
        ignored = ((one.number, f"ignored: {', '.join(one.ignored)}") for one in self if one.ignored)
        reasons = ((one.number, one.reason) for one in self if one.reason)
        remarks = sorted([*reasons, *ignored], key=itemgetter(0))
        return [*self.table({}), *(f"{number}: {remark}" for number, remark in remarks[:_MAX_ROWS])]

    def table(self, filters: dict[str, Any]) -> list[str]:
        """Return a table of the requests; those that miss the fewest filters are first."""
        rows = sorted(self, key=lambda received: received.count_misses(filters))
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
    return f"requests with {named}" if named else "requests"


def _format_cell(received: ReceivedRequest, name: str) -> str:
    if name == "rules" and received.injected:  # as in the log
        rules = ",".join(received.rules)
        return f"{rules}; injected: {received.injected}".removeprefix("; ")
    value = getattr(received, name)
    return ",".join(value) if isinstance(value, tuple) else "-" if value is None else str(value)[:70]
