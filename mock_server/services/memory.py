"""Services by team: the little that the behaviour asks of a store, a store in memory, and the way to others."""

import itertools
import threading
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

MEMORY = "memory"
_SCHEMES = ("sqlite", "postgresql", "postgres", "postgresql+psycopg")
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


class IdTakenError(Exception):
    """There is a service of that id."""


class UnreachableStoreError(Exception):
    """The database did not do what it was asked; nothing of the step is stored."""


class UnusableStoreError(ValueError):
    """What was named as a store is none; the message says what to name."""


class Transaction(Protocol):
    """What can be read and written in one step that no other interrupts."""

    def get(self, service_id: str) -> Service | None:
        """The service of that id, of whatever team."""

    def by_slug(self, team: str, slug: str) -> Service | None:
        """The newest service of the team that has the slug."""

    def all(self) -> list[Service]:
        """Every service, oldest first."""

    def newest(self, limit: int) -> list[Service]:
        """At most `limit` services, newest first."""

    def count(self) -> int:
        """How many services there are."""

    def add(self, service: Service, *, unique: bool = True) -> None:
        """Stores a new service; SlugTakenError where `unique` and the team has its slug already.

        IdTakenError where there is a service of its id.
        """

    def replace(self, service: Service) -> None:
        """Stores a service in place of the one of the same id, whose slug may be another's by then."""

    def clear(self) -> None:
        """Forgets every service."""


class Store(Protocol):
    """Keeps services."""

    def transaction(self) -> AbstractContextManager[Transaction]:
        """A step that no other interrupts; an exception within it leaves the store as it was."""


def opened(address: str) -> Store:
    """The store of `memory`, `sqlite:///file.db` or `postgresql://…`; else UnusableStoreError."""
    if address == MEMORY:
        return MemoryStore()
    scheme = address.partition(":")[0]
    if ":" not in address or scheme not in _SCHEMES:
        wanted = "memory, sqlite:///file.db or postgresql://user@host/database"
        raise UnusableStoreError(f"--store {scheme}: no such store; wanted {wanted}")
    try:
        from mock_server.services import sql

        return sql.opened(address)
    except ImportError as error:
        how = "pip install 'cyberun-contract-kit[sql]' (from a checkout: -e '.[sql]')"
        missing = f"{error.name or scheme} is not installed; {how}"
        raise UnusableStoreError(f"--store {scheme}: {missing}") from error


class MemoryStore:
    """A store that lives as long as its process: one lock around each step, two dictionaries."""

    def __init__(self) -> None:
        self._memory = _Memory()

    def transaction(self) -> AbstractContextManager[Transaction]:
        """A step that no other interrupts. Each step of the mock writes last, so there is nothing to undo."""
        return self._memory


class _Memory:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._services: dict[str, Service] = {}
        self._slugs: dict[tuple[str, str], str] = {}

    def __enter__(self) -> Transaction:
        self._lock.acquire()
        return self

    def __exit__(self, *_error: object) -> None:
        self._lock.release()

    def get(self, service_id: str) -> Service | None:
        return self._services.get(service_id)

    def by_slug(self, team: str, slug: str) -> Service | None:
        return self._services.get(self._slugs.get((team, slug), ""))

    def all(self) -> list[Service]:
        return list(self._services.values())

    def newest(self, limit: int) -> list[Service]:
        return list(itertools.islice(reversed(self._services.values()), limit))

    def count(self) -> int:
        return len(self._services)

    def add(self, service: Service, *, unique: bool = True) -> None:
        key = _key(service)
        if service.id in self._services:
            raise IdTakenError(service.id)
        if unique and key in self._slugs:
            raise SlugTakenError(service.slug)
        self._services[service.id] = service
        if key is not None:
            self._slugs[key] = service.id

    def replace(self, service: Service) -> None:
        old = self._services[service.id]
        self._services[service.id] = service
        if _key(old) != _key(service):
            for key in (_key(old), _key(service)):
                self._settle(key)

    def clear(self) -> None:
        self._services.clear()
        self._slugs.clear()

    def _settle(self, key: tuple[str, str] | None) -> None:
        """Lets the newest service of a slug have it; a slug is only ever changed while a rule is off."""
        newest = next((s.id for s in reversed(self._services.values()) if _key(s) == key), None)
        if key is not None and newest is not None:
            self._slugs[key] = newest
        elif key is not None:
            self._slugs.pop(key, None)


def _key(service: Service) -> tuple[str, str] | None:
    """A service without a slug of text (a rule is off) collides with nothing."""
    return (service.team, service.slug) if isinstance(service.slug, str) else None
