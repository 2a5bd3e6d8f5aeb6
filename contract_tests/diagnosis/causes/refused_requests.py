"""Refused requests that took effect: a read-back shows what must not have been stored."""

from dataclasses import replace

from contract_tests.cases.model import Case, Step
from contract_tests.diagnosis.experiments.comparison import blame_rule, differs_reliably
from contract_tests.execution.executor import Executor
from contract_tests.results.observation import Observation


def blame_refused_request(executor: Executor, observation: Observation) -> Observation:
    """Return a wrong read-back under the rule of the refused requests without which the read-back is right."""
    case = observation.case
    if case.steps[-1].operation != "readContainer":
        return observation
    refused = [step for step in case.steps if step.expect == "refuse"]
    rules = dict.fromkeys(_name_rule(case, step) for step in refused)
    for rule in rules:
        kept = (step for step in case.steps if step not in refused or _name_rule(case, step) != rule)
        if differs_reliably(executor, case, replace(case, steps=tuple(kept))):
            return blame_rule(observation, rule)
    return observation


def _name_rule(case: Case, refused: Step) -> str:
    """Return the rule that a refused request breaks if it changes a service."""
    if refused.operation == "createContainer":
        return "created-stored"
    creators = (s for s in case.steps if s.operation == "createContainer" and s.as_ == refused.service)
    own = any(_team_of(creator) == _team_of(refused) for creator in creators)
    return "updated-stored" if own else "team-scope"


def _team_of(step: Step) -> str:
    return step.caller.rpartition("-")[2]
