"""Runs with a budget: the limit holds, much is judged, nothing correct is called broken."""

import pytest

from contract_tests.cases.callers import load_callers
from contract_tests.contract.resources import data_file
from contract_tests.execution.preflight.plain_creates import CannotJudge
from contract_tests.results.verdict import Report
from contract_tests.runs.options import RunOptions
from contract_tests.runs.run import Run
from examples.deployment.choices import VARIANTS
from mock_server import create_app
from tests.support.gate.example_app import build_deployment_app
from tests.support.gate.gate import EXAMPLE_HOOK, MOCK_HOOK, App, open_app_executor, violated_rules
from tests.support.gate.messages import REFUSED, Request, Response, Send
from tests.support.gate.planting import add_interceptor


def judge_with_budget(
    app: App, budget: int, max_created: int | None = None, hook: str = MOCK_HOOK, *, strict: bool = True
) -> Report:
    """Return the report of a run of so many requests."""
    executor = open_app_executor(app, hook=hook, max_requests=budget, max_created=max_created)
    return Run(executor, RunOptions(budget=budget, strict=strict)).execute()


def test_a_hundred_requests_judge_most_rules() -> None:
    """With 100 requests and 25 services a conforming target gets a verdict on more than half of the rules."""
    report = judge_with_budget(create_app(), 100, 25)
    assert (report.exit_code, report.findings, report.requests) == (0, (), 100)
    assert report.judged >= 50
    assert report.created <= 25
    assert any("faults that the plan is learnt from, of which a run sees" in note for note in report.notes)


def test_a_larger_budget_judges_more() -> None:
    """The same plan goes on: 300 requests judge all but a few rules."""
    report = judge_with_budget(create_app(), 300)
    assert (report.exit_code, report.findings, report.requests) == (0, (), 300)
    assert report.judged >= 78


def test_a_budget_below_the_preflight_judges_nothing() -> None:
    """Where the callers alone cost more, the run says so in one line."""
    with pytest.raises(CannotJudge, match="--budget is too small"):
        judge_with_budget(create_app(), 3)


@pytest.mark.parametrize(
    "rule", ["exposed-port-range", "docker-image-required", "auth-agent", "display-name-length"]
)
@pytest.mark.slow
def test_a_missing_rule_is_named(rule: str) -> None:
    """A rule that is not enforced at all is violated, and no other, within 300 requests."""
    assert violated_rules(judge_with_budget(create_app(disabled_rules={rule}), 300)) == {rule}


@pytest.mark.parametrize("kinds", [("sk",), ("sk", "dk")])
def test_a_caller_that_the_run_lacks_hides_no_fault_at_large(kinds: tuple[str, ...]) -> None:
    """A target that refuses each update of a part is broken, also where the plan knows such a case by a JWT only."""

    def refuse_partial(request: Request, send: Send) -> Response:
        whole = {"display_name", "health_path"} <= request.body.keys()
        return REFUSED if request.operation == "update" and not whole else send(request)

    callers = [caller for caller in load_callers(data_file("fixtures/callers.yaml")) if caller.kind in kinds]
    app = add_interceptor(create_app(), refuse_partial)
    executor = open_app_executor(app, callers=callers, max_requests=100)
    assert violated_rules(Run(executor, RunOptions(budget=100)).execute()) == {"update-partial"}


def test_what_explains_refusals_leaves_most_of_the_budget() -> None:
    """Once the explanations took a quarter of the budget, the plan goes on; the violations that are left wait."""

    def refuse_lines(request: Request, send: Send) -> Response:
        has_lines = any(isinstance(value, str) and "\n" in value for value in request.body.values())
        return REFUSED if has_lines and request.caller else send(request)

    report = judge_with_budget(add_interceptor(create_app(), refuse_lines), 100, 25)
    assert "usage-prompt-type" in violated_rules(report)
    assert report.judged >= 12


@pytest.mark.slow
@pytest.mark.parametrize("budget", [60, 100])
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=(pytest.mark.exhaustive,) if number % 16 else ())
        for number, name in enumerate(VARIANTS)
    ],
)
def test_no_variant_raises_an_alarm(name: str, budget: int) -> None:
    """Each choice that the pages leave open conforms at any budget."""
    report = judge_with_budget(build_deployment_app(VARIANTS[name]), budget, 25, EXAMPLE_HOOK, strict=False)
    assert [one.id for one in report.findings if one.severity == "failure"] == []
    assert (report.cut_short, report.requests <= budget) == ("", True)


def test_a_rule_that_the_budget_left_out_says_so() -> None:
    """The reason of an unobserved rule is the budget, beside or in place of the hook that no budget replaces."""
    executor = open_app_executor(create_app(), hook=None, max_requests=60)
    report = Run(executor, RunOptions(budget=60)).execute()
    reasons = {row.rule.id: row.reason for row in report.verdicts if row.verdict == "not observed"}
    assert reasons.pop("not-while-busy") == "needs --control-hook to set a service's status"
    assert len(reasons) > 10
    assert all(reason.endswith("left out by --budget") for reason in reasons.values()), reasons
