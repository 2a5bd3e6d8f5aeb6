"""Diagnosis of a violation: its reason if a valid request is refused, else the smallest case that shows it."""

from collections.abc import Container
from dataclasses import replace

from contract_tests.cases.building.company import has_company
from contract_tests.cases.building.telling_values import list_properties
from contract_tests.cases.model import Case
from contract_tests.diagnosis.causes.attribution import (
    attribute_crash,
    attribute_refusal,
    attribute_to_caller,
    needs_attribution,
)
from contract_tests.diagnosis.causes.earlier_writes import blame_earlier_write
from contract_tests.diagnosis.causes.history import find_history
from contract_tests.diagnosis.causes.intermittent import blame_intermittent
from contract_tests.diagnosis.causes.refused_requests import blame_refused_request
from contract_tests.diagnosis.causes.sharpening import sharpen_refusal
from contract_tests.diagnosis.experiments.comparison import (
    blame_rule,
    call_intermittent,
    differs_reliably,
    find_any_refusal,
    find_violation,
    is_reproducible,
)
from contract_tests.diagnosis.experiments.neighbours import change_last_step
from contract_tests.diagnosis.shrink import is_generated_call, shrink_steps
from contract_tests.execution.executor import Executor
from contract_tests.results.judge import SUCCESS_RULES
from contract_tests.results.observation import Observation

_STORED_RULES = ("created-stored", "updated-stored", "update-keeps-omitted")


def diagnose_violation(
    executor: Executor, observation: Observation, suspects: Container[str] = ()
) -> Observation:
    """Return the smallest case that shows a violation, under the rule that it breaks; or an inconclusive one.

    ``suspects`` are properties that were blamed before.
    """
    history = find_history(executor, observation)
    if history is not None:
        return history
    needed = needs_attribution(observation)
    if _is_generated_refusal(observation) and not is_reproducible(executor, observation.case):
        return (
            blame_intermittent(executor, observation, suspects) if needed else call_intermittent(observation)
        )
    if observation.case.rule == "unused-properties-accepted":
        observation = _without_unused(executor, observation)
    if needs_attribution(observation):
        return _find_reason(executor, observation, suspects)
    if observation.case.value and observation.case.expect == "accept":
        return sharpen_refusal(executor, observation)
    return _diagnose_by_kind(executor, observation, suspects)


def _diagnose_by_kind(executor: Executor, observation: Observation, suspects: Container[str]) -> Observation:
    case = observation.case
    if case.rule in _STORED_RULES and _is_stored_in_usual_form(executor, case):
        return blame_rule(observation, "request-forms")
    if has_company(case):
        return _without_company(executor, observation)
    if observation.judgement.server_error and _may_be_about_a_value(case):
        return attribute_crash(executor, observation, case.steps[-1].body)
    if case.layer not in ("lifecycle", "properties") and not is_generated_call(case):
        return attribute_to_caller(executor, observation)
    blamed = blame_earlier_write(executor, blame_refused_request(executor, observation))
    best = shrink_steps(executor, blamed)
    if needs_attribution(best):
        return _find_reason(executor, best, suspects)
    return attribute_to_caller(executor, best)


def _may_be_about_a_value(case: Case) -> bool:
    """Return whether an update must be refused for the service that it names, by a caller that has one of its own.

    A crash may be one of its values all the same.
    """
    step = case.steps[-1]
    if case.expect != "refuse" or step.operation != "updateContainer":
        return False
    is_foreign = case.rule == "team-scope" and step.team is None and isinstance(step.body, dict)
    return case.rule == "not-while-busy" or (is_foreign and bool(step.body))


def _is_generated_refusal(observation: Observation) -> bool:
    """Return whether a generated request was refused that must be accepted: no table says what is wrong with it."""
    case, judgement = observation.case, observation.judgement
    refused = judgement.outcome == "violated" and judgement.reaction == "refused"
    return refused and case.is_generated and case.expect != "refuse"


def _find_reason(executor: Executor, observation: Observation, suspects: Container[str]) -> Observation:
    return sharpen_refusal(executor, attribute_refusal(executor, observation, suspects))


def _without_unused(executor: Executor, observation: Observation) -> Observation:
    """Return the refusal without the properties that only the other type uses, if it is refused all the same."""
    case, step = observation.case, observation.case.steps[-1]
    if not isinstance(step.body, dict):
        return observation
    used = list_properties(case.service_type)
    body = {key: value for key, value in step.body.items() if key in (*used, "service_slug", "service_type")}
    rest = replace(change_last_step(case, body=body), rule=SUCCESS_RULES[step.operation])
    return find_any_refusal(executor, rest) or observation


def _is_stored_in_usual_form(executor: Executor, case: Case) -> bool:
    """Return whether the read-back is right once all requests of a case are sent in their usual form."""
    if not any((step.headers or step.style) and step.operation != "readContainer" for step in case.steps):
        return False
    steps = tuple(replace(step, headers=(), style="") for step in case.steps)
    return differs_reliably(executor, case, replace(case, steps=steps))


def _without_company(executor: Executor, observation: Observation) -> Observation:
    """Return the violation with as few other properties as show it."""
    step, name = observation.case.steps[0], observation.case.value[2] if observation.case.value else ""
    needed = (*executor.controls.bodies[observation.case.service_type], name)
    others = [
        key for key in step.body if key not in needed or (step.operation == "updateContainer" and key != name)
    ]
    best = observation
    for names in (others, *([other] for other in others)):
        body = {key: value for key, value in best.case.steps[0].body.items() if key not in names}
        again = find_violation(executor, replace(best.case, steps=(replace(step, body=body),)))
        if again is not None and again.judgement.rule == observation.judgement.rule:
            best = again
            if names is others:
                return best
    return attribute_crash(executor, best, others) if best.judgement.server_error else best
