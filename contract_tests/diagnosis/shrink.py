"""Shrinks a violation: fewer steps and fewer properties, as long as the target still shows it."""

from collections.abc import Container, Iterator
from dataclasses import replace
from typing import Any

from contract_tests.cases.company import has_company, service_type_of
from contract_tests.cases.model import SHARED_PREFIX, Case, Step
from contract_tests.cases.telling_values import list_properties
from contract_tests.diagnosis.attribution import (
    attribute_crash,
    attribute_refusal,
    blame_rule,
    differs_reliably,
    needs_attribution,
)
from contract_tests.diagnosis.sharpening import sharpen_refusal
from contract_tests.execution.context import CannotRun
from contract_tests.execution.executor import Executor
from contract_tests.generation.rounds import relabel_case
from contract_tests.generation.state_model import permission_rule
from contract_tests.results.judge import SUCCESS_RULES
from contract_tests.results.observation import Observation

_MAX_TRIES = 24
_STATE_DEPENDENT = "accepted on a new service, so what happened to this one before is the reason"
_STORED_RULES = ("created-stored", "updated-stored", "update-keeps-omitted")


def shrink_observation(
    executor: Executor, observation: Observation, suspects: Container[str] = ()
) -> Observation:
    """Return the smallest variant of a violating case that still shows the violation; perhaps the case itself.

    The variant may be about another rule: the smaller a case, the more exactly it names the broken rule.
    ``suspects`` are properties that were blamed before.
    """
    if needs_attribution(observation):
        return _find_reason(executor, observation, suspects)
    if observation.case.rule == "unused-properties-accepted":
        observation = _without_unused(executor, observation)
        if needs_attribution(observation):
            return _find_reason(executor, observation, suspects)
    if _is_accepted_on_new_service(executor, observation):
        judgement = replace(observation.judgement, outcome="inconclusive", reason=_STATE_DEPENDENT)
        return replace(observation, judgement=judgement)
    if observation.case.value and observation.case.expect == "accept":
        return sharpen_refusal(executor, observation)
    case = observation.case
    if case.rule in _STORED_RULES and _is_stored_in_usual_form(executor, case):
        return blame_rule(observation, "request-forms")
    if has_company(case):
        return _without_company(executor, observation)
    if observation.judgement.server_error and (case.rule, case.expect) == ("not-while-busy", "refuse"):
        return attribute_crash(executor, observation, case.steps[-1].body)
    if case.layer not in ("lifecycle", "properties") and not _is_generated_call(case):
        return observation
    best = _shrink_steps(executor, observation)
    return _find_reason(executor, best, suspects) if needs_attribution(best) else best


def _find_reason(executor: Executor, observation: Observation, suspects: Container[str]) -> Observation:
    return sharpen_refusal(executor, attribute_refusal(executor, observation, suspects))


def _shrink_steps(executor: Executor, observation: Observation) -> Observation:
    """Return the violation with fewer steps, and a generated one with fewer properties."""
    best, tries = observation, 0
    progress = True
    while progress and tries < _MAX_TRIES:
        progress = False
        for smaller in (*_without_status(best.case), *iter_shorter(best.case), *_iter_barer(best.case)):
            tries += 1
            again = _run_again(executor, smaller)
            if again is not None and _shows_same(again, observation):
                best, progress = again, True
                break
            if tries >= _MAX_TRIES:
                break
    return best


def _without_unused(executor: Executor, observation: Observation) -> Observation:
    """Return the refusal without the properties that only the other type uses, if it is refused all the same."""
    case, step = observation.case, observation.case.steps[-1]
    if not isinstance(step.body, dict):
        return observation
    used = list_properties(service_type_of(case))
    body = {key: value for key, value in step.body.items() if key in (*used, "service_slug", "service_type")}
    rule = SUCCESS_RULES[step.operation]
    again = _run_again(executor, replace(case, rule=rule, steps=(*case.steps[:-1], replace(step, body=body))))
    return again or observation


def _is_accepted_on_new_service(executor: Executor, observation: Observation) -> bool:
    """Return whether a refused update of a service that many cases share is accepted on a new one."""
    case, judgement = observation.case, observation.judgement
    step = case.steps[-1]
    shared = len(case.steps) == 1 and step.service.startswith(SHARED_PREFIX) and case.value is not None
    if not shared or judgement.outcome != "violated" or judgement.reaction != "refused":
        return False
    body = executor.controls.bodies[step.service.removeprefix(SHARED_PREFIX)]
    create = Step(caller=step.caller, body=body)
    steps = (create, replace(step, service=create.as_))
    try:
        return executor.run_case(replace(case, steps=steps)).judgement.outcome == "passed"
    except CannotRun:
        return False


def _is_stored_in_usual_form(executor: Executor, case: Case) -> bool:
    """Return whether the read-back is right once all requests of a case are sent in their usual form."""
    if not any((step.headers or step.style) and step.operation != "readContainer" for step in case.steps):
        return False
    steps = tuple(replace(step, headers=(), style="") for step in case.steps)
    return differs_reliably(executor, case, replace(case, steps=steps))


