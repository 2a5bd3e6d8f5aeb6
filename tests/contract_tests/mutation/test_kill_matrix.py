"""The kill matrix, from which the plan of a run with a budget is learnt."""

import pytest

from contract_tests.mutation.engine import all_mutants
from contract_tests.mutation.kill_matrix import build_session_units, iter_kills, list_decided
from contract_tests.mutation.session import MutationSession
from tests.support.gate.gate import catalogue

PORT = "updateContainer:/body/properties/exposed_port"


@pytest.mark.slow
def test_each_mutant_is_listed_with_the_units_that_see_it(session: MutationSession) -> None:
    """A bound that is dropped is seen by refusals beyond it, one that is narrowed by accepted values at it."""
    names = (f"{PORT}:drop maximum", f"{PORT}:narrow maximum")
    mutants = [mutant for mutant in all_mutants(session) if mutant.id in names]
    units = build_session_units(session)
    kills = dict(iter_kills(session, units, mutants))
    expects = {unit.id: unit.case.expect for unit in units}
    assert kills.keys() == set(names)
    assert all(kills.values())
    assert {expects[unit] for unit in kills[names[0]]} == {"refuse"}
    assert {expects[unit] for unit in kills[names[1]]} == {"accept"}


@pytest.mark.slow
def test_every_rule_is_decided_by_some_unit(session: MutationSession) -> None:
    """On a target that conforms the units together judge every rule."""
    assert list_decided(session, build_session_units(session)).keys() == set(catalogue())
