"""The cases that can see a mutant."""

from dataclasses import replace

import pytest

from contract_tests.mutation.engine import all_mutants, run_mutant
from contract_tests.mutation.mutants import Mutant
from contract_tests.mutation.session import MutationSession
from contract_tests.mutation.wrappers.storage import list_storage_faults

BODY = "/body/properties"


def find_mutant(session: MutationSession, name: str) -> Mutant:
    """Return the mutant with an id."""
    return next(mutant for mutant in all_mutants(session) if mutant.id == name)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [f"createContainer:{BODY}/usage_prompt:nullable type", f"updateContainer:{BODY}/env_config:nullable type",
     f"createContainer:{BODY}/service_type:drop type",
     f"updateContainer:{BODY}/external_auth_credential_id/anyOf/0:nullable type"],
)  # fmt: skip
def test_no_other_case_sees_the_mutant(session: MutationSession, name: str) -> None:
    """A mutant that no selected case kills is killed by none of all cases."""
    mutant = find_mutant(session, name)
    selected, blind = run_mutant(session, mutant), run_mutant(replace(session, touched={}), mutant)
    assert (selected.state, blind.state) == ("equivalent", "equivalent")
    assert selected.requests < blind.requests


def test_only_cases_that_send_the_property_are_selected(session: MutationSession) -> None:
    """Every case of the property is selected, and no case of another one."""
    mutant = find_mutant(session, f"updateContainer:{BODY}/openapi_url:drop maxLength")
    selected = session.select_cases(mutant)
    own = {c.id for c in session.cases if c.value and c.value[::2] == ("updateContainer", "openapi_url")}
    assert own <= {case.id for case in selected}
    assert "exposed-port-range" not in {case.rule for case in selected}


def test_a_mutant_of_no_single_property_needs_every_case(session: MutationSession) -> None:
    """Parameters, the body as a whole and defaults concern every case."""
    for name in ("createContainer:/parameters/0/schema:drop format", "updateContainer:/body:drop type",
                 f"createContainer:{BODY}/gpu_count:drop default"):  # fmt: skip
        assert session.select_cases(find_mutant(session, name)) == session.cases


def test_refusals_are_repeated_by_another_caller(session: MutationSession) -> None:
    """Each rule with refusals that any caller can send has a repeat by another kind of caller."""
    first = {case.id: case.steps[-1].caller for case in session.cases}
    repeated = {case.rule for case in session.repeats if case.steps[-1].caller != first[case.id]}
    rotated = {case.rule for case in session.cases if case.expect == "refuse" and case.value}
    assert rotated <= repeated


def test_storage_fault_concerns_read_backs_only(session: MutationSession) -> None:
    """A fault of what is stored is run against the cases that read a service back."""
    fault = list_storage_faults(session.spec.document)[0]
    operations = [{step.operation for step in case.steps} for case in session.select_cases(fault)]
    assert operations
    assert all("readContainer" in names for names in operations)
