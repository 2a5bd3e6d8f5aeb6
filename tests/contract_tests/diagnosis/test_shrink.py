"""Shrinking of violations."""

from dataclasses import replace
from typing import Any

import pytest

from contract_tests.cases.model import Case, Step
from contract_tests.cases.tables import load_bodies
from contract_tests.diagnosis.diagnose import diagnose_violation
from contract_tests.diagnosis.shrink import _with_one_caller as with_one_caller
from contract_tests.diagnosis.shrink import iter_shorter as shorter
from contract_tests.execution.factory import ExecutorOptions, open_executor
from contract_tests.generation.oracle import CREDENTIAL_PROPERTY
from contract_tests.generation.rounds import relabel_case
from contract_tests.runs.options import RunOptions
from contract_tests.runs.run import Run
from contract_tests.targets.wsgi import WsgiTarget
from mock_server import create_app
from tests.quality.faults import FAULTS
from tests.support.gate.gate import MOCK_HOOK, judge_app
from tests.support.gate.messages import Request, Response, Send
from tests.support.gate.planting import add_interceptor


def test_needed_steps_are_never_left_out() -> None:
    """Steps that name the slug or the service of the last step are never left out."""
    first, last = Step(slug="a", as_="one"), Step(slug="a", as_="two", expect="refuse")
    others = tuple(Step(as_=f"other-{n}") for n in range(5))
    update = Step("updateContainer", service="one")
    again = Case("again", "slug-unique", "lifecycle", (first, *others, update, last))
    cut = [smaller.steps for smaller in shorter(again)]
    assert (first, last) in cut
    assert all(first in steps and steps[-1] == last for steps in cut)
    shown = Step("readContainer", service="one", shows=(("display_name", "x"),))
    kept = Case("kept", "update-keeps-omitted", "lifecycle", (first, *others, update, shown))
    assert all(first in smaller.steps and update in smaller.steps for smaller in shorter(kept))
    busy = Step("setStatus", service="one", status="deploying")
    refused = Step("updateContainer", service="one", expect="refuse")
    while_busy = Case("busy", "not-while-busy", "lifecycle", (first, *others, busy, refused))
    assert all(busy in smaller.steps for smaller in shorter(while_busy))


def break_other_updates(request: Request, send: Send) -> Response:
    """Refuse an empty update on a service that is not running, and respond to any other without an id."""
    response = send(request)
    if request.operation != "update" or not response.accepted:
        return response
    return Response(200 if request.value else 400)


RUNNING = next(fault for fault in FAULTS if fault.name == "no-update-while-running")


NULL = "external-credential-null-accepted"


@pytest.mark.parametrize(
    ("app", "body", "rule", "statuses"),
    [
        (create_app(disabled_rules={NULL}), {CREDENTIAL_PROPERTY: None}, NULL, []),
        (RUNNING.app(), {CREDENTIAL_PROPERTY: None}, "not-while-busy", ["running"]),
        (
            add_interceptor(RUNNING.app(), break_other_updates),
            {"display_name": "d"},
            "not-while-busy",
            ["running"],
        ),
        (add_interceptor(RUNNING.app(), break_other_updates), {}, "not-while-busy", ["running"]),
    ],
)
def test_status_is_the_cause_only_if_it_matters(
    app: Any, body: dict[str, Any], rule: str, statuses: list[str]
) -> None:
    """A status counts as the cause only if the same update of a new service is accepted."""
    steps = (
        Step(body=load_bodies()["external"], slug="a"),
        Step("setStatus", status="running"),
        Step("updateContainer", body=body, expect="accept"),
    )
    executor = open_executor(WsgiTarget(app), options=ExecutorOptions(control_hook=MOCK_HOOK))
    found = diagnose_violation(
        executor, executor.run_case(Case("trace", "not-while-busy", "lifecycle", steps))
    )
    assert (found.judgement.outcome, found.judgement.rule) == ("violated", rule)
    assert [step.status for step in found.case.steps if step.status] == statuses


def crash_together(request: Request, send: Send) -> Response:
    """Crash on a create with a description and more than 100 GPUs, whatever else it has."""
    body = request.body if isinstance(request.body, dict) else {}
    is_hit = "service_desc" in body and isinstance(gpus := body.get("gpu_count"), int) and gpus > 100
    return Response(500) if request.operation == "create" and is_hit else send(request)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"display_name": None},
        {"display_name": 1, "service_slug": "A"},
        {"replica_count": 0},
        {"service_type": "x"},
    ],
    ids=["valid", "null-name", "slug", "replicas", "type"],
)
def test_a_server_error_is_put_down_to_no_property_that_may_be_right(change: dict[str, Any]) -> None:
    """A crash that stays when the other properties are valid, or left out, is not one of a rule about these."""
    executor = open_executor(WsgiTarget(add_interceptor(create_app(), crash_together)))
    body = {"service_slug": "a-slug", **load_bodies()["deployed-full"], "gpu_count": 123, **change}
    case = relabel_case(
        Case("property/crash", "created", "properties", (Step(service="shared:deployed"),)), body
    )
    found = diagnose_violation(executor, executor.run_case(case))
    assert (found.judgement.outcome, found.case.rule, found.case.expect) == (
        "violated",
        "service-desc-type",
        "accept",
    )


def crash_for_many_gpus(request: Request, send: Send) -> Response:
    """Answer a create of several GPUs, and an update to ten replicas, with a 500."""
    gpus = request.body.get("gpu_count") if request.operation == "create" else None
    is_many = isinstance(gpus, int | float) and gpus >= 4
    is_broken = is_many or (request.operation == "update" and request.body.get("replica_count") == 10)
    return Response(500) if is_broken else send(request)


@pytest.mark.slow
def test_a_crash_for_a_value_is_blamed_on_no_rule_of_the_whole_request() -> None:
    """Neither ``created``, for an unknown property, nor ``team-scope``, for a foreign service, is named."""
    app = add_interceptor(create_app(), crash_for_many_gpus)
    report = judge_app(app, layers=("lifecycle", "properties"))
    violated = {row.rule.id for row in report.verdicts if row.fails}
    assert violated == {"gpu-count-type", "replica-count-range"}


@pytest.mark.slow
def test_request_variant_is_shrunk() -> None:
    """The case of a finding has one request, and only the properties that an accepted body needs."""
    fault = next(fault for fault in FAULTS if fault.name == "empty-token-taken")
    executor = open_executor(WsgiTarget(fault.app()))
    report = Run(executor, RunOptions(layers=("properties",), max_examples=250)).execute()
    shrunk = [finding.case.steps for finding in report.findings if finding.rule.id == "auth-bearer"]
    assert shrunk
    assert all(len(steps) == 1 and len(steps[0].body) <= 3 for steps in shrunk), shrunk


def test_callers_of_one_team_become_one() -> None:
    """A fault that shows with one caller is not told with several of the same team; callers of two teams stay."""
    create, update = Step(caller="sk-red"), Step("updateContainer", "jwt-red", expect="accept")
    (single,) = with_one_caller(Case("c", "updated", "lifecycle", (create, update)))
    assert {step.caller for step in single.steps} == {"jwt-red"}
    assert list(with_one_caller(replace(single, steps=(create, replace(update, caller="sk-blue"))))) == []
