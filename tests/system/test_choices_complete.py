"""Every open case depends on a choice of `spec/choices.yaml`, and every open point of the oracle is a choice."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from contract_tests.cases.building.boundaries import derive_cases, select_new_cases
from contract_tests.cases.building.scenarios import build_scenario_cases
from contract_tests.cases.building.two_faults import build_two_fault_cases
from contract_tests.cases.model import Case
from contract_tests.cases.tables import load_fixture_cases
from contract_tests.generation.bodies import load_samples
from contract_tests.generation.oracle import predict
from contract_tests.generation.rounds import GATE_EXAMPLES
from contract_tests.parity.pairs.openness import list_body_choices
from mock_server import create_app
from mock_server.contract.choices import lenient_options, load_choices
from tests.support.gate.gate import catalogue, open_app_executor, spec

CHOICES = load_choices()


@cache
def list_cases() -> tuple[Case, ...]:
    """Return the cases that people and builders write: of the tables, the contract, scenarios and two faults."""
    controls, tables = open_app_executor(create_app()).controls, load_fixture_cases(catalogue())
    derived = select_new_cases(derive_cases(spec(), catalogue(), controls.bodies), tables)
    scenarios = build_scenario_cases(controls.caller_pool, controls.bodies)
    return (*tables, *derived, *scenarios, *build_two_fault_cases(controls.bodies))


def test_each_open_step_names_its_choice() -> None:
    """A step is open if and only if it names a choice, which applies to its operation."""
    wrong = [
        (case.id, step.choice)
        for case in list_cases()
        for step in case.steps
        if (step.expect == "open") != bool(step.choice)
        or (step.choice and step.operation not in CHOICES[step.choice].operations)
    ]
    assert wrong == []


def list_decided() -> list[str]:
    """Return the choices that decide whether the last request of an open case is accepted."""
    named = {case.steps[-1].choice for case in list_cases() if case.expect == "open"}
    return sorted(named - {"check-order"})  # a request with two faults is refused in each order


@pytest.mark.slow
@pytest.mark.parametrize("choice", list_decided())
def test_an_open_case_is_decided_by_its_choice(choice: str) -> None:
    """A mock with one option accepts the request, and one with another refuses it."""
    open_cases = [case for case in list_cases() if case.expect == "open" and case.steps[-1].choice == choice]
    reactions: dict[str, set[str]] = {case.id: set() for case in open_cases}
    for option in CHOICES[choice].options:
        profile = {"choices": {**lenient_options(CHOICES), choice: option}}
        executor = open_app_executor(create_app(profile=profile))
        for case in open_cases:
            reactions[case.id].add(executor.run_case(case).judgement.reaction)
    assert reactions == {case.id: {"accepted", "refused"} for case in open_cases}


def iter_open_bodies() -> Iterator[tuple[Any, Any, str]]:
    """Yield the operation, body and stored type of each open body of the cases, and of the generated ones."""
    for case in list_cases():
        if case.expect == "open" and case.steps[-1].raw is None:
            yield case.operation, case.steps[-1].body, case.service_type
    for sample in load_samples(spec(), 0, GATE_EXAMPLES, coverage=False):
        if sample.raw is None:
            yield sample.operation, sample.value, "deployed"
            yield sample.operation, sample.value, "external"


def test_each_open_point_of_the_oracle_is_a_choice() -> None:
    """What the oracle predicts to be open is one of the choices; half a surrogate pair is none."""
    unknown, seen = [], set()
    for operation, body, stored in iter_open_bodies():
        points, raw = predict(operation, body, stored).open_points, json.dumps(body)
        chosen = [*list_body_choices(operation, raw.encode(), body, stored)]
        seen |= {*chosen}
        is_known = chosen or not points or "\\ud" in raw
        if not is_known or any(operation not in CHOICES[name].operations for name in chosen):
            unknown.append((operation, body, points, chosen))
    assert unknown == []
    assert len(seen) > 20
