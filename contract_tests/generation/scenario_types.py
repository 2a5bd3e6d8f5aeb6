"""Random scenarios as values: steps with their expectations, what a scenario may use, and both as JSON."""

from dataclasses import dataclass
from typing import Any

from contract_tests.cases.model import Case, Step, case_from_json, case_to_json


@dataclass(frozen=True, slots=True)
class ExpectedStep:
    """One step with its expectation, and the rule that gives the expectation."""

    step: Step
    rule: str


@dataclass(frozen=True, slots=True)
class ScenarioCapabilities:
    """The caller roles that scenarios may use, and whether state can be read back and set."""

    roles: tuple[str, ...]
    readback: bool
    hook: bool


Scenario = tuple[ExpectedStep, ...]


def scenario_to_json(scenario: Scenario) -> dict[str, Any]:
    """Return a scenario as plain JSON values."""
    case = Case("", "", "lifecycle", tuple(expected.step for expected in scenario))
    return {"steps": case_to_json(case)["steps"], "rules": [expected.rule for expected in scenario]}


def scenario_from_json(data: dict[str, Any]) -> Scenario:
    """Return the scenario that ``scenario_to_json`` wrote."""
    steps = case_from_json({"id": "", "rule": "", "layer": "lifecycle", **data}).steps
    return tuple(ExpectedStep(step, rule) for step, rule in zip(steps, data["rules"], strict=True))
