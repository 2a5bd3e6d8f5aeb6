"""The stores in memory, in SQLite and in PostgreSQL behave like one list of services."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC
from itertools import cycle, takewhile
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

from mock_server.services.addresses import open_store
from mock_server.services.model import STATUSES, IdTakenError, Service, SlugTakenError, Store
from tests.support.databases import STORES, store_address

#: Few texts, so that they repeat; some of them are difficult for databases and indexes.
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


class StoreMachine(RuleBasedStateMachine):
    """A store beside a list; `repr` distinguishes 1 from True and from 1.0."""

    def __init__(self, reopen_store: Callable[[], Store]) -> None:
        super().__init__()
        self.reopen_store, self.store = reopen_store, reopen_store()
        self.model: list[Service] = []
        with self.store.transaction() as transaction:
            transaction.clear()

    @rule(service=SERVICES, unique=st.booleans())
    def add(self, service: Service, unique: bool) -> None:
        """A taken id is refused first, then a taken slug; a slug that is no text is never taken."""
        expected: type[Exception] | None = None
        if unique and isinstance(service.slug, str) and self._find_by_slug(service.team, service.slug):
            expected = SlugTakenError
        if any(service.id == other.id for other in self.model):
            expected = IdTakenError
        actual = self._error_of(lambda transaction: transaction.add(service, unique=unique))
        assert actual is expected
        if actual is None:
            self.model.append(service)

    @precondition(lambda self: self.model)
    @rule(service=SERVICES, new_slug=st.booleans(), pick=st.integers(0, 9))
    def change(self, service: Service, new_slug: bool, pick: int) -> None:
        """A changed service keeps its position, and its slug may become that of another."""
        index = pick % len(self.model)
        old = self.model[index]
        new = replace(service, id=old.id, team=old.team, slug=service.slug if new_slug else old.slug)
        assert self._error_of(lambda transaction: transaction.replace(new)) is None
        self.model[index] = new

    @rule(service=SERVICES)
    def change_unknown_service(self, service: Service) -> None:
        """Replacing an unknown service raises KeyError."""
        missing = replace(service, id="no such id")
        assert self._error_of(lambda transaction: transaction.replace(missing)) is KeyError

    @rule(service_id=IDS)
    def get(self, service_id: str) -> None:
        """`get` returns the service of the id, or None."""
        matches = [service for service in self.model if service.id == service_id]
        assert repr(self._run(lambda transaction: transaction.get(service_id))) == repr(
            matches[0] if matches else None
        )

    @rule(team=TEAMS, slug=NAMES)
    def by_slug(self, team: str, slug: str) -> None:
        """`by_slug` returns the newest service of the slug, or None."""
        matches = self._find_by_slug(team, slug)
        assert repr(self._run(lambda transaction: transaction.by_slug(team, slug))) == repr(
            matches[-1] if matches else None
        )

    @rule()
    def clear(self) -> None:
        """`clear` deletes every service."""
        self._error_of(lambda transaction: transaction.clear())
        self.model.clear()

    @rule()
    def reopen(self) -> None:
        """A second connection finds the stored services."""
        self.store = self.reopen_store()

    @invariant()
    def same_services_in_same_order(self) -> None:
        """`all` returns every service, oldest first."""
        assert repr(self._run(lambda transaction: transaction.all())) == repr(self.model)

    @rule(limit=st.integers(1, 4))
    def newest(self, limit: int) -> None:
        """`newest` returns the last services, newest first, and `count` their number."""
        result = self._run(lambda transaction: (transaction.newest(limit), transaction.count()))
        assert repr(result) == repr((self.model[::-1][:limit], len(self.model)))

    @rule(limit=st.integers(1, 4), before=IDS)
    def newest_before(self, limit: int, before: str) -> None:
        """`newest` before a service returns those that are older; before an unknown one, none."""
        older = list(takewhile(lambda service: service.id != before, self.model))
        expected = older[::-1][:limit] if len(older) < len(self.model) else []
        assert repr(self._run(lambda transaction: transaction.newest(limit, before))) == repr(expected)

    def _find_by_slug(self, team: str, slug: str) -> list[Service]:
        return [s for s in self.model if s.team == team and isinstance(s.slug, str) and s.slug == slug]

    def _run(self, action: Callable[[Any], Any]) -> Any:
        with self.store.transaction() as transaction:
            return action(transaction)

    def _error_of(self, action: Callable[[Any], None]) -> type[Exception] | None:
        try:
            self._run(action)
        except (IdTakenError, SlugTakenError, KeyError) as error:
            return type(error)
        return None


@pytest.mark.slow
@pytest.mark.parametrize("kind", STORES)
def test_a_store_behaves_as_a_list_of_services(kind: str, tmp_path: Path) -> None:
    """Random additions, changes, renames, deletions and reconnections give the same result as on a list."""
    with store_address(kind, tmp_path) as url, ExitStack() as stack:
        stores = [open_store(url)] if kind == "memory" else [open_store(url), open_store(url)]
        for store in stores:
            stack.callback(getattr(store, "close", lambda: None))
        next_store = cycle(stores)
        run_state_machine_as_test(  # type: ignore[no-untyped-call]
            lambda: StoreMachine(lambda: next(next_store)),
            settings=settings(
                max_examples=50, stateful_step_count=25, deadline=None, suppress_health_check=[*HealthCheck]
            ),
        )
