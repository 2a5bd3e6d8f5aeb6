"""Mutation engine: runs the cases against each mutant until one of them sees a violation.

Each mutant is served in this process. The deterministic cases run against it with the oracle of the unchanged
contract, those of the changed rule first.
"""

import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from fnmatch import filter as filter_names
from fnmatch import fnmatchcase
from multiprocessing import get_all_start_methods, get_context
from typing import Any, Literal, Protocol

import jsonschema_rs

from contract_tests.cases.model import Case
from contract_tests.execution.executor import Executor
from contract_tests.execution.race import build_race_cases
from contract_tests.mutation.faults import PlantedFault
from contract_tests.mutation.mutants import Mutant, build_mutants
from contract_tests.mutation.sample import ScopedMutant, Unscoped, sample_scoped
from contract_tests.mutation.session import MutationSession, run_cases
from contract_tests.mutation.tightening import TIGHTENING_OPERATORS
from contract_tests.mutation.wrappers.behaviours import Behaviour, list_refusals
from contract_tests.mutation.wrappers.scopes import Phase
from contract_tests.mutation.wrappers.storage import list_storage_faults
from contract_tests.mutation.wrappers.twin import Twin
from contract_tests.mutation.wrappers.wsgi import App
from contract_tests.results.observation import Observation
from contract_tests.targets.base import TargetError
from contract_tests.targets.exchange import Exchange

MutantState = Literal["killed", "survived", "equivalent", "not observable", "invalid"]


class Mutation(Protocol):
    """A change that cases can kill: a mutant of the contract, or a behaviour fault."""

    @property
    def id(self) -> str:
        """The name of the change."""
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
        """Return the change as text."""
        ...


@dataclass(frozen=True, slots=True)
class MutantResult:
    """The result of one mutation.

    For a killed one: the case, layer and rule that saw it, the requests until then, and in ``needs`` the feature
    without which no case sees it. ``reason`` explains the other states.
    """

    mutant: Any
    state: MutantState
    case: str = ""
    layer: str = ""
    rule: str = ""
    requests: int = 0
    needs: str = ""
    reason: str = ""
    exchanges: tuple[Exchange, ...] = ()


def run_mutations(
    session: MutationSession, mutations: Sequence[Mutation], jobs: int | None = None
) -> Iterator[MutantResult]:
    """Yield the result of each mutation, in their order; ``jobs`` processes share the work."""
    width = min(jobs or os.cpu_count() or 1, max(1, len(mutations)))
    if width == 1 or "fork" not in get_all_start_methods():
        yield from (run_mutation(session, mutation) for mutation in mutations)
        return
    # Children inherit these by fork, since factories and faults cannot be pickled.
    _SHARED.update(session=session, mutations=mutations)
    try:
        with ProcessPoolExecutor(width, get_context("fork"), _end_at_signals) as processes:
            results = processes.map(_run_in_child, range(len(mutations)), chunksize=4)
            for number, result in enumerate(results):
                yield replace(result, mutant=mutations[number])
    except BrokenProcessPool:
        raise TargetError(
            "a process ended before its mutants: the target ended it, or memory ran out"
        ) from None
    finally:
        _SHARED.clear()


def run_mutation(session: MutationSession, mutation: Mutation) -> MutantResult:
    """Return the result of a mutant of the contract or of a behaviour fault."""
    if isinstance(mutation, Mutant):
        return run_mutant(session, mutation)
    return run_fault(session, mutation)


def run_mutant(session: MutationSession, mutant: Mutant) -> MutantResult:
    """Serve one mutant and run the cases until one of them sees it."""
    document = mutant.apply(session.spec.document)
    if (problem := _find_schema_error(document, mutant)) is not None:
        return MutantResult(mutant, "invalid", reason=problem)
    try:
        executor = session.open_document_executor(document)
    except TargetError as error:
        return MutantResult(mutant, "invalid", reason=f"the target refuses it: {error}")
    different = ""
    ordered = sorted(session.select_cases(mutant), key=lambda case: _case_distance(case, mutant))
    for observation in run_cases(executor, ordered):
        if observation.judgement.outcome == "violated":
            return _build_killed(mutant, observation, executor)
        case = observation.case
        if case.expect == "open" and observation.judgement.reaction != session.open_reactions.get(case.id):
            different = case.id
    return _explain_survivor(session, mutant, executor, different)


