"""Values of the audit: a recorded case, and a mutant of it. Imports nothing of the packages under audit."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Entry = Mapping[str, Any]  # an entry of a HAR file
Place = Literal[
    "status of a success",
    "status of a refusal",
    "documented status of a refusal",
    "header",
    "body of a success",
    "id of a create",
    "id of an update",
    "another property of a success",
    "body of a refusal",
]


@dataclass(frozen=True, slots=True)
class RecordedCase:
    """The traffic of one case of the fixtures as entries of a HAR file; the last write request is under audit.

    ``stage`` is that of its rule, ``expect`` the expectation of the fixtures. ``own`` is true if the recorder of the
    gate wrote it. Other recorders leave out the token and the caller.
    """

    case: str
    stage: str
    expect: str
    entries: tuple[Entry, ...]
    own: bool

    @property
    def index(self) -> int:
        """The index of the entry under audit."""
        return max(i for i, entry in enumerate(self.entries) if _is_write(entry))

    @property
    def entry(self) -> Entry:
        """The entry under audit."""
        return self.entries[self.index]

    @property
    def method(self) -> str:
        """The method of the request under audit: POST for a create, PUT for an update."""
        return str(self.entry["request"]["method"])

    @property
    def response(self) -> Mapping[str, Any]:
        """The response under audit."""
        response: Mapping[str, Any] = self.entry["response"]
        return response

    def with_response(self, response: Mapping[str, Any]) -> tuple[Entry, ...]:
        """Return the entries with another response to the request under audit."""
        changed = {**self.entry, "response": response}
        return (*self.entries[: self.index], changed, *self.entries[self.index + 1 :])


@dataclass(frozen=True, slots=True)
class Mutant:
    """A recording with one response changed; ``own`` and ``case`` are those of the recorded case."""

    operator: str
    variant: str
    place: Place
    own: bool
    case: str
    entries: tuple[Entry, ...]


def is_success(response: Mapping[str, Any]) -> bool:
    """Return whether a recorded response has a status of 2xx."""
    return 200 <= int(response["status"]) < 300


def _is_write(entry: Entry) -> bool:
    request = entry["request"]
    return str(request["method"]) in ("POST", "PUT") and "/containers" in str(request["url"])
