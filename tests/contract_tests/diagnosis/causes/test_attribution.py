"""Attribution: a refusal is blamed on the property, value, form or caller that is its reason, and on nothing else."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from contract_tests.cases.model import Case, Step
from contract_tests.diagnosis.diagnose import diagnose_violation
from contract_tests.results.verdict import Report
from mock_server import create_app
from tests.support.gate.gate import describe_findings, judge_app, open_app_executor, violated_rules
from tests.support.gate.messages import REFUSED, Interceptor, Request
from tests.support.gate.planting import add_interceptor


def refuse(when: Callable[[Request], bool]) -> Interceptor:
    """Refuse the requests of the two operations for which the condition holds."""
    return lambda request, send: REFUSED if request.operation and when(request) else send(request)


def judge(intercept: Interceptor, **options: Any) -> Report:
    """Return the report of generated bodies and random scenarios on a mock behind an interceptor."""
    app = add_interceptor(create_app(), intercept)
    return judge_app(app, **{"layers": ("lifecycle", "properties"), "max_examples": 150, **options})


REASONS: dict[str, tuple[str, Callable[[Request], bool]]] = {
    "one property": ("usage-prompt-type", lambda r: 0 < len(str(r.body.get("usage_prompt", ""))) < 256),
    "a long text": ("texts-unbounded", lambda r: len(str(r.body.get("service_desc", ""))) > 1000),
    "one type": ("service-type-enum", lambda r: r.body.get("service_type") == "external"),
    "a part of an item": (
        "env-value-type",
        lambda r: any(" z " in str(i) or "\n" in str(i.get("env_value")) for i in _variables(r)),
    ),
    "the form": ("request-forms", lambda r: r.header("Accept") is not None),
}


def _variables(request: Request) -> list[dict[str, Any]]:
    items = request.body.get("env_config")
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


@pytest.mark.slow
@pytest.mark.parametrize("name", REASONS)
def test_the_reason_is_blamed_alone(name: str) -> None:
    """In bodies of many properties, only the rule of the refused part is violated."""
    rule, refused = REASONS[name]
    report = judge(refuse(refused))
    assert violated_rules(report) == {rule}, describe_findings(report)


@pytest.mark.slow
def test_the_rules_of_answers_are_never_blamed_for_a_refusal() -> None:
    """`created` and `updated` are not violated by a server that refuses valid bodies."""
    report = judge(refuse(lambda request: request.body.get("replica_count") == 10))
    assert violated_rules(report) == {"replica-count-range"}, describe_findings(report)


@pytest.mark.slow
def test_a_refusal_that_shows_only_sometimes_is_blamed_on_no_property() -> None:
    """Where every third request is refused, nothing can be compared, and generated bodies blame no one."""
    numbers = itertools.count()
    report = judge(refuse(lambda _: next(numbers) % 3 == 2), layers=("properties",))
    assert violated_rules(report) == set(), describe_findings(report)


@pytest.mark.slow
def test_what_is_open_is_blamed_on_no_documented_rule() -> None:
    """A server that refuses unknown properties of items breaks an assumed rule only."""
    strict = refuse(lambda request: any("not_in_the_contract" in item for item in _variables(request)))
    report = judge(strict, layers=("cases", "properties"), strict=False)
    assert (report.exit_code, violated_rules(report)) == (0, {"unknown-properties-ignored"})


def test_an_update_that_is_refused_alone_is_explained_without_new_services() -> None:
    """What a scenario created before is not created again to find the property that an update is refused for."""
    app = add_interceptor(
        create_app(), refuse(lambda r: r.operation == "update" and "service_desc" in r.body)
    )
    executor = open_app_executor(app)
    create = Step(caller="jwt-red", body=executor.controls.bodies["deployed"])
    update = Step(
        "updateContainer", "jwt-red", body={"service_desc": "text", "display_name": "name"}, expect="accept"
    )
    observation = executor.run_case(Case("covering/an-update", "updated", "lifecycle", (create, update)))
    executor.run_case(
        Case("an-update", "updated", "lifecycle", (replace(update, service="shared:deployed"),))
    )
    created = executor.sender.created_log.count
    found = diagnose_violation(executor, observation)
    assert (found.case.rule, executor.sender.created_log.count) == ("service-desc-type", created)


def test_updates_that_one_kind_of_caller_may_not_send_break_one_rule() -> None:
    """Deploy keys that may create and not update break the rule of their kind, not `auth-required` as well."""
    refused = refuse(lambda r: r.operation == "update" and "dk-" in (r.header("Authorization") or ""))
    report = judge(refused, layers=("wire",))
    assert violated_rules(report) == {"team-optional-for-credentials"}, describe_findings(report)


def test_updates_that_two_kinds_of_callers_may_not_send_break_one_rule() -> None:
    """Where only user sessions may update, the keys are compared with them, not only with each other."""
    refused = refuse(lambda r: r.operation == "update" and "k-" in (r.header("Authorization") or ""))
    report = judge(refused, layers=("wire",))
    assert violated_rules(report) == {"team-optional-for-credentials"}, describe_findings(report)


def test_a_line_break_that_is_refused_in_a_name_breaks_the_rule_of_the_name() -> None:
    """A server that takes names of one line only reads the forms of a request all the same."""
    report = judge(refuse(lambda r: "\n" in str(r.body.get("display_name", ""))), layers=("cases", "wire"))
    assert violated_rules(report) == {"display-name-type"}, describe_findings(report)


def test_an_empty_update_that_one_kind_of_caller_may_not_send_breaks_its_own_rule() -> None:
    """Deploy keys whose other updates are accepted may send an update: it is the empty one that is refused."""
    refused = refuse(
        lambda r: r.operation == "update" and r.body == {} and "dk-" in (r.header("Authorization") or "")
    )
    report = judge(refused, layers=("wire",))
    assert violated_rules(report) == {"update-partial"}, describe_findings(report)
