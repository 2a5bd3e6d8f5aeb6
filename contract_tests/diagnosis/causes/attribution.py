"""Attribution: finds the one property for which a target refuses a valid body, so that only its rule is blamed.

A refused body is compared with accepted neighbours. A property is blamed if the plain body with it is refused, or
if the refused body without it is accepted. Without such a property nothing is proved.
"""

from collections.abc import Container, Iterable, Mapping
from dataclasses import replace
from typing import Any

from contract_tests.cases.model import Case, Step
from contract_tests.cases.value_templates import fill_templates
from contract_tests.contract.property_rules import PROPERTY_ORDER
from contract_tests.diagnosis.causes.intermittent import blame_intermittent
from contract_tests.diagnosis.experiments.comparison import (
    blame_rule,
    call_inconclusive,
    differs_reliably,
    find_any_refusal,
    find_refusal,
    is_reproducible,
)
from contract_tests.diagnosis.experiments.neighbours import (
    change_last_step,
    find_base,
    list_changed,
    make_single,
    take_back,
    with_body,
)
from contract_tests.execution.executor import Executor
from contract_tests.execution.preflight.refused_callers import CALLER_RULES
from contract_tests.generation.oracle import predict
from contract_tests.results.observation import Observation

# Rules of whole requests: a refusal shows nothing about them while a single property may be the reason.
_WHOLE_REQUEST_RULES = frozenset(
    {"created", "updated", "update-partial", "slug-unique", "unused-properties-accepted"}
)
_IMMUTABLE = ("service_slug", "service_type")
_UNEXPLAINED = (
    "refused once, but no property explains it: the plain request or every smaller one gets another response"
)


def needs_attribution(observation: Observation) -> bool:
    """Return whether a violation is a refusal whose reason may be any property of the body."""
    case, step = observation.case, observation.case.steps[-1]
    judgement = observation.judgement
    refused = judgement.outcome == "violated" and judgement.reaction in ("refused", "error")
    body = isinstance(step.body, dict) and step.raw is None and bool(step.body)
    plain_request = case.layer == "wire" and not step.headers and step.team is None
    unspecific = (
        case.layer == "properties"
        or case.rule in _WHOLE_REQUEST_RULES
        or bool(step.rule)
        or case.id.startswith("trace/random")
        or (plain_request and case.value is None and not case.id.startswith("preflight/"))
    )
    wrong = refused and step.expect != "refuse" and body and unspecific and case.layer != "race"
    return wrong and is_certainly_valid(case)


def is_certainly_valid(case: Case) -> bool:
    """Return whether the facts leave nothing open about the last body: only then can its refusal be blamed."""
    step = case.steps[-1]
    body = fill_templates(step.body, lambda length: "s" * (length or 20))
    if step.operation == "createContainer" and not isinstance(body.get("service_slug"), str):
        body = {**body, "service_slug": "a-slug"}  # it gets one when it is sent
    return predict(step.operation, body, case.service_type).expect == "accept"


def attribute_crash(executor: Executor, observation: Observation, names: Iterable[str]) -> Observation:
    """Return the crash that one of the named properties causes by itself, else the observation."""
    case = replace(observation.case, rule="created")
    if case.operation == "updateContainer":
        case = make_single(case)
    if case.steps[-1].body == {}:
        empty = find_refusal(executor, replace(case, rule="update-partial"))
        return empty or observation
    base = find_base(executor, case)
    for name in filter(case.steps[-1].body.__contains__, names):
        single = with_body(case, {**base, name: case.steps[-1].body[name]}, name)
        again = find_refusal(executor, single)
        if again is not None and again.judgement.server_error:
            return again
    return observation


def attribute_refusal(
    executor: Executor, observation: Observation, suspects: Container[str] = ()
) -> Observation:
    """Return an observation that blames the property behind a refusal, or an inconclusive one.

    ``suspects`` are properties that were blamed before, which are tried first.
    """
    single = _find_single(executor, observation.case)
    if single is None and not is_reproducible(executor, observation.case):
        return blame_intermittent(executor, observation, suspects)
    observation = single or observation
    last = observation.case.steps[-1]
    if last.headers or last.style:
        usual = change_last_step(observation.case, headers=(), style="")
        if differs_reliably(executor, observation.case, usual):
            return blame_rule(observation, "request-forms")
        observation = find_refusal(executor, usual) or observation
    if _is_by_colleague(observation.case) and differs_reliably(
        executor, observation.case, _by_creator(observation.case)
    ):
        return blame_rule(observation, "team-scope")
    if len(observation.case.steps) > 1:
        single = find_any_refusal(executor, make_single(observation.case))
        if single is None and observation.case.rule == "slug-unique":
            return observation  # the same body with an unrelated slug is accepted
        if single is not None and not is_reproducible(executor, single.case):
            return blame_intermittent(executor, single, suspects)
        observation = single or observation
    return _attribute_request(executor, observation, suspects)


def _find_single(executor: Executor, case: Case) -> Observation | None:
    """Return the refusal of the last of several requests if it is refused alone each time: that is cheaper to run."""
    single = find_refusal(executor, make_single(case)) if len(case.steps) > 1 else None
    return single if single is not None and is_reproducible(executor, single.case) else None


def _attribute_request(executor: Executor, observation: Observation, suspects: Container[str]) -> Observation:
    """Return the refusal of one request under the rule of a property or of its caller, or as inconclusive."""
    base = find_base(executor, observation.case)
    case = _keep_suspects(executor, observation.case, base, suspects)
    changed = list_changed(case, base)
    found = (
        _blame_type(executor, case, base)
        or _blame_alone(executor, case, base, changed)
        or (None if case.rule == "request-forms" else _blame_in_company(executor, case, base, changed))
    )
    if found is not None:
        return found
    by_caller = _blame_caller(executor, observation)
    if by_caller is not None:
        return by_caller
    if case.rule not in _WHOLE_REQUEST_RULES and case.layer != "properties":
        return observation  # a rule of the request itself
    return call_inconclusive(observation, _UNEXPLAINED)


