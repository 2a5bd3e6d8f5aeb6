"""Intermittent refusals: the one property behind them is blamed, or nobody."""

import itertools
from collections.abc import Callable

import pytest

from mock_server import create_app
from tests.support.gate.gate import describe_findings, judge_app, violated_rules
from tests.support.gate.messages import REFUSED, Request
from tests.support.gate.planting import add_interceptor


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
@pytest.mark.parametrize("seed", [0, 1])
def test_the_property_is_blamed(period: int, seed: int) -> None:
    """Where every second or third update with a prompt is refused, only the rule of the prompt is violated."""
    assert find_rules(lambda r: "usage_prompt" in r.body, period, seed) == {"usage-prompt-type"}
