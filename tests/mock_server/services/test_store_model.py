"""The stores in memory, in SQLite and in PostgreSQL behave as one list of services would."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from mock_server.services import open_store
from mock_server.services.model import STATUSES, IdTakenError, Service, SlugTakenError, Store
from tests.support.databases import STORES, address

#: Few enough to meet again, and among them what databases and indexes choke on.
TEXTS = ("a", "b", "", "é", "\x00", "\ud800", "free:a", "x" * 9000, "a ")
IDS = st.sampled_from(("1", "2", "3", "4", "5", "6", "7", "\x00"))
TEAMS = st.just("red") | st.sampled_from(("red", "\ud800"))
NAMES = st.just("a") | st.just("b") | st.sampled_from(TEXTS)
SLUGS = NAMES | st.sampled_from((None, 1, True, ["a"]))
MOMENTS = st.datetimes().map(lambda moment: moment.replace(fold=0, tzinfo=UTC))
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=()))
)
VALUES = st.dictionaries(
    st.text(st.characters(exclude_categories=()), max_size=5),
    SCALARS | st.lists(SCALARS, max_size=3) | st.dictionaries(st.sampled_from(TEXTS), SCALARS, max_size=2),
    max_size=4,
)
SERVICES = st.builds(Service, IDS, TEAMS, SLUGS, st.sampled_from(STATUSES), MOMENTS, MOMENTS, VALUES)


class Machine(RuleBasedStateMachine):
    """A store beside a list; `repr` tells 1 from True and from 1.0."""

    def __init__(self, reopened: Callable[[], Store]) -> None:
        super().__init__()
        self.reopened, self.store = reopened, reopened()
        self.model: list[Service] = []
        with self.store.transaction() as step:
            step.clear()

    @rule(service=SERVICES, unique=st.booleans())
    def add(self, service: Service, unique: bool) -> None:
        """Refused for its id first, then for its slug, which is text or collides with nothing."""
        expected: type[Exception] | None = None
        if unique and isinstance(service.slug, str) and self._named(service.team, service.slug):
            expected = SlugTakenError
        if any(service.id == other.id for other in self.model):
            expected = IdTakenError
        seen = self._done(lambda step: step.add(service, unique=unique))
        assert seen is expected
        if seen is None:
            self.model.append(service)

    @precondition(lambda self: self.model)
    @rule(service=SERVICES, renamed=st.booleans(), pick=st.integers(0, 9))
    def change(self, service: Service, renamed: bool, pick: int) -> None:
        """It stays where it was; its slug may become that of another."""
        place = pick % len(self.model)
        old = self.model[place]
        new = replace(service, id=old.id, team=old.team, slug=service.slug if renamed else old.slug)
        assert self._done(lambda step: step.replace(new)) is None
        self.model[place] = new

    @rule(service=SERVICES)
    def change_what_is_not_there(self, service: Service) -> None:
        """There is nothing in place of which it could be."""
        missing = replace(service, id="no such id")
        assert self._done(lambda step: step.replace(missing)) is KeyError

    @rule(service_id=IDS)
    def get(self, service_id: str) -> None:
        """The service of the id, or none."""
        found = [service for service in self.model if service.id == service_id]
        assert repr(self._read(lambda step: step.get(service_id))) == repr(found[0] if found else None)

    @rule(team=TEAMS, slug=NAMES)
    def by_slug(self, team: str, slug: str) -> None:
        """The newest service of the slug, or none."""
        found = self._named(team, slug)
        assert repr(self._read(lambda step: step.by_slug(team, slug))) == repr(found[-1] if found else None)

    @rule()
    def clear(self) -> None:
        """Nothing is left."""
        self._done(lambda step: step.clear())
        self.model.clear()

    @rule()
    def reopen(self) -> None:
        """Another process finds what was stored."""
        self.store = self.reopened()

    @invariant()
    def the_same_services_in_the_same_order(self) -> None:
        """Every service, oldest first."""
        assert repr(self._read(lambda step: step.all())) == repr(self.model)

    @rule(limit=st.integers(1, 4))
    def newest(self, limit: int) -> None:
        """The last services, newest first, and how many there are."""
        told = self._read(lambda step: (step.newest(limit), step.count()))
        assert repr(told) == repr((self.model[::-1][:limit], len(self.model)))

    def _named(self, team: str, slug: str) -> list[Service]:
        return [s for s in self.model if s.team == team and isinstance(s.slug, str) and s.slug == slug]

    def _read(self, act: Callable[[Any], Any]) -> Any:
        with self.store.transaction() as step:
            return act(step)

    def _done(self, act: Callable[[Any], None]) -> type[Exception] | None:
        try:
            self._read(act)
        except (IdTakenError, SlugTakenError, KeyError) as error:
            return type(error)
        return None


@pytest.mark.parametrize("kind", STORES)
def test_a_store_behaves_as_a_list_of_services(kind: str, tmp_path: Path) -> None:
    """Whatever is added, changed, renamed, cleared and reopened, in whatever order."""
    with address(kind, tmp_path) as where, ExitStack() as stack:
        stores = [open_store(where)] if kind == "memory" else [open_store(where), open_store(where)]
        for store in stores:
            stack.callback(getattr(store, "close", lambda: None))
        turn = cycle(stores)
        run_state_machine_as_test(  # type: ignore[no-untyped-call]
            lambda: Machine(lambda: next(turn)),
            settings=settings(
                max_examples=50, stateful_step_count=25, deadline=None, suppress_health_check=[*HealthCheck]
            ),
        )
