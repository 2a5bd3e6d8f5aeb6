"""Units: what a run with a budget sends as one, a case or one request for several cases that must be accepted."""

import json
from dataclasses import dataclass, replace
from typing import Any

from contract_tests.cases.batching import batch_cases, join_cases
from contract_tests.cases.building.boundaries import derive_cases, select_new_cases
from contract_tests.cases.building.company import add_company, has_company
from contract_tests.cases.building.scenarios import build_scenario_cases
from contract_tests.cases.model import Case
from contract_tests.cases.tables import load_fixture_cases
from contract_tests.execution.controls.accepted_values import list_offered_values
from contract_tests.execution.executor import Executor
from contract_tests.execution.race import build_race_cases, run_race
from contract_tests.results.observation import Observation


@dataclass(frozen=True, slots=True)
class Unit:
    """A case that is run as one; ``members`` are the cases that it proves if it is a batch."""

    case: Case
    members: tuple[Case, ...] = ()

    @property
    def id(self) -> str:
        """The name under which the plan lists it."""
        return self.case.id

    @property
    def requests(self) -> int:
        """The number of requests that it sends, without shared services and controls."""
        return sum(step.operation != "setStatus" for step in self.case.steps)

    @property
    def price(self) -> int:
        """Its requests, and the services that it leaves behind."""
        creates = (step for step in self.case.steps if step.operation == "createContainer")
        return self.requests + sum(step.expect != "refuse" for step in creates)

    def run(self, executor: Executor) -> Observation:
        """Send its requests and judge the responses."""
        return run_race(executor, self.case) if self.case.layer == "race" else executor.run_case(self.case)

    def split(self) -> list["Unit"]:
        """Return a refused batch as two halves, down to single cases."""
        middle = len(self.members) // 2
        halves = (self.members[:middle], self.members[middle:])
        return [
            Unit(join_cases(f"{self.id}.{number}", half), half) if len(half) > 1 else Unit(half[0])
            for number, half in enumerate(halves, 1)
            if half
        ]


def build_units(executor: Executor) -> list[Unit]:
    """Return every unit that must be accepted or refused; what may be either proves too little for a budget."""
    catalogue, controls = executor.catalogue, executor.controls
    pool, bodies = controls.caller_pool, controls.bodies
    tables = load_fixture_cases(catalogue)
    derived = derive_cases(executor.sender.spec, catalogue, bodies)
    values = [case for case in tables if case.layer == "cases"]
    values = add_company([*values, *select_new_cases(derived, values)], bodies)
    batches, single = batch_cases(case for case in values if case.expect != "open")
    others = [case for case in tables if case.layer != "cases" and case.expect != "open"]
    offered = list_offered_values(controls)
    scenarios = build_scenario_cases(pool, bodies, offered, offered)
    return [
        *(Unit(_rotate(executor, batch.case), batch.members) for batch in batches),
        *(Unit(_rotate(executor, case)) for case in (*single, *others)),
        *map(Unit, [*scenarios, *build_race_cases(1)]),
    ]


def _rotate(executor: Executor, case: Case) -> Case:
    """Return the case by one of all callers; each has a deployed service from the preflight."""
    pool = executor.controls.caller_pool
    return pool.rotate_caller(case) if case.service_type == "deployed" else case


class AcceptedCompany:
    """The values that the target has accepted in this run: only beside these does a refusal prove anything."""

    def __init__(self, bodies: Any) -> None:
        """Start with the plain bodies, which every control sends."""
        self._bodies = bodies
        self._accepted: set[tuple[str, str, str]] = set()

    def observe(self, observation: Observation) -> None:
        """Remember the values of a case that passed and had to be accepted."""
        case = observation.case
        if observation.judgement.outcome != "passed" or case.expect == "refuse":
            return
        for step in case.steps:
            for name, value in step.body.items() if isinstance(step.body, dict) else ():
                self._accepted.add((case.service_type, name, json.dumps(value)))

    def limit(self, unit: Unit) -> Unit:
        """Return a refusal without the company that was not accepted yet."""
        case, step = unit.case, unit.case.steps[0]
        if not has_company(case) or case.value is None or not isinstance(step.body, dict):
            return unit
        plain = self._bodies[case.service_type]
        kept = {
            name: value
            for name, value in step.body.items()
            if name in plain
            or name in (case.value[2], "service_type")
            or (case.service_type, name, json.dumps(value)) in self._accepted
        }
        return Unit(replace(case, steps=(replace(step, body=kept), *case.steps[1:])))
