"""The stored service, and the protocol of a store."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

#: The address of the store in memory.
MEMORY = "memory"
STATUSES = ("created", "deploying", "running", "stopping", "stopped", "failed")
#: In these statuses an update is refused.
BUSY_STATUSES = ("deploying", "stopping")
#: By type: properties that only the other type uses.
UNUSED_PROPERTIES = {
    "deployed": ("external_url", "external_auth_credential_id"),
    "external": ("docker_image",),
}


@dataclass(frozen=True, slots=True)
class Service:
    """A stored service; `values` holds its properties as sent, and the defaults."""

    id: str
    team: str
    slug: object
    status: str
    created_at: datetime
    updated_at: datetime
    values: Mapping[str, Any]


class SlugTakenError(Exception):
    """Another service of the team has this slug."""


class IdTakenError(Exception):
    """Another service has this id."""


class StoreError(Exception):
    """The store failed during a transaction, which counts as not stored."""


class UnreachableStoreError(StoreError):
    """The database is away, locked or read-only, or its file is gone; another try may succeed."""


class UnreadableServiceError(StoreError):
    """A stored service cannot be read; the message names its id."""


class UnusableStoreError(ValueError):
    """A store that cannot be opened; the message says which address to give."""


class Transaction(Protocol):
    """Reads and writes that no other transaction interrupts."""

    def get(self, service_id: str) -> Service | None:
        """Return the service of that id, of any team; raise UnreadableServiceError if it cannot be read."""

    def by_slug(self, team: str, slug: str) -> Service | None:
        """Return the newest service of the team with that slug."""

    def all(self) -> list[Service]:
        """Return every service that can be read, oldest first."""

    def newest(self, limit: int, before: str | None = None) -> list[Service]:
        """Return those of the `limit` newest services that can be read, newest first.

        With `before`, an id, only services older than that one count: none if it does not exist.
        """

    def count(self) -> int:
        """Return the number of services."""

    def add(self, service: Service, *, unique: bool = True) -> None:
        """Store a new service.

        Raise IdTakenError if its id is taken, and SlugTakenError if `unique` and the team has its slug already.
        """

    def replace(self, service: Service) -> None:
        """Store a service in place of the one with its id. Its slug may have become another service's."""

    def clear(self) -> None:
        """Delete every service."""


class Store(Protocol):
    """Stores services."""

    def transaction(self) -> AbstractContextManager[Transaction]:
        """Return a transaction; an exception within it leaves the store unchanged. StoreError if the store fails."""
