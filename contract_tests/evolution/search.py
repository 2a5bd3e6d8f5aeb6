"""Search: for each change of a contract, a request that shows it, played on apps that serve both documents."""

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

from contract_tests.cases.callers import CallerPool, build_caller_pool, load_callers
from contract_tests.cases.model import Case, OperationId
from contract_tests.cases.tables import load_fixture_cases
from contract_tests.contract.resources import data_file
from contract_tests.contract.rules import load_catalogue
from contract_tests.contract.spec import Operation, list_operations, load_document
from contract_tests.evolution.bodies import BodyWriter
from contract_tests.evolution.candidates import Candidate, CandidateBuilder
from contract_tests.evolution.changes import OPERATIONS, Change, find_operation, list_changes, write_out
from contract_tests.evolution.play import Budget, Difference, Kind, Played, Player, Served
from contract_tests.evolution.responses import breaks_readers
from contract_tests.mutation.session import Factory, import_factory
from contract_tests.targets.base import TargetError
from contract_tests.targets.exchange import Redactor

DEFAULT_TARGET = "wsgi:mock_server:create_app"
_KINDS: tuple[Kind, ...] = ("breaking", "relaxed")
#: Candidates of one kind that the apps may contradict before the search goes on with all others.
_MAX_CONTRADICTED = 30


@dataclass(frozen=True, slots=True)
class Contract:
    """A contract: its name in messages, the document from ``write_out``, and its operations by id."""

    name: str
    document: Mapping[str, Any]
    operations: Mapping[str, Operation]


