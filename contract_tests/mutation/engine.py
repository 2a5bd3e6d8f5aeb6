"""Mutation: each small change of the contract, and whether the suite notices it.

Each mutant is served in this process, and the frozen deterministic cases are played against it with the oracle of
the unchanged contract, those of the changed rule first, until one of them sees a violation.
"""

import importlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from fnmatch import filter as filter_names
from fnmatch import fnmatchcase
from multiprocessing import get_all_start_methods, get_context
from pathlib import Path
from typing import Any, Literal, Protocol

import jsonschema_rs
import yaml

from contract_tests.cases.boundaries import derived_cases, fresh
from contract_tests.cases.model import Case
from contract_tests.cases.scenarios import directed
from contract_tests.cases.tables import fixture_cases
from contract_tests.contract.resources import data_file
from contract_tests.contract.spec import Spec
from contract_tests.execution.executor import Player, Result, TargetGone
from contract_tests.execution.factory import open_player
from contract_tests.execution.preflight import preflight
from contract_tests.execution.race import play_race, race_cases
from contract_tests.mutation.mutants import Mutant, base_document, mutants
from contract_tests.targets.base import TargetError
from contract_tests.targets.exchange import Exchange
from contract_tests.targets.wsgi import WsgiTarget

State = Literal["killed", "survived", "equivalent", "not observable", "invalid"]
Factory = Callable[..., Any]


class Subject(Protocol):
    """What can be killed: a mutant of the contract, or a fault of behaviour."""

    @property
    def id(self) -> str:
        """Its name."""
        ...

    @property
    def operator(self) -> str:
        """The kind of change."""
        ...

    @property
    def rules(self) -> tuple[str, ...]:
        """The rules that it changes."""
        ...

    def diff(self, document: Mapping[str, Any]) -> str:
        """Say what is changed."""
        ...


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one ``Subject``.

    For a killed one: the case, layer and rule that saw it, after how many requests, and ``needs`` where only the
    read-back or the control hook shows it. ``reason`` speaks of the others.
    """

    mutant: Any
    state: State
    case: str = ""
    layer: str = ""
    rule: str = ""
    requests: int = 0
    needs: str = ""
    reason: str = ""
    exchanges: tuple[Exchange, ...] = ()


@dataclass(slots=True)
class Bench:
    """What every mutant is tried with: the factory, the contract it starts from, the cases."""

    factory: Factory
    spec: Spec
    spec_path: Path | None
    control_hook: str | None
    cases: tuple[Case, ...]
    readback: bool
    equivalent: Mapping[str, str]
    open_answers: Mapping[str, str] = field(default_factory=dict)

    def player(self, document: Mapping[str, Any]) -> Player:
        """Return a player for a fresh app that serves the document; whatever the factory raises goes on."""
        return self.player_for(self.factory(spec=document))

    def player_for(self, app: Any) -> Player:
        """Return a player for a WSGI app."""
        target = WsgiTarget(app)
        player = open_player(target, spec=self.spec_path, control_hook=self.control_hook, parsed=self.spec)
        player.readback = self.readback
        return player


def open_bench(
    name: str, *, spec: Path | None = None, control_hook: str | None = None, equivalent: Path | None = None
) -> Bench:
    """Prepare the bench and see that the unchanged contract passes; TargetError says what is wrong."""
    from contract_tests.contract.spec import load_spec

    factory = _factory(name)
    original = load_spec(spec)
    bench = Bench(factory, original, spec, control_hook, (), False, load_equivalent(equivalent))
    player = bench.player(original.document)
    ready = preflight(player)
    bench.readback = ready.readback
    tables = fixture_cases(player.catalogue)
    derived = fresh(derived_cases(original, player.catalogue, player.bodies), tables)
    plain = (*tables, *derived, *directed(player.cast, player.bodies))
    bench.cases = tuple(player.cast.rotated(case) if case.value else case for case in plain)
    bench.spec = replace(original, document=base_document(original.document))
    results = list(_played(bench.player(bench.spec.document), bench.cases))
    violated = sorted({r.judgement.rule for r in results if r.judgement.outcome == "violated"})
    bench.open_answers = {r.case.id: r.judgement.answer for r in results if r.case.expect == "open"}
    if violated:
        raise TargetError(f"{name} violates the unchanged contract ({', '.join(violated)}); mend that first")
    return bench


def load_equivalent(path: Path | None = None) -> dict[str, str]:
    """Read the mutants that nobody could notice, each with its reason; ValueError says what is wrong."""
    file = path or data_file("fixtures/equivalent-mutants.yaml")
    entries = yaml.safe_load(file.read_text("utf-8")) or []
    if not isinstance(entries, list) or not all(
        isinstance(e, dict) and {"mutant", "reason"} <= e.keys() for e in entries
    ):
        raise ValueError(f"{file}: each entry needs mutant and reason")
    return {str(entry["mutant"]): str(entry["reason"]) for entry in entries}


def try_all(bench: Bench, chosen: Sequence[Subject], jobs: int | None = None) -> Iterator[Fate]:
    """Yield the fate of each mutant or fault, in their order; ``jobs`` processes share the work."""
    width = min(jobs or os.cpu_count() or 1, max(1, len(chosen)))
    if width == 1 or "fork" not in get_all_start_methods():
        yield from (fate(bench, subject) for subject in chosen)
        return
    # Handed to the children by fork, since factories and faults cannot be pickled.
    _SHARED.update(bench=bench, chosen=chosen)
    try:
        with ProcessPoolExecutor(width, mp_context=get_context("fork")) as pool:
            for number, found in enumerate(pool.map(_fate_in_child, range(len(chosen)), chunksize=4)):
                yield replace(found, mutant=chosen[number])
    finally:
        _SHARED.clear()


def fate(bench: Bench, subject: Subject) -> Fate:
    """Return what becomes of a mutant of the contract or of a fault of behaviour."""
    return judge_mutant(bench, subject) if isinstance(subject, Mutant) else judge_fault(bench, subject)


def judge_mutant(bench: Bench, mutant: Mutant) -> Fate:
    """Serve one mutant and play the cases until one sees it."""
    document = mutant.apply(bench.spec.document)
    if (problem := _malformed(document, mutant)) is not None:
        return Fate(mutant, "invalid", reason=problem)
    try:
        player = bench.player(document)
    except Exception as error:  # whatever a foreign factory raises on a document that it does not like
        return Fate(mutant, "invalid", reason=f"the target refuses it: {type(error).__name__}: {error}")
    differs = ""
    for result in _played(player, sorted(bench.cases, key=lambda case: _distance(case, mutant))):
        if result.judgement.outcome == "violated":
            return _killed(mutant, result, player)
        case = result.case
        if case.expect == "open" and result.judgement.answer != bench.open_answers.get(case.id):
            differs = case.id
    reason = _reason(bench, mutant)
    if differs and not reason:
        reason = f"it differs only where the pages leave both open ({differs})"
    if reason:
        return Fate(mutant, "equivalent", requests=player.requests, reason=reason)
    needs = {player.catalogue[rule].needs for rule in mutant.rules if rule in player.catalogue} - {None}
    unseen = ("read-back" in needs and not bench.readback) or (
        "control-hook" in needs and not bench.control_hook
    )
    state: State = "not observable" if unseen else "survived"
    return Fate(mutant, state, requests=player.requests, needs=", ".join(sorted(map(str, needs))))


def judge_fault(bench: Bench, subject: Subject) -> Fate:
    """Play the cases against an app with a fault in it, those of its rules first and once more at the end."""
    planted: Any = subject
    player = bench.player_for(planted.app())
    mine = [case for case in bench.cases if case.rule in subject.rules]
    others = [case for case in bench.cases if case.rule not in subject.rules]
    again = [case.again("late") for case in mine if case.expect == "refuse"]
    for result in _played(player, [*mine, *race_cases(), *others, *again]):
        if result.judgement.outcome == "violated":
            return _killed(subject, result, player)
    return Fate(subject, "survived", requests=player.requests)


def _killed(subject: Subject, result: Result, player: Player) -> Fate:
    judgement, case = result.judgement, result.case
    return Fate(
        subject, "killed", case.id, case.layer, judgement.rule, player.requests,
        _needs(case), judgement.reason, result.exchanges,
    )  # fmt: skip


def all_mutants(bench: Bench) -> list[Mutant]:
    """Return every mutant of the bench's contract."""
    return mutants(bench.spec.document)


