"""Requests with two faults."""

from contract_tests.cases.building.two_faults import build_two_fault_cases
from contract_tests.cases.tables import load_bodies


def test_each_request_has_two_faults_of_different_stages() -> None:
    """Pairs that cannot be combined are left out; any answer but a server error is right."""
    cases = build_two_fault_cases(load_bodies())
    names = [case.id for case in cases]
    assert len(names) == len({*names}) == 48
    assert {case.expect for case in cases} == {"open"}
    assert "two-faults/body-json+exposed-port-range-on-update" not in names
    assert "two-faults/auth-required+service-id-format-on-create" not in names
    (both,) = (case for case in cases if case.id == "two-faults/auth-required+exposed-port-range-on-create")
    (step,) = both.steps
    assert (step.headers, step.body["exposed_port"]) == ((("Authorization", None),), 0)
    assert step.body["docker_image"]