def _explain_survivor(
    session: MutationSession, mutant: Mutant, executor: Executor, different: str
) -> MutantResult:
    """Return the result of a mutant that no case killed; ``different`` is an open case with another reaction."""
    reason, requests = _equivalence_reason(session, mutant), executor.sender.requests
    if different and not reason and mutant.operator not in TIGHTENING_OPERATORS:
        reason = f"it differs only where the pages leave both open ({different})"
    if reason:
        return MutantResult(mutant, "equivalent", requests=requests, reason=reason)
    needs = _list_needs(session, mutant)
    state: MutantState = "survived" if _can_observe(session, needs) else "not observable"
    return MutantResult(mutant, state, requests=requests, needs=", ".join(needs))


def run_fault(session: MutationSession, mutation: Mutation) -> MutantResult:
    """Run the cases against an app with a fault: those of its rules first, and their refusals again at the end."""
    phase, requests = Phase(), 0
    app = build_app(session, mutation, phase)
    runs = mutation.scope.runs if isinstance(mutation, ScopedMutant) else 1
    for phase.number in range(1, runs + 1):
        executor = session.open_app_executor(app)
        for observation in run_cases(executor, _plan_cases(session, mutation)):
            if observation.judgement.outcome == "violated":
                killed = _build_killed(mutation, observation, executor)
                return replace(killed, requests=requests + killed.requests)
        requests += executor.sender.requests
    return _explain_fault(session, mutation, requests)


def build_app(session: MutationSession, mutation: Any, phase: Phase) -> App:
    """Return a new app with a change of any kind."""
    if isinstance(mutation, PlantedFault):
        planted: App = mutation.app()
        return planted
    reader = session.open_reader()
    if isinstance(mutation, ScopedMutant):
        base = session.factory(spec=session.spec.document)
        changed = build_app(session, mutation.inner, phase)
        return Twin(base, changed, mutation.scope.choose(reader, phase), reader).build_app()
    if isinstance(mutation, Behaviour):
        return mutation.build_app(session.factory(spec=session.spec.document), reader)
    app: App = session.factory(spec=mutation.apply(session.spec.document))
    return app


def _plan_cases(session: MutationSession, mutation: Mutation) -> Iterator[Case]:
    """Yield the cases for a fault: those of its rules, their repeats, and others that can see it."""
    own = [case for case in session.cases if case.rule in mutation.rules]
    yield from own
    yield from (case for case in session.repeats if case.rule in mutation.rules)
    if isinstance(mutation, PlantedFault) or "slug-unique" in mutation.rules:
        yield from build_race_cases()
    yield from (case for case in session.select_cases(mutation) if case.rule not in mutation.rules)
    if isinstance(mutation, PlantedFault):
        yield from (case.with_changes("late") for case in own if case.expect == "refuse")


def _explain_fault(session: MutationSession, mutation: Mutation, requests: int) -> MutantResult:
    """Return the result of a fault that no case saw."""
    reason = _equivalence_reason(session, mutation)
    if reason:
        return MutantResult(mutation, "equivalent", requests=requests, reason=reason)
    needs = _list_needs(session, mutation)
    state: MutantState = "survived" if _can_observe(session, needs) else "not observable"
    reason = _explain_scope(session, mutation) if isinstance(mutation, ScopedMutant) else ""
    return MutantResult(mutation, state, requests=requests, needs=", ".join(needs), reason=reason)


def _explain_scope(session: MutationSession, scoped: ScopedMutant) -> str:
    """Return which case sees the change where it always holds, since none sees it in the scope."""
    whole = run_mutation(session, scoped.inner)
    return f"{whole.case} sees it where it always holds, but not in this scope" if whole.case else ""


