"""Faults in what makes a slug unique: stores that look elsewhere, forget, or check and insert in two steps."""

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from mock_server.services.memory import MemoryStore
from mock_server.services.model import Service, SlugTakenError, Store, Transaction
from tests.support.gate.messages import (
    Interceptor,
    Request,
    Response,
    Send,
)
from tests.support.gate.planting import (
    Fault,
    remembering,
    stored_in,
)


class Other:
    """A store like the mock's but for what a subclass does otherwise."""

    def __init__(self) -> None:
        self.inner = MemoryStore()

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """A step that is this store's own."""
        with self.inner.transaction() as step:
            yield _Step(self, step)

    def add(self, step: Transaction, service: Service, *, unique: bool) -> None:
        """Stores a new service."""
        step.add(service, unique=unique)

    def replace(self, step: Transaction, service: Service) -> None:
        """Stores a service in place of another."""
        step.replace(service)


class _Step:
    def __init__(self, store: Other, step: Transaction) -> None:
        self._store, self._step = store, step

    def __getattr__(self, name: str) -> Any:
        return getattr(self._step, name)

    def add(self, service: Service, *, unique: bool = True) -> None:
        self._store.add(self._step, service, unique=unique)

    def replace(self, service: Service) -> None:
        self._store.replace(self._step, service)


def unique_among(key: Callable[[Service], object]) -> Callable[[], Store]:
    """A store in which a slug is used once among the services with the same key."""

    class Store(Other):
        def add(self, step: Transaction, service: Service, *, unique: bool) -> None:
            same = (
                other for other in step.all() if other.slug == service.slug and key(other) == key(service)
            )
            if unique and isinstance(service.slug, str) and any(same):
                raise SlugTakenError(service.slug)
            step.add(service, unique=False)

    return Store


class FreedByUpdate(Other):
    """An update of a service frees its slug."""

    def __init__(self) -> None:
        super().__init__()
        self._freed: set[object] = set()

    def add(self, step: Transaction, service: Service, *, unique: bool) -> None:
        """Lets a freed slug be taken again."""
        step.add(service, unique=unique and service.slug not in self._freed)

    def replace(self, step: Transaction, service: Service) -> None:
        """Frees the slug."""
        self._freed.add(service.slug)
        step.replace(service)


class Forgetful(Other):
    """Only the slugs of the last few services are known."""

    def add(self, step: Transaction, service: Service, *, unique: bool) -> None:
        """Looks at the last twenty of the team."""
        recent = [other for other in step.all() if other.team == service.team][-20:]
        if unique and any(other.slug == service.slug for other in recent):
            raise SlugTakenError(service.slug)
        step.add(service, unique=False)


class Racing:
    """The check and the insert are two steps, with a moment between."""

    def __init__(self, *, crashing: bool = False) -> None:
        self._inner = MemoryStore()
        self._crashing = crashing
        self._lock = threading.Lock()

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Everything but an insert happens at once."""
        with self._inner.transaction() as step:
            handed = step
        yield _RacingStep(handed, self._inner, self._crashing)


class _RacingStep:
    def __init__(self, step: Transaction, store: MemoryStore, crashing: bool) -> None:
        self._step, self._store, self._crashing = step, store, crashing

    def __getattr__(self, name: str) -> Any:
        return getattr(self._step, name)

    def add(self, service: Service, *, unique: bool = True) -> None:
        with self._store.transaction() as step:
            if unique and isinstance(service.slug, str) and step.by_slug(service.team, service.slug):
                raise SlugTakenError(service.slug)
        time.sleep(0.003)
        with self._store.transaction() as step:
            try:
                step.add(service, unique=self._crashing)
            except SlugTakenError as error:
                raise RuntimeError("UNIQUE constraint failed") from error


def _mine_only(_store: Store) -> Interceptor:
    """A slug is unique among what one caller created."""
    first: dict[str, str] = {}
    fresh = (f"mine-{number}" for number in itertools.count())

    def intercept(request: Request, send: Send) -> Response:
        slug = request.body.get("service_slug")
        if request.operation != "create" or not isinstance(slug, str):
            return send(request)
        owner = first.get(slug, request.token)
        response = send(request if owner == request.token else request.setting(service_slug=next(fresh)))
        if response.accepted:
            first.setdefault(slug, request.token)
        return response

    return intercept


def _reserving(_store: Store) -> Interceptor:
    """A create that is refused for its body takes its slug nevertheless."""
    taken: set[object] = set()

    def intercept(request: Request, send: Send) -> Response:
        slug = request.body.get("service_slug")
        if request.operation != "create" or not isinstance(slug, str):
            return send(request)
        if slug in taken:
            return Response(409)
        response = send(request)
        if response.status == 400:
            taken.add(slug)
        return response

    return intercept


UNIQUE: tuple[Fault, ...] = (
    stored_in("unique-across-teams", "slug-unique", unique_among(lambda _service: None)),
    stored_in("unique-within-a-type-only", "slug-unique",
              unique_among(lambda service: (service.team, service.values.get("service_type")))),
    stored_in("free-after-an-update", "slug-unique", FreedByUpdate),
    stored_in("free-after-twenty-others", "slug-unique", Forgetful),
    remembering("unique-within-a-caller-only", "slug-unique", _mine_only),
    remembering("taken-by-a-refused-create", "slug-unique", _reserving),
    stored_in("check-then-insert", "slug-unique", Racing),
    stored_in("check-then-insert-crashes", "slug-unique", lambda: Racing(crashing=True)),
)  # fmt: skip