def _without_company(executor: Executor, observation: Observation) -> Observation:
    """Return the violation with as few other properties as show it."""
    step, name = observation.case.steps[0], observation.case.value[2] if observation.case.value else ""
    needed = (*executor.controls.bodies[service_type_of(observation.case)], name)
    others = [
        key for key in step.body if key not in needed or (step.operation == "updateContainer" and key != name)
    ]
    best = observation
    for names in (others, *([other] for other in others)):
        body = {key: value for key, value in best.case.steps[0].body.items() if key not in names}
        again = _run_again(executor, replace(best.case, steps=(replace(step, body=body),)))
        if again is not None and again.judgement.rule == observation.judgement.rule:
            best = again
            if names is others:
                return best
    return attribute_crash(executor, best, others) if best.judgement.server_error else best


def _run_again(executor: Executor, case: Case) -> Observation | None:
    try:
        observation = executor.run_case(case)
    except CannotRun:
        return None
    return observation if observation.judgement.outcome == "violated" else None


def _shows_same(again: Observation, first: Observation) -> bool:
    """Return whether a smaller case shows the same violation: a body may name its rule more exactly."""
    now, before = again.judgement, first.judgement
    if first.case.layer == "properties":
        return now.reaction == before.reaction
    if again.case.rule == first.case.rule:
        return now.rule == before.rule
    # Each case must violate its own rule for the same reason, so that no second fault takes over.
    return (now.rule, before.rule) == (again.case.rule, first.case.rule) and now.reason == before.reason


def _without_status(case: Case) -> Iterator[Case]:
    """Yield an update that must be accepted in any status, without the step that set the status.

    If that is refused too, the status is not the cause. An empty update stays: on a new service it would test
    which properties may be left out, and would be sent with a base body.
    """
    last = case.steps[-1]
    if (case.rule, last.operation, last.expect) != ("not-while-busy", "updateContainer", "accept"):
        return
    steps = [step for step in case.steps if step.operation != "setStatus" or step.service != last.service]
    if len(steps) < len(case.steps) and isinstance(last.body, dict) and last.body:
        yield replace(case, rule=permission_rule(last.body), steps=tuple(steps))


def _iter_barer(case: Case) -> Iterator[Case]:
    """Yield a generated case with one property less, or with one item of an array."""
    body = case.steps[-1].body
    if not isinstance(body, dict) or not (case.layer == "properties" or _is_generated_call(case)):
        return
    for smaller in _iter_smaller_bodies(body):
        if case.layer == "properties":
            yield relabel_case(case, smaller)
        elif relabel_case(case, {**_slug_property(case), **smaller}).expect == "accept":
            # The body must still be valid, so that only the request around it is in question.
            yield replace(case, steps=(*case.steps[:-1], replace(case.steps[-1], body=smaller)))


def _is_generated_call(case: Case) -> bool:
    """Return whether a case combines a request variant with a generated body; malformed text has no body."""
    return case.layer == "wire" and case.steps[-1].as_is and case.steps[-1].raw is None


def _slug_property(case: Case) -> dict[str, str]:
    """Return the slug that a create gets when it is sent."""
    return {"service_slug": "a-slug"} if case.operation == "createContainer" else {}


def _iter_smaller_bodies(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for name in sorted(body):
        yield {key: value for key, value in body.items() if key != name}
    for name, value in sorted(body.items()):
        if isinstance(value, list) and len(value) > 1:
            for item in value:
                yield {**body, name: [item]}


def iter_shorter(case: Case) -> Iterator[Case]:
    """Yield the case with some of its earlier steps left out, the longest stretches first.

    Steps that name the slug or the service of the last step stay, because its expectation depends on them. An
    update changes no later expectation, unless the last step reads the service back.
    """
    earlier, last = case.steps[:-1], case.steps[-1]
    needed = _find_needed_steps(earlier, last)
    optional = [n for n, step in enumerate(earlier) if n not in needed]
    size = len(optional)
    while size:
        for start in range(0, len(optional), size):
            omitted = set(optional[start : start + size])
            yield replace(case, steps=(*(s for n, s in enumerate(earlier) if n not in omitted), last))
        size //= 2


def _find_needed_steps(earlier: tuple[Step, ...], last: Step) -> set[int]:
    """Return the places of the steps on which the expectation of the last step depends."""
    services = {last.service} if last.operation != "createContainer" else set()
    slugs = {last.slug} - {None}
    needed: set[int] = set()
    for number in range(len(earlier) - 1, -1, -1):
        step = earlier[number]
        if step.operation == "createContainer":
            if step.as_ in services or step.slug in slugs:
                needed.add(number)
        elif step.service in services and (
            step.operation == "setStatus" or last.operation == "readContainer"
        ):
            needed.add(number)
    return needed
