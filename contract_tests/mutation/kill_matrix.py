"""Kill matrix: which units of a run with a budget see each fault. The plan is learnt from it."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from contract_tests.execution.sending.limits import TargetGone
from contract_tests.mutation.engine import Mutation, build_app
from contract_tests.mutation.relevance import list_touched, select_touching
from contract_tests.mutation.session import MutationSession
from contract_tests.mutation.wrappers.scopes import Phase
from contract_tests.planning.units import Unit, build_units
from contract_tests.results.aggregate import Aggregate
from contract_tests.results.verdict import DECIDING_EXPECTATIONS


def build_session_units(session: MutationSession) -> list[Unit]:
    """Return the units for the unchanged target of a session."""
    return build_units(session.open_document_executor(session.spec.document))


def iter_kills(
    session: MutationSession, units: Sequence[Unit], mutations: Sequence[Mutation]
) -> Iterator[tuple[str, list[str]]]:
    """Yield each fault with the ids of the units that see it; a mutant that the target refuses to serve has none."""
    executor = session.open_document_executor(session.spec.document)
    touched = list_touched((unit.run(executor) for unit in units), session.spec)
    by_id, cases = {unit.id: unit for unit in units}, tuple(unit.case for unit in units)
    for mutation in mutations:
        chosen = select_touching(mutation, cases, touched)
        yield mutation.id, _list_kills(session, mutation, [by_id[case.id] for case in chosen])


def list_decided(session: MutationSession, units: Sequence[Unit]) -> dict[str, list[str]]:
    """Return the units that give each rule a verdict, if the target conforms."""
    executor, decided = session.open_document_executor(session.spec.document), defaultdict(list)
    for unit in units:
        observation = unit.run(executor)
        shown = (
            {(member.rule, "accept") for member in unit.members}
            if unit.members
            else Aggregate.of([observation]).shown
        )
        for rule, expectation in shown:
            if expectation in DECIDING_EXPECTATIONS[executor.catalogue[rule].kind]:
                decided[rule].append(unit.id)
    return decided


def _list_kills(session: MutationSession, mutation: Mutation, units: Sequence[Unit]) -> list[str]:
    try:
        executor = session.open_app_executor(build_app(session, mutation, Phase()))
    except Exception:  # the user's factory may raise anything on a document that it rejects
        return []
    kills = []
    for unit in units:
        try:
            if unit.run(executor).judgement.outcome == "violated":
                kills.append(unit.id)
        except TargetGone:  # a fault may refuse a token that was accepted before
            continue
    return kills