def _list_needs(session: MutationSession, mutation: Mutation) -> list[str]:
    """Return what it takes to observe the rules of a change."""
    catalogue = session.template.catalogue
    needs = {catalogue[rule].needs for rule in mutation.rules if rule in catalogue} - {None}
    return sorted(map(str, needs))


def _can_observe(session: MutationSession, needs: list[str]) -> bool:
    lacking = ("read-back" in needs and not session.readback) or (
        "control-hook" in needs and not session.control_hook
    )
    return not lacking


def _build_killed(mutation: Mutation, observation: Observation, executor: Executor) -> MutantResult:
    judgement, case = observation.judgement, observation.case
    return MutantResult(
        mutation, "killed", case.id, case.layer, judgement.rule, executor.sender.requests,
        _needed_feature(case), judgement.reason, observation.exchanges,
    )  # fmt: skip


def all_mutants(session: MutationSession) -> list[Mutant]:
    """Return every mutant of the session's contract."""
    return build_mutants(session.spec.document)


def all_mutations(session: MutationSession, planted: Sequence[PlantedFault] = ()) -> list[Mutation]:
    """Return the mutants, the behaviours, the planted faults, and the sample of these in scopes."""
    behaviours = (*list_refusals(), *list_storage_faults(session.spec.document))
    unscoped: list[Unscoped] = [*all_mutants(session), *behaviours, *planted]
    return [*unscoped, *sample_scoped(unscoped, session.template.catalogue, session.equivalent)]


def find_wrongly_listed(session: MutationSession, results: Sequence[MutantResult]) -> list[str]:
    """Return the ids listed as equivalent that were killed, or that are not among the mutants that ran."""
    killed = [result.mutant.id for result in results if result.state == "killed"]
    known = [result.mutant.id for result in results]
    return [
        name for name in session.equivalent if filter_names(killed, name) or not filter_names(known, name)
    ]


_SHARED: dict[str, Any] = {}


def _end_at_signals() -> None:
    """Let a signal end a child at once: a handler of the parent would print where the child was."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)


def _run_in_child(number: int) -> MutantResult:
    # A fault cannot be pickled; the parent restores it by its place.
    return replace(run_mutation(_SHARED["session"], _SHARED["mutations"][number]), mutant=None)


def _equivalence_reason(session: MutationSession, mutant: Mutation) -> str:
    """Return the reason with which a mutant is listed as equivalent; listed names may contain ``*``."""
    return next((reason for name, reason in session.equivalent.items() if fnmatchcase(mutant.id, name)), "")


def _case_distance(case: Case, mutant: Mutant) -> tuple[bool, bool, bool]:
    """Return a sort key that puts the cases first that are likely to see the mutant."""
    same_rule = case.rule in mutant.rules
    same_place = case.value is not None and case.value[2] in mutant.place
    same_operation = case.steps[-1].operation == mutant.operation
    return not (same_rule and same_operation), not same_rule, not (same_place and same_operation)


def _needed_feature(case: Case) -> str:
    operations = {step.operation for step in case.steps}
    if "setStatus" in operations:
        return "control-hook"
    return "read-back" if "readContainer" in operations else ""


def _find_schema_error(document: Mapping[str, Any], mutant: Mutant) -> str | None:
    """Return why the changed object is not a valid schema, or None if it is."""
    node: Any = document
    for key in mutant.place:
        node = node[key]
    if "schema" in mutant.place:
        try:
            jsonschema_rs.meta.validate(_strip_rules(node))
        except jsonschema_rs.ValidationError as error:
            return str(error.message)
    return None


def _strip_rules(node: Any) -> Any:
    if isinstance(node, Mapping):
        return {key: _strip_rules(value) for key, value in node.items() if key != "x-rules"}
    return [_strip_rules(item) for item in node] if isinstance(node, list) else node
