"""Intermittent refusals: the one property behind them is blamed, or nobody."""

import itertools
from collections.abc import Callable

import pytest

from contract_tests.cases.model import Case, Step
from contract_tests.diagnosis.causes.attribution import is_certainly_valid
from contract_tests.diagnosis.causes.intermittent import blame_intermittent
from mock_server import create_app
from tests.support.gate.gate import describe_findings, judge_app, open_app_executor, violated_rules
from tests.support.gate.messages import REFUSED, Request
from tests.support.gate.planting import add_interceptor
from tests.support.sampling import keep_first


def find_rules(when: Callable[[Request], bool], period: int, seed: int = 0) -> set[str]:
    """Return the violated rules of a mock that refuses each n-th of some updates."""
    number = itertools.count(1)

    def counts(request: Request) -> bool:
        return request.operation == "update" and when(request) and next(number) % period == 0

    app = add_interceptor(create_app(), lambda request, send: REFUSED if counts(request) else send(request))
    report = judge_app(app, seed=seed, layers=("lifecycle", "properties"), max_examples=60)
    assert report.findings, describe_findings(report)
    return violated_rules(report)


@pytest.mark.slow
@pytest.mark.parametrize("period", [2, 3])
@pytest.mark.parametrize("seed", keep_first(1, [0, 1]))
def test_the_property_is_blamed(period: int, seed: int) -> None:
    """Where every second or third update with a prompt is refused, only the rule of the prompt is violated."""
    assert find_rules(lambda r: "usage_prompt" in r.body, period, seed) == {"usage-prompt-type"}


def test_a_blamed_array_stays_valid() -> None:
    """Where every second create with an empty variable is refused, the finding shows it, and no body that is invalid.

    The rule of the empty text is one of texts. A text in place of the array was refused each time, rightly.
    """
    numbers = itertools.count()
    items = [{"env_name": "A", "env_value": ""}]

    def refuses(request: Request) -> bool:
        return request.body.get("env_config") == items and next(numbers) % 2 == 0

    app = add_interceptor(create_app(), lambda r, send: REFUSED if refuses(r) else send(r))
    executor = open_app_executor(app)
    body = {**executor.controls.bodies["deployed"], "env_config": items, "service_desc": "text"}
    step = Step(caller="jwt-red", body=body, expect="accept")
    found = blame_intermittent(
        executor, executor.run_case(Case("covering/a-create", "created", "lifecycle", (step,)))
    )
    assert (found.judgement.outcome, found.case.rule) == ("violated", "texts-unbounded")
    assert is_certainly_valid(found.case), found.case.steps[-1].body
