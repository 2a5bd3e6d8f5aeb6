"""Shrinks a violation: fewer steps and fewer properties, as long as the target still shows it."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from contract_tests.cases.model import SHARED_PREFIX, Case, Step
from contract_tests.cases.tables import load_bodies
from contract_tests.diagnosis.experiments.comparison import find_violation
from contract_tests.execution.executor import Executor
from contract_tests.generation.oracle import PROPERTY_NAMES, predict
from contract_tests.generation.rounds import relabel_case
from contract_tests.generation.state_model import permission_rule
from contract_tests.results.observation import Observation

_MAX_TRIES = 24


def shrink_steps(executor: Executor, observation: Observation) -> Observation:
    """Return the violation with fewer steps, and a generated one with fewer properties."""
    best, tries = observation, 0
    progress = True
    while progress and tries < _MAX_TRIES:
        progress = False
        for smaller in _iter_smaller(best.case):
            tries += 1
            again = find_violation(executor, smaller)
            if again is not None and _shows_same(again, observation):
                best, progress = again, True
                break
            if tries >= _MAX_TRIES:
                break
    return best


def _shows_same(again: Observation, first: Observation) -> bool:
    """Return whether a smaller case shows the same violation: a body may name its rule more exactly."""
    now, before = again.judgement, first.judgement
    if first.case.layer == "properties":
        return now.reaction == before.reaction
    if again.case.rule == first.case.rule:
        return now.rule == before.rule
    # Each case must violate its own rule for the same reason, so that no second fault takes over.
    return (now.rule, before.rule) == (again.case.rule, first.case.rule) and now.reason == before.reason


def _iter_smaller(case: Case) -> Iterator[Case]:
    yield from _with_one_caller(case)
    yield from _without_status(case)
    yield from iter_shorter(case)
    yield from _iter_barer(case)


def _with_one_caller(case: Case) -> Iterator[Case]:
    """Yield the case with one caller for all, if its callers are of one team: whether they differ may not matter."""
    callers = {step.caller for step in case.steps}
    teams = {caller.rpartition("-")[2] for caller in callers}
    if len(callers) > 1 and len(teams) == 1:
        yield replace(case, steps=tuple(replace(step, caller=case.steps[-1].caller) for step in case.steps))


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
    step = case.steps[-1]
    body = step.body
    if not isinstance(body, dict) or not (case.layer == "properties" or is_generated_call(case)):
        return
    slug = _slug_property(case) if step.slug is None else {}
    broken = _list_broken(step, {**slug, **body})
    if case.layer == "properties" and case.operation == "createContainer":
        # A server error that stays when the required properties are valid is about none of them.
        required = load_bodies()["external" if body.get("service_type") == "external" else "deployed"]
        others = {name: value for name, value in body.items() if name != "service_type"}
        mended = {**others, **required, **_slug_property(case)}
        if _list_broken(step, mended) < broken:
            yield relabel_case(case, mended)
    for smaller in _iter_smaller_bodies(body):
        if case.layer == "properties":
            # Without a property that is required, the case would be put down to its absence.
            if _list_broken(step, {**slug, **smaller}) <= broken:
                yield relabel_case(case, {**slug, **smaller})
        elif relabel_case(case, {**_slug_property(case), **smaller}).expect == "accept":
            # The body must still be valid, so that only the request around it is in question.
            yield replace(case, steps=(*case.steps[:-1], replace(case.steps[-1], body=smaller)))


def _list_broken(step: Step, body: dict[str, Any]) -> set[str]:
    return {*predict(step.operation, body, step.service.removeprefix(SHARED_PREFIX)).broken_rules}


def is_generated_call(case: Case) -> bool:
    """Return whether a case combines a request variant with a generated body; malformed text has no body."""
    return case.layer == "wire" and case.steps[-1].as_is and case.steps[-1].raw is None


def _slug_property(case: Case) -> dict[str, str]:
    """Return the slug that a create gets when it is sent."""
    return {"service_slug": "a-slug"} if case.operation == "createContainer" else {}


def _iter_smaller_bodies(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    # Unknown properties first: what the contract leaves open about them must not hide a property that it knows.
    for name in sorted(body, key=lambda name: (name in PROPERTY_NAMES, name)):
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
    if _has_label_template(last):
        return set(range(len(earlier)))
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


def _has_label_template(step: Step) -> bool:
    """Return whether the body of a step refers to an earlier one: to its id, or to a slug near its slug."""
    values = step.body.values() if isinstance(step.body, dict) else ()
    return any(isinstance(value, dict) and {"$id", "$near"} & value.keys() for value in values)
