"""Mutants that hold for some requests only, and which of them are run."""

import pytest

from contract_tests.mutation.engine import all_mutants, all_mutations, run_fault, run_mutant
from contract_tests.mutation.faults import load_faults
from contract_tests.mutation.mutants import Mutant
from contract_tests.mutation.sample import ScopedMutant, sample_scoped
from contract_tests.mutation.session import MutationSession
from contract_tests.mutation.wrappers.scopes import SCOPES, Phase
from contract_tests.mutation.wrappers.wsgi import WsgiRequest

FAULTS = load_faults("tests.quality.faults:FAULTS")
PORT = "createContainer:/body/properties/exposed_port:drop maximum"


def find_mutant(session: MutationSession, name: str) -> Mutant:
    """Return a mutant of the contract by its id."""
    return next(mutant for mutant in all_mutants(session) if mutant.id == name)


def scope_mutant(session: MutationSession, name: str, scope: str) -> ScopedMutant:
    """Return a mutant of the contract in a scope."""
    return ScopedMutant(find_mutant(session, name), next(one for one in SCOPES if one.name == scope))


def test_every_rule_is_sampled_in_every_group(session: MutationSession) -> None:
    """Each rule is broken at some times only; each rule that callers can break, for one kind and one team only."""
    scoped = [mutant for mutant in all_mutations(session, FAULTS) if isinstance(mutant, ScopedMutant)]
    groups = {
        group: {m.rules[0] for m in scoped if m.scope.group == group} for group in ("time", "caller", "team")
    }
    catalogue = session.template.catalogue
    anyone = {rule.id for rule in catalogue.values() if rule.stage not in ("authentication", "team")}
    assert groups["time"] == set(catalogue)
    assert groups["caller"] == groups["team"] == anyone


def test_sample_leaves_listed_mutants_out(session: MutationSession) -> None:
    """A mutant that is listed as equivalent represents no rule in a scope."""
    mutants = [mutant for mutant in all_mutants(session) if "openapi-url-length" in mutant.rules]
    listed = [mutant.id for mutant in mutants if mutant.operator == "drop"]
    chosen = sample_scoped(mutants, session.template.catalogue, listed)
    assert chosen
    assert not {scoped.inner.id for scoped in chosen} & set(listed)


@pytest.mark.parametrize(
    "scope",
    ["sk-only", "jwt-only", "create-only", "first-team-only", "second-run-only", "every-other-time",
     "second-instance-only"],
)  # fmt: skip
def test_scoped_mutant_is_killed(session: MutationSession, scope: str) -> None:
    """A port without an upper bound is seen in each scope in which a case sends one."""
    result = run_fault(session, scope_mutant(session, PORT, scope))
    assert (result.state, result.rule) == ("killed", "exposed-port-range")


def test_scoped_mutant_survives_where_nothing_is_sent(session: MutationSession) -> None:
    """A create without an upper bound is not seen by updates; the result names the case that sees it elsewhere."""
    result = run_fault(session, scope_mutant(session, PORT, "update-only"))
    assert (result.state, result.case) == ("survived", "")
    seen_by = run_mutant(session, find_mutant(session, PORT)).case
    assert result.reason == f"{seen_by} sees it where it always holds, but not in this scope"


@pytest.mark.slow
def test_second_run_starts_clean(session: MutationSession) -> None:
    """A mutant of the second run is off in the first, whose requests are counted too."""
    once = run_fault(session, scope_mutant(session, PORT, "create-only"))
    twice = run_fault(session, scope_mutant(session, PORT, "second-run-only"))
    assert twice.state == "killed"
    assert twice.requests > once.requests


def test_alternating_scopes_count_differently(session: MutationSession) -> None:
    """One instance of two gets every second request; a rule skipped every other time counts per operation."""
    reader = session.open_reader()
    create = WsgiRequest({"REQUEST_METHOD": "POST", "PATH_INFO": "/api/v1/containers"}, b"")
    update = WsgiRequest({"REQUEST_METHOD": "PUT", "PATH_INFO": "/api/v1/containers/0"}, b"")
    found = {}
    for scope in SCOPES[-2:]:
        applies = scope.choose(reader, Phase())
        found[scope.name] = [applies(request) for request in (create, update, create, update)]
    assert found == {
        "every-other-time": [False, False, True, True],
        "second-instance-only": [False, True, False, True],
    }
