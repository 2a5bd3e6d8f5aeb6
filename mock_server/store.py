"""Services by team: the little that the behaviour asks of a store, and a store in memory."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

STATUSES = ("created", "deploying", "running", "stopping", "stopped", "failed")


@dataclass(frozen=True, slots=True)
class Service:
    """A stored definition; `values` holds its properties as they were sent, and the defaults."""

    id: str
    team: str
    slug: object
    status: str
    created_at: datetime
    updated_at: datetime
    values: Mapping[str, Any]


class SlugTakenError(Exception):
    """The team already has a service of that slug."""


class Transaction(Protocol):
    """What can be read and written in one step that no other interrupts."""

    def get(self, service_id: str) -> Service | None:
        """The service of that id, of whatever team."""

    def by_slug(self, team: str, slug: str) -> Service | None:
        """The newest service of the team that has the slug."""

    def all(self) -> list[Service]:
        """Every service, oldest first."""

    def add(self, service: Service, *, unique: bool = True) -> None:
        """Stores a new service; SlugTakenError where `unique` and the team has its slug already."""

    def replace(self, service: Service) -> None:
        """Stores a service in place of the one of the same id."""

    def clear(self) -> None:
        """Forgets every service."""


class Store(Protocol):
    """Keeps services."""

    def transaction(self) -> AbstractContextManager[Transaction]:
        """A step that no other interrupts; an exception within it leaves the store as it was."""


class MemoryStore:
    """A store that lives as long as its process: one lock around each step, two dictionaries."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._memory = _Memory()

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """A step that no other interrupts. Each step of the mock writes last, so there is nothing to undo."""
        with self._lock:
            yield self._memory


class _Memory:
    def __init__(self) -> None:
        self._services: dict[str, Service] = {}
        self._slugs: dict[tuple[str, str], str] = {}

    def get(self, service_id: str) -> Service | None:
        return self._services.get(service_id)

    def by_slug(self, team: str, slug: str) -> Service | None:
        return self._services.get(self._slugs.get((team, slug), ""))

    def all(self) -> list[Service]:
        return list(self._services.values())

    def add(self, service: Service, *, unique: bool = True) -> None:
        key = _key(service)
        if unique and key in self._slugs:
            raise SlugTakenError(service.slug)
        self._services[service.id] = service
        self._name(key, service)

    def replace(self, service: Service) -> None:
        old = self._services[service.id]
        if old.slug != service.slug:
            self._slugs.pop(_key(old) or ("", ""), None)
            self._name(_key(service), service)
        self._services[service.id] = service

    def clear(self) -> None:
        self._services.clear()
        self._slugs.clear()

    def _name(self, key: tuple[str, str] | None, service: Service) -> None:
        if key is not None:
            self._slugs[key] = service.id


def _key(service: Service) -> tuple[str, str] | None:
    """A service without a slug of text (a rule is off) collides with nothing."""
    return (service.team, service.slug) if isinstance(service.slug, str) else None
