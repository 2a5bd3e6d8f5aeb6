"""The services that the deployment and the mock both have: the two ids of each, and what is known about it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import unquote

from contract_tests.targets.base import Request, quote_segment

Write = Literal["create", "update"]

_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_UUID_BYTES = re.compile(_UUID.pattern.encode())
#: Stands for every property of a service, where the two stores certainly differ.
ALL = "*"


@dataclass(slots=True)
class KnownService:
    """A service; ``ours`` is empty if the mock could not be given it.

    ``values`` are the values sent in accepted writes, ``writes`` which write named each property last: 0 is the
    create, 1 the first update. ``parted`` are the properties that the two may store differently, because one accepted
    a write that the other refused.
    """

    theirs: str
    ours: str
    slug: str
    team: str
    type: str
    status: str = ""
    updates: int = 0
    values: dict[str, Any] = field(default_factory=dict)
    writes: dict[str, int] = field(default_factory=dict)
    parted: set[str] = field(default_factory=set)

    def record_write(self, write: Write, body: Mapping[str, Any], *, both: bool) -> None:
        """Record a write that both accepted, or one of them only: then its properties have parted."""
        if both:
            self.updates += write == "update"
            self.values |= body
            self.writes |= dict.fromkeys(body, self.updates)
            self.parted.difference_update(name for name, value in body.items() if value is not None)
        else:
            self.parted.update(body)


class Services:
    """All services of a run, found by either spelling of their id in the deployment, or by team and slug."""

    def __init__(self) -> None:
        self._by_id: dict[str, KnownService] = {}
        self._by_slug: dict[tuple[str, str], KnownService] = {}
        #: Slugs that one of the two may have stored, and the other has not.
        self.parted_slugs: set[str] = set()

    def add(self, service: KnownService) -> None:
        """Add a service that was created."""
        self._by_id[service.theirs.lower()] = service
        self._by_slug[service.team, service.slug] = service

    def find(self, identifier: str) -> KnownService | None:
        """Return the service with an id of the deployment, in any letter case."""
        return self._by_id.get(identifier.lower())

    def find_slug(self, team: str, slug: str) -> KnownService | None:
        """Return the service of a team with a slug."""
        return self._by_slug.get((team, slug))

    def __iter__(self) -> Iterator[KnownService]:
        """Yield every service, the oldest first."""
        return iter(self._by_id.values())

    def translate(self, request: Request) -> Request:
        """Return the request with the ids of the mock in place of those of the deployment."""
        body = request.body
        if body is not None and len(self._by_id):
            body = _UUID_BYTES.sub(lambda found: self._own(found[0].decode()).encode(), body)
        head, slash, last = request.path.rpartition("/")
        return Request(request.method, head + slash + self._translate_segment(last), request.headers, body)

    def _translate_segment(self, segment: str) -> str:
        known = self.find(unquote(segment))
        if known is not None and known.ours and not _UUID.fullmatch(known.theirs):
            return quote_segment(known.ours)
        return _UUID.sub(lambda found: self._own(found[0]), segment)

    def _own(self, identifier: str) -> str:
        """Return the mock's id of a service, in the letter case in which an id was written."""
        known = self.find(identifier)
        if known is None or not known.ours:
            return identifier
        if identifier == known.theirs:
            return known.ours
        return known.ours.lower() if identifier == identifier.lower() else known.ours.upper()
