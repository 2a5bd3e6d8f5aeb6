"""Neighbours of a case: the same request with another body, alone, or written otherwise."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from contract_tests.cases.model import SHARED_PREFIX, Case, Step
from contract_tests.cases.value_templates import fill_templates
from contract_tests.contract.property_rules import find_nearest_rule
from contract_tests.execution.executor import Executor

_ABSENT = object()


def change_last_step(case: Case, **changes: Any) -> Case:
    """Return the case with a last step that differs in these fields."""
    return replace(case, steps=(*case.steps[:-1], replace(case.steps[-1], **changes)))


def make_single(case: Case) -> Case:
    """Return the last request alone: a create with an unrelated slug, or an update of a shared service."""
    last = case.steps[-1]
    if last.operation == "createContainer":
        return replace(case, rule="created", steps=(replace(last, slug=None),))
    return replace(case, steps=(replace(last, service=SHARED_PREFIX + case.service_type),))


def find_base(executor: Executor, case: Case) -> Mapping[str, Any]:
    """Return the plain body of the operation and type; an update's own base is added when it is sent."""
    step = case.steps[-1]
    if step.operation == "updateContainer":
        return {}
    plain = executor.controls.bodies[
        "external" if step.body.get("service_type") == "external" else "deployed"
    ]
    return dict(plain) if isinstance(plain, dict) else {}


def list_changed(case: Case, base: Mapping[str, Any]) -> list[str]:
    """Return the properties of the last body that differ from the plain body."""
    return [name for name, value in case.steps[-1].body.items() if value != base.get(name, _ABSENT)]


def take_back(body: Mapping[str, Any], base: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Return the body with some properties as in the base, or without them."""
    kept = {key: value for key, value in body.items() if key not in names}
    return {**kept, **{name: base[name] for name in names if name in base}}


def with_body(case: Case, body: Mapping[str, Any], blamed: str = "") -> Case:
    """Return the case with another body, under the rule of the property that it is about."""
    step = case.steps[-1]
    value = fill_templates(body.get(blamed), lambda length: "s" * (length or 20))
    rule = find_nearest_rule(step.operation, blamed, value) if blamed else case.rule
    last: Step = replace(step, body=dict(body), expect="accept", rule="")
    kind = step.service.removeprefix(SHARED_PREFIX)
    key = (step.operation, kind, blamed) if blamed and len(case.steps) == 1 else None
    return replace(case, rule=rule, steps=(*case.steps[:-1], last), value=key)