def wrongly_listed(bench: Bench, fates: Iterable[Fate]) -> list[str]:
    """Return the ids that are listed as equivalent but were killed, or are no mutant of this contract."""
    killed = [fate.mutant.id for fate in fates if fate.state == "killed"]
    known = [mutant.id for mutant in all_mutants(bench)]
    return [name for name in bench.equivalent if filter_names(killed, name) or not filter_names(known, name)]


_SHARED: dict[str, Any] = {}


def _fate_in_child(number: int) -> Fate:
    # A fault cannot be pickled; the parent knows it by its place.
    return replace(fate(_SHARED["bench"], _SHARED["chosen"][number]), mutant=None)


def _played(player: Player, cases: Iterable[Case]) -> Iterator[Result]:
    for case in cases:
        try:
            yield play_race(player, case) if case.layer == "race" else player.play(case)
        except TargetGone:
            return


def _reason(bench: Bench, mutant: Mutant) -> str:
    """Return the reason with which a mutant is listed as equivalent; a listed name may have ``*`` in it."""
    return next((reason for name, reason in bench.equivalent.items() if fnmatchcase(mutant.id, name)), "")


def _distance(case: Case, mutant: Mutant) -> tuple[bool, bool, bool]:
    """Sort the cases that are likely to see a mutant first."""
    same_rule = case.rule in mutant.rules
    same_place = case.value is not None and case.value[2] in mutant.place
    same_operation = case.steps[-1].operation == mutant.operation
    return not (same_rule and same_operation), not same_rule, not (same_place and same_operation)


def _needs(case: Case) -> str:
    operations = {step.operation for step in case.steps}
    if "setStatus" in operations:
        return "control-hook"
    return "read-back" if "readContainer" in operations else ""


def _malformed(document: Mapping[str, Any], mutant: Mutant) -> str | None:
    """Say why the changed object is no schema, None where it is one."""
    node: Any = document
    for key in mutant.place:
        node = node[key]
    if "schema" in mutant.place:
        try:
            jsonschema_rs.meta.validate(_without_rules(node))
        except jsonschema_rs.ValidationError as error:
            return str(error.message)
    return None


def _without_rules(node: Any) -> Any:
    if isinstance(node, Mapping):
        return {key: _without_rules(value) for key, value in node.items() if key != "x-rules"}
    return [_without_rules(item) for item in node] if isinstance(node, list) else node


def _factory(name: str) -> Factory:
    module, _, attribute = name.removeprefix("wsgi:").partition(":")
    try:
        factory = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise TargetError(
            f"{name}: {error}; give wsgi:module:factory, called as factory(spec=document)"
        ) from None
    if not callable(factory):
        raise TargetError(f"{name} is no factory; it is called as factory(spec=document)")
    made: Factory = factory
    return made
