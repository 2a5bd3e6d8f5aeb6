"""Siblings: the nearest request that the target answers rightly, one edit apart from one that it answers wrongly.

The edit shows what the target overlooks, or what it dislikes. Edits of the body come first, the smallest first.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import chain, islice
from typing import Any

from contract_tests.cases.model import SHARED_PREFIX, Case, Expect, Step
from contract_tests.cases.tables import ABSENT
from contract_tests.cases.value_templates import fill_templates
from contract_tests.contract.files.json_text import parse_json
from contract_tests.contract.lines import find_rule_line
from contract_tests.contract.property_rules import find_named_property
from contract_tests.diagnosis.experiments.neighbours import (
    change_last_step,
    find_base,
    list_changed,
    take_back,
)
from contract_tests.execution.executor import Executor
from contract_tests.execution.sending.context import CannotRun
from contract_tests.generation.oracle import predict
from contract_tests.results.examples import describe_value
from contract_tests.results.observation import Observation, Sibling

_MAX_TRIES = 10
_ANOTHER_CALLER = "by another caller"
_REQUESTS = {"createContainer": "a create", "updateContainer": "an update", "readContainer": "a read-back"}
Edit = tuple[str, Case]  # what differs, and the edited case


def add_sibling(executor: Executor, observation: Observation) -> Observation:
    """Return a violation with its nearest sibling that behaved, if one is found, and its line in the contract."""
    case = observation.case
    name = _find_property(observation)
    body = case.steps[-1].body if isinstance(case.steps[-1].body, dict) else {}
    value = _fill(body.get(name)) if name in body else None
    line = find_rule_line(observation.judgement.rule, case.operation, value, executor.sender.spec.path)
    return replace(observation, line=line, sibling=_find_sibling(executor, observation, name))


def _find_sibling(executor: Executor, observation: Observation, name: str) -> Sibling | None:
    if observation.case.layer == "race":
        return None
    edits = islice(_iter_edits(executor, observation, name), _MAX_TRIES)
    for edit, case in chain(edits, _change_type(executor, observation.case)):
        try:
            found = executor.run_case(case)
        except CannotRun:
            continue
        if found.judgement.outcome != "passed" or not found.exchanges:
            continue
        if edit == _ANOTHER_CALLER:
            edit = _name_callers(observation, found)
        if edit:
            return Sibling(edit, found.judgement.received, found.case, found.exchanges)
    return None


def _iter_edits(executor: Executor, observation: Observation, name: str) -> Iterator[Edit]:
    case = observation.case
    if case.steps[-1].operation == "readContainer":
        yield from _edit_stored(executor, observation)
    elif not _is_refused_for_status(case):
        yield from _edit_body(executor, observation, name)
        yield from _edit_request(executor, case)
    yield from _drop_steps(case)


def _edit_body(executor: Executor, observation: Observation, name: str) -> Iterator[Edit]:
    """Yield the request with one property changed, if the result is certainly valid.

    A server error is also compared with a request that is certainly invalid, and must be refused.
    """
    case, step = observation.case, observation.case.steps[-1]
    if step.raw is not None or not isinstance(step.body, dict):
        return
    crashed = observation.judgement.server_error
    if step.expect == "refuse" and _predict(step, step.body, case) == "accept" and not crashed:
        return  # what is wrong is not in the body
    base = {**find_base(executor, case)}
    names = dict.fromkeys([*list_changed(case, base), *base])
    for key in sorted(names, key=lambda key: key != name):
        for value in (*_list_nearer(_fill(step.body.get(key))), base.get(key, ABSENT)):
            body = take_back(step.body, base, key) if value == ABSENT else {**step.body, key: value}
            expect = _predict(step, body, case)
            if body == step.body or expect == "open" or (expect == "refuse" and not crashed):
                continue
            edited = change_last_step(case, body=body)
            yield _tell_edit(step.body, body, key), _expect_accept(edited) if expect == "accept" else edited


def _edit_request(executor: Executor, case: Case) -> Iterator[Edit]:
    """Yield the request with its body, its headers, its caller, its team or its path as usual."""
    step = case.steps[-1]
    plain = executor.controls.bodies[case.service_type] if step.operation == "createContainer" else {}
    whole: Mapping[str, Any] = {"raw": None, "body": plain, "as_is": False}
    nothing_sent = step.body == {} == plain and case.expect != "refuse"  # no update is refused for that
    edits: list[tuple[str, bool, Mapping[str, Any]]] = [
        ("a plain body", step.raw is not None or not isinstance(step.body, dict), whole),
        ("a display_name in the body", nothing_sent, {"body": {"display_name": "Sibling"}}),
        ("the usual headers", bool(step.headers), {"headers": ()}),
        ("the usual spelling of the body", bool(step.style), {"style": ""}),
        ("the caller's own team", step.team is not None, {"team": None}),
        ("another slug", step.slug is not None, {"slug": None}),
        ("the id of a service", step.path != "{id}", {"path": "{id}"}),
        ("the id of a service", _names_no_service(case), {"service": SHARED_PREFIX + "deployed"}),
    ]
    caller_is_wrong = case.rule == "auth-agent" and case.expect == "refuse"
    for edit, applies, changes in edits:
        if applies and not caller_is_wrong:
            yield edit, _expect_rightly(change_last_step(case, **changes))
    creators = [one.caller for one in case.steps[:-1] if one.operation == "createContainer"]
    for caller in dict.fromkeys([*creators, "red"]):
        if caller != step.caller:
            yield _ANOTHER_CALLER, _expect_rightly(change_last_step(case, caller=caller))


def _change_type(executor: Executor, case: Case) -> Iterator[Edit]:
    """Yield the plain request for a service of the other type, where a valid request is the only one."""
    step = case.steps[-1]
    if (
        case.expect == "refuse"
        or len(case.steps) > 1
        or step.raw is not None
        or not isinstance(step.body, dict)
        or step.path != "{id}"
    ):
        return
    other = "deployed" if case.service_type == "external" else "external"
    creating = step.operation == "createContainer"
    target = (
        {"body": executor.controls.bodies[other]}
        if creating
        else {"service": SHARED_PREFIX + other, "body": {}}
    )
    plain = change_last_step(case, **target)
    yield f"the plain request for a service of type {other}", _expect_accept(replace(plain, value=None))


def _name_callers(observation: Observation, found: Observation) -> str:
    """Return the edit with the callers as the callers file names them, an empty string if they are the same."""
    wrong, right = (one.exchanges[-1].caller if one.exchanges else "" for one in (observation, found))
    return f"by {right} in place of {wrong}" if wrong and wrong != right else ""


def _edit_stored(executor: Executor, observation: Observation) -> Iterator[Edit]:
    """Yield a write with another value of the property that the read-back shows wrongly."""
    case, full = observation.case, executor.controls.bodies[f"{observation.case.service_type}-full"]
    shown, writes = dict(case.steps[-1].shows), ("createContainer", "updateContainer")
    for name, _, _ in observation.judgement.differences:
        places = [
            n for n, step in enumerate(case.steps) if step.operation in writes and name in (step.body or ())
        ]
        number = places[-1] if places else 0  # a property that no request sent has its default
        step = case.steps[number]
        if not isinstance(step.body, dict) or name not in shown:
            continue
        if places and _fill(step.body[name]) != _fill(shown[name]):
            continue  # another write decides what is shown
        values = _list_nearer(_fill(step.body[name])) if places else (shown[name],)
        for value in (*values, full.get(name, ABSENT), ABSENT):
            changed = {} if value == ABSENT else {name: value}
            body = {**take_back(step.body, {}, name), **changed}
            shows = {**take_back(shown, {}, name), **changed}
            if body == step.body or _predict(step, body, case) != "accept":
                continue
            steps = [*case.steps[:-1], replace(case.steps[-1], shows=tuple(shows.items()))]
            steps[number] = replace(step, body=body)
            yield _tell_edit(step.body, body, name), replace(case, steps=tuple(steps), value=None)


def _drop_steps(case: Case) -> Iterator[Edit]:
    """Yield the case without one of its earlier steps; none creates what a later one needs."""
    last = case.steps[-1]
    for number in reversed(range(len(case.steps) - 1)):
        step = case.steps[number]
        if step.operation == "createContainer" and step.as_ in {s.service for s in case.steps}:
            continue
        kept = (*case.steps[:number], *case.steps[number + 1 :])
        if step.operation == "setStatus":  # nothing is refused for the status any more
            kept = tuple(replace(one, expect=None) if one.expect == "refuse" else one for one in kept)
        name = _REQUESTS.get(step.operation)
        words = f"request {number + 1}, {name}" if name else f"the status {step.status}"
        smaller = replace(case, steps=kept)
        if _is_refused_for_status(smaller):
            continue  # the status is the reason, whatever else is left out
        reading = last.operation == "readContainer"
        yield f"without {words}", smaller if reading else _expect_rightly(smaller)


def _list_nearer(value: Any) -> tuple[Any, ...]:
    """Return values next to a value: one less, one more, or without its quotes."""
    if isinstance(value, bool) or value is None:
        return ()
    if isinstance(value, int):
        return (value - 1, value + 1)
    if isinstance(value, str) and value:
        read = _read_json(value)
        return (*([read] if read is not None else []), value[:-1], value.strip(), f"https://{value}")
    if isinstance(value, list) and value:
        return (value[:-1], value[1:])
    return ()


def _read_json(text: str) -> Any:
    try:
        value = parse_json(text)
    except ValueError:
        return None
    return value if isinstance(value, int | list) else None


def _predict(step: Step, body: Mapping[str, Any], case: Case) -> Expect:
    sent = _fill(body)
    if step.operation == "createContainer" and not isinstance(sent.get("service_slug"), str):
        sent = {**sent, "service_slug": "a-slug"}  # it gets one when it is sent
    return predict(step.operation, sent, case.service_type).expect


def _expect_accept(case: Case) -> Case:
    return change_last_step(case, expect="accept", rule="")


def _expect_rightly(case: Case) -> Case:
    """Return an edited case with what it must show: a body that breaks a rule is refused, whatever else changes."""
    step = case.steps[-1]
    if case.expect != "refuse" or step.body is step.raw is None:
        return _expect_accept(case)
    usable = step.raw is None and isinstance(step.body, dict)
    return _expect_accept(case) if usable and _predict(step, step.body, case) != "refuse" else case


def _is_refused_for_status(case: Case) -> bool:
    """Return whether a case must be refused for the status of its service, whatever it sends and by whom."""
    return case.expect == "refuse" and any(step.operation == "setStatus" for step in case.steps)


def _names_no_service(case: Case) -> bool:
    step = case.steps[-1]
    known = {one.as_ for one in case.steps[:-1]} | {"service"}
    updating = step.operation == "updateContainer"
    return updating and step.service not in known and not step.service.startswith(SHARED_PREFIX)


def _tell_edit(before: Mapping[str, Any], after: Mapping[str, Any], name: str) -> str:
    absent = "a new one" if name == "service_slug" else "left out"
    old, new = (describe_value(_fill(body[name])) if name in body else absent for body in (before, after))
    return f"{name}: {old} -> {new}"


def _find_property(observation: Observation) -> str:
    """Return the property that a violation is about, or an empty string."""
    if observation.judgement.differences:
        return observation.judgement.differences[0][0]
    if observation.case.value:
        return observation.case.value[2]
    return find_named_property(observation.judgement.rule)


def _fill(value: Any) -> Any:
    return fill_templates(value, lambda length: "s" * (length or 20))