def _keep_suspects(executor: Executor, case: Case, base: Mapping[str, Any], suspects: Container[str]) -> Case:
    """Return the case with the properties only that were blamed before, if that is refused, too."""
    others = [name for name in list_changed(case, base) if name not in suspects]
    smaller = with_body(case, take_back(case.steps[-1].body, base, *others))
    known = smaller.steps[-1].body != dict(base)
    return smaller if others and known and find_refusal(executor, smaller) is not None else case


_PLAIN_UPDATE = {"display_name": "Fixture"}
_MAX_COMPANY = 3


def _blame_caller(executor: Executor, observation: Observation) -> Observation | None:
    """Return the violation under the rule of the caller's kind, if a caller of another kind is accepted."""
    case = observation.case
    kind = case.steps[-1].caller.rpartition("-")[0]
    rule = CALLER_RULES.get(kind)
    others = sorted({c.kind for c in executor.controls.caller_pool.list_red_callers()} - {kind})
    if rule is None or not others or len(case.steps) > 1:
        return None
    by_others = (change_last_step(case, caller=f"{other}-red") for other in others)
    differs = any(differs_reliably(executor, case, by_other) for by_other in by_others)
    return blame_rule(observation, rule) if differs else None


def attribute_to_caller(executor: Executor, observation: Observation) -> Observation:
    """Return the refusal of a plain update by the same caller, if a caller of another kind may send it.

    A case about headers or about an empty body is refused then as well, and shows nothing about its own rule.
    """
    case, judgement = observation.case, observation.judgement
    step = case.steps[-1]
    refused = judgement.outcome == "violated" and judgement.reaction == "refused" and step.expect != "refuse"
    if not refused or step.operation != "updateContainer" or case.layer == "race":
        return observation
    rule = CALLER_RULES.get(step.caller.rpartition("-")[0], case.rule)
    single = make_single(replace(case, rule=rule, value=None))
    plain = change_last_step(
        single, headers=(), style="", team=None, raw=None, path="{id}", body=_PLAIN_UPDATE
    )
    refusal = find_refusal(executor, plain)
    return (_blame_caller(executor, refusal) if refusal else None) or observation


def _blame_type(executor: Executor, case: Case, base: Mapping[str, Any]) -> Observation | None:
    """Return the violation of a plain create of an external service, if a plain deployed one is accepted."""
    if base.get("service_type") != "external":
        return None
    plain = executor.controls.bodies["deployed"]
    external = find_refusal(executor, with_body(case, base, "service_type"))
    return None if external is None or find_refusal(executor, with_body(case, plain)) else external


def _blame_alone(
    executor: Executor, case: Case, base: Mapping[str, Any], changed: list[str]
) -> Observation | None:
    """Return the violation of the plain body with one property changed, if the plain body is accepted."""
    if len(changed) == 1 and find_refusal(executor, with_body(case, base)) is None:
        return find_refusal(executor, with_body(case, case.steps[-1].body, changed[0]))
    for name in changed:
        if name in _IMMUTABLE and case.operation == "createContainer":
            continue
        single = with_body(case, {**base, name: case.steps[-1].body[name]}, name)
        again = find_refusal(executor, single)
        if again is not None:
            return again if find_refusal(executor, with_body(case, base)) is None else None
    return None


def _blame_in_company(
    executor: Executor, case: Case, base: Mapping[str, Any], changed: list[str]
) -> Observation | None:
    """Return the violation of the smallest refused body, of which each property alone makes it refused."""
    body = dict(case.steps[-1].body)
    for name in changed:
        smaller = take_back(body, base, name)
        if find_refusal(executor, with_body(case, smaller)) is not None:
            body = smaller
    still = list_changed(with_body(case, body), base)
    left = [name for name in changed if name in still]
    left.sort(key=lambda name: (body[name] is not None, PROPERTY_ORDER.get(name, len(PROPERTY_ORDER))))
    if len(left) > _MAX_COMPANY:  # the number or the size of the properties is the reason
        again = find_refusal(executor, with_body(case, body))
        updating = case.operation == "updateContainer"
        return blame_rule(again, "update-partial" if updating else "request-forms") if again else None
    for name in left:
        again = find_refusal(executor, with_body(case, body, name))
        if again is None or find_refusal(executor, with_body(case, take_back(body, base, name))):
            continue
        others = [other for other in left if other != name]
        company = f", together with {' and '.join(others)}" if others else ""
        judgement = replace(again.judgement, reason=again.judgement.reason + company)
        return replace(again, judgement=judgement)
    return None


def _is_by_colleague(case: Case) -> bool:
    """Return whether the last step updates a service that another caller of the same team created."""
    last, creator = case.steps[-1], _find_creator(case)
    same_team = creator is not None and creator.caller.rpartition("-")[2] == last.caller.rpartition("-")[2]
    return same_team and creator is not None and creator.caller != last.caller


def _by_creator(case: Case) -> Case:
    creator = _find_creator(case)
    return change_last_step(case, caller=creator.caller) if creator else case


def _find_creator(case: Case) -> Step | None:
    last = case.steps[-1]
    created = (s for s in case.steps[:-1] if s.operation == "createContainer" and s.as_ == last.service)
    return next(created, None) if last.operation == "updateContainer" else None
