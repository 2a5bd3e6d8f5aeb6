"""Sharpening: names the part of a refused value that is the reason, once its property is known.

Each part is taken back alone: if the target then accepts the request, that part and its rule are blamed.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from contract_tests.cases.model import Case
from contract_tests.cases.value_templates import fill_templates
from contract_tests.contract.property_rules import PROPERTY_ORDER, find_item_rule, find_nearest_rule
from contract_tests.diagnosis.causes.attribution import is_certainly_valid
from contract_tests.diagnosis.experiments.comparison import (
    blame_rule,
    differs_reliably,
    find_refusal,
    is_reproducible,
)
from contract_tests.diagnosis.experiments.neighbours import change_last_step
from contract_tests.execution.executor import Executor
from contract_tests.results.observation import Observation

_LONG_TEXT = 200
_SHORT_LENGTH = 20
_PLAIN_PARTS = {"env_name": "NAME", "env_value": "value", "host_path": "/a", "container_path": "/b"}


def sharpen_refusal(executor: Executor, observation: Observation) -> Observation:
    """Return the violation of a smaller or plainer value, under the rule of the part that is refused."""
    sharper = _find_sharper(executor, observation)
    if sharper.judgement.reaction != observation.judgement.reaction:
        return sharper
    # The reason may name the company in which the value is refused.
    return replace(sharper, judgement=replace(sharper.judgement, reason=observation.judgement.reason))


def _find_sharper(executor: Executor, observation: Observation) -> Observation:
    case, judgement = observation.case, observation.judgement
    name, body = case.value[2] if case.value else "", case.steps[-1].body
    wrong = judgement.outcome == "violated" and judgement.reaction in ("refused", "error")
    if not wrong or name in ("", "service_slug") or case.expect != "accept" or not isinstance(body, dict):
        return observation
    if not is_certainly_valid(case) or not is_reproducible(executor, case):
        return observation
    value = fill_templates(body.get(name), executor.controls.slugs.new_slug)
    case = change_last_step(case, body={**body, name: value})
    for variant in _write_otherwise(case):
        if differs_reliably(executor, case, variant):
            return blame_rule(observation, "request-forms")
    if isinstance(value, str) and len(value) > _LONG_TEXT:
        shorter = _with_value(case, name, value[:_SHORT_LENGTH])
        still_valid = is_certainly_valid(shorter)  # a cut URL may be none
        return (find_refusal(executor, shorter) if still_valid else None) or observation
    if isinstance(value, list) and value:
        return _sharpen_items(executor, replace(observation, case=case), name, value)
    return observation


def _write_otherwise(case: Case) -> Iterator[Case]:
    """Yield the same request with its keys in the usual order, and with all other characters escaped."""
    step = case.steps[-1]
    usual = sorted(step.body, key=lambda name: PROPERTY_ORDER.get(name, len(PROPERTY_ORDER)))
    if list(step.body) != usual:
        yield change_last_step(case, body={name: step.body[name] for name in usual})
    if not json.dumps(step.body, ensure_ascii=False).isascii():
        yield change_last_step(case, style="escaped")


def _sharpen_items(executor: Executor, observation: Observation, name: str, items: list[Any]) -> Observation:
    """Blame one part of one item, if the item alone is refused; else the array as a whole is the reason."""
    case = observation.case
    for item in items:
        alone = find_refusal(executor, _with_value(case, name, [item]))
        if alone is None:
            continue
        parts = item if isinstance(item, dict) else {}
        for key, part in parts.items():
            plain = _with_value(case, name, [{**item, key: _PLAIN_PARTS.get(key, "a")}])
            if part != _PLAIN_PARTS.get(key) and find_refusal(executor, plain) is None:
                return blame_rule(alone, find_item_rule(name, key, part))
        return alone if isinstance(item, dict) else blame_rule(alone, find_item_rule(name, "", item))
    return blame_rule(observation, f"{name}-type".replace("_", "-"))  # their number or their size


def _with_value(case: Case, name: str, value: Any) -> Case:
    rule = find_nearest_rule(case.steps[-1].operation, name, value)
    return replace(change_last_step(case, body={**case.steps[-1].body, name: value}), rule=rule)