@dataclass(frozen=True, slots=True)
class Finding:
    """A change with its kind, and the case that shows it on new apps; without a case no witness was found.

    ``breaks_readers`` is true if a client that reads responses by the old contract may fail.
    """

    change: Change
    kind: Kind | None = None
    witness: Played | None = None
    breaks_readers: bool = False

    @property
    def breaks_clients(self) -> bool:
        """True if requests are refused, or responses differ, that clients of the old contract rely on."""
        return self.kind == "breaking" or self.breaks_readers


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of a search: requests and seconds; ``seed`` draws texts and slugs."""

    max_requests: int = 20_000
    seconds: float = 120.0
    seed: int = 0


@dataclass(slots=True)
class Evolution:
    """Two contracts, an app for any document, and the search for what separates them."""

    factory: Factory
    documents: tuple[Mapping[str, Any], Mapping[str, Any]]
    operations: tuple[Mapping[str, Operation], Mapping[str, Operation]]
    budget: Budget
    builder: CandidateBuilder
    caller_pool: CallerPool
    redactor: Redactor
    seed: int
    changes: list[Change] = field(default_factory=list)
    _together: dict[tuple[OperationId, Kind], Played] = field(default_factory=dict)

    def search(self) -> Iterator[Finding]:
        """Yield the findings of each change, in the order of the old document; then what only several explain."""
        for change in self.changes:
            for finding in self._search_change(change):
                yield self._mark_for_readers(finding)
        for (name, kind), played in self._together.items():
            if not self.explain(played, name) and (witness := self._confirm(played, kind)):
                place = find_operation(self.documents[0], name) or ()
                yield Finding(Change(name, place, "", "several changes together", (), ()), kind, witness)

    def _mark_for_readers(self, finding: Finding) -> Finding:
        """Return the finding of a response as one that breaks its readers, also if no request shows that."""
        if not breaks_readers(finding.change, self.documents[0]):
            return finding
        return replace(finding, kind=finding.kind or "response changed", breaks_readers=True)

    def open_player(
        self, change: Change | None = None, *, operation: str = "", redactor: Redactor | None = None
    ) -> Player:
        """Return a player with new apps of both contracts, and one of the old contract with a single change.

        Requests of ``operation`` are sent to its old path everywhere, others to the path of each contract.
        """
        old, new = map(self._serve, self.documents, self.operations)
        if operation:
            known = {**new.operations, operation: old.operations[operation]}
            new = replace(new, operations=known)
        rest = (self.caller_pool, redactor or self.redactor, self.budget, self.seed)
        if change is None or len(self.changes) == 1 or _is_moved(change):
            return Player([old, new], *rest)
        try:
            return Player([old, new, self._serve_single(change)], *rest)
        except TargetError:  # the factory may refuse a document that has one change only
            return Player([old, new], *rest)

    def explain(self, played: Played, operation: str) -> list[Change]:
        """Return the changes of an operation each of which alone leads to the same kind of difference."""
        return [c for c in self.changes if c.operation == operation and self._explains(c, played)]

    def _explains(self, change: Change, played: Played) -> bool:
        served = [self._serve(self.documents[0], self.operations[0]), self._serve_single(change)]
        try:
            player = Player(served, self.caller_pool, self.redactor, self.budget, self.seed)
        except TargetError:  # as in open_player
            return False
        again = player.play(played.case)
        return again.kinds[0] == played.kinds[0] and _share_name(played.differences[0], again.differences[0])

    def _serve(self, document: Mapping[str, Any], operations: Mapping[str, Operation]) -> Served:
        return Served(partial(self.factory, spec=document), operations)

    def _serve_single(self, change: Change) -> Served:
        return self._serve(change.apply(self.documents[0]), self.operations[0])

    def _search_change(self, change: Change) -> list[Finding]:
        player = self.open_player(change, operation=change.operation if _is_moved(change) else "")
        candidates = self.builder.list_candidates(change, self.documents)
        found: dict[Kind, Played] = {}
        for kind in _KINDS:
            expected = [candidate for candidate in candidates if candidate.expected == kind]
            for played in self._play(player, expected[:_MAX_CONTRADICTED]):
                if self._shows(change, played, kind):
                    found[kind] = played
                    break
        if not found:
            self._explore(change, player, candidates, found)
        confirmed = [(kind, self._confirm(played, kind, change)) for kind, played in found.items()]
        findings = [Finding(change, kind, witness) for kind, witness in confirmed if witness]
        return findings or [Finding(change)]

    def _explore(
        self, change: Change, player: Player, candidates: Iterable[Candidate], found: dict[Kind, Played]
    ) -> None:
        """Play all candidates until one is accepted by one contract only; keep the first other difference."""
        for played in self._play(player, candidates):
            kind = played.kinds[0]
            if kind is not None and self._shows(change, played, kind):
                found.setdefault(kind, played)
                if kind in _KINDS:
                    found.pop("response changed", None)
                    return

    def _play(self, player: Player, candidates: Iterable[Candidate]) -> Iterator[Played]:
        for candidate in candidates:
            if self.budget.is_spent:
                return
            yield player.play(candidate.case)

    def _shows(self, change: Change, played: Played, kind: Kind) -> bool:
        """Return whether a case shows a kind of difference, and the change alone leads to it."""
        if played.kinds[0] != kind:
            return False
        if not _is_explained(played):
            if kind in _KINDS:  # two refusals may differ because two changes refuse for their own reasons
                self._together.setdefault((change.operation, kind), played)
            return False
        return True

    def _confirm(self, played: Played, kind: Kind, change: Change | None = None) -> Played | None:
        """Return the case as played on new apps, None if they show something else."""
        operation = change.operation if change is not None and _is_moved(change) else ""
        again = self.open_player(operation=operation).play(played.case)
        names = {name for name, _, _ in played.differences[-1]}
        own = tuple(difference for difference in again.differences[0] if difference[0] in names)
        return replace(again, differences=(own,)) if again.kinds[0] == kind else None


def _is_moved(change: Change) -> bool:
    """Return whether an operation has another path or method, or is gone."""
    return change.keyword == "paths"


def _is_explained(played: Played) -> bool:
    """Return whether the last app, with one change only, differs from the first one as the new contract does."""
    same = played.kinds[0] is not None and played.kinds[0] == played.kinds[-1]
    return same and _share_name(played.differences[0], played.differences[-1])


def _share_name(first: Iterable[Difference], second: Iterable[Difference]) -> bool:
    return bool({name for name, _, _ in first} & {name for name, _, _ in second})


def read_contract(path: Path) -> Contract:
    """Return a contract; raise ValueError if the file cannot be read, or is not an OpenAPI document of this form."""
    try:
        document = load_document(path)
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}; name an openapi.yaml of the two operations") from None
    try:
        operations = {operation.id: operation for operation in list_operations(document)}
        return Contract(str(path), write_out(document), operations)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    except (AttributeError, KeyError, TypeError) as error:  # for example a text in place of parameters
        raise ValueError(f"{path}: a part of it has another form than expected: {error!r}") from None


def open_evolution(old: Contract, new: Contract, target: str, limits: Limits) -> Evolution:
    """Prepare a comparison; raise ValueError or TargetError if a contract or the factory cannot be used."""
    for contract in (old, new):
        missing = [name for name in OPERATIONS if name not in contract.operations]
        if missing and (contract is old or len(missing) == len(OPERATIONS)):
            raise ValueError(
                f"{contract.name} has no operation {missing[0]}; see spec/openapi.yaml for an example"
            )
    factory = import_factory(target)
    for contract in (old, new):
        _check_served(factory, contract)
    callers = load_callers(data_file("fixtures/callers.yaml"))
    further = {each.id: each for each in list_operations(load_document(data_file("spec/readback.yaml")))}
    # A new contract without an operation is sent the requests of the old one.
    operations = ({**further, **old.operations}, {**further, **old.operations, **new.operations})
    documents = (old.document, new.document)
    try:
        changes = list_changes(*documents)
    except (AttributeError, KeyError, TypeError) as error:  # for example a list in place of x-rules
        raise ValueError(f"{new.name}: a part of it has another form than expected: {error!r}") from None
    writer = BodyWriter(*operations, limits.seed)
    return Evolution(
        factory, documents, operations, Budget(limits.max_requests, limits.seconds, time.monotonic),
        CandidateBuilder(writer, _load_tables()), build_caller_pool(callers),
        Redactor(caller.token for caller in callers), limits.seed, changes,
    )  # fmt: skip


@cache
def _load_tables() -> tuple[Case, ...]:
    """Return the cases of the fixtures, which never change while the process lives."""
    return tuple(load_fixture_cases(load_catalogue()))


def _check_served(factory: Factory, contract: Contract) -> None:
    try:
        factory(spec=contract.document)
    except TargetError as error:
        raise ValueError(f"{contract.name}: the target refuses it: {error}") from None
