"""A store in memory, which lives as long as its process."""

import itertools
import threading
from contextlib import AbstractContextManager

from mock_server.services.model import IdTakenError, Service, SlugTakenError, Transaction


class MemoryStore:
    """A store in two dictionaries, with one lock around each transaction."""

    def __init__(self) -> None:
        self._transaction = _MemoryTransaction()

    def transaction(self) -> AbstractContextManager[Transaction]:
        """Return a transaction. The mock writes last in each, so nothing needs to be undone."""
        return self._transaction


class _MemoryTransaction:
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

    def newest(self, limit: int, before: str | None = None) -> list[Service]:
        services = iter(reversed(self._services.values()))
        if before is not None:
            services = itertools.dropwhile(lambda service: service.id != before, services)
            next(services, None)
        return list(itertools.islice(services, limit))

    def count(self) -> int:
        return len(self._services)

    def add(self, service: Service, *, unique: bool = True) -> None:
        key = _slug_key(service)
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
        if _slug_key(old) != _slug_key(service):
            for key in (_slug_key(old), _slug_key(service)):
                self._reassign_slug(key)

    def clear(self) -> None:
        self._services.clear()
        self._slugs.clear()

    def _reassign_slug(self, key: tuple[str, str] | None) -> None:
        """Give a slug to its newest service; a slug only ever changes while a rule is disabled."""
        newest = next((s.id for s in reversed(self._services.values()) if _slug_key(s) == key), None)
        if key is not None and newest is not None:
            self._slugs[key] = newest
        elif key is not None:
            self._slugs.pop(key, None)


def _slug_key(service: Service) -> tuple[str, str] | None:
    """Return the key of the slug index; None for a slug that is no text, as with a disabled rule."""
    return (service.team, service.slug) if isinstance(service.slug, str) else None
