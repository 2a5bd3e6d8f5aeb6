"""Faults that show at random: the default run finds them, and the rate that a finding states is the true one."""

import random
from typing import Any

import pytest

from contract_tests.results.statistics import USUAL_TRIES, Rate
from tests.quality.faults.intermittent import every, forgiving
from tests.support.gate.gate import judge_app

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

RULE = "exposed-port-range"
#: The cases of a run are fewer than the usual tries, so that their repeats have to find the fault.
RULES_OF_FEW_CASES = ("display-name-length", "service-exists", "team-member")


def state_rates(seed: int, rate: float, rule: str = RULE) -> list[Rate | None]:
    """Return the rates that the findings state of a rule which is not enforced in a share of the requests."""
    source = random.Random(f"{rate} {seed}")
    times = every(2) if rate == 1 else lambda _: source.random() < rate
    app = forgiving("forgiving", rule, times).app()
    report = judge_app(app, seed=seed, rules=frozenset({rule}), min_tries=USUAL_TRIES)
    return [finding.rate for finding in report.findings if finding.rule.id == rule]


def runs(number: int) -> Any:
    """Return the parameter of a few runs, and that of many, which an exhaustive run of the tests has."""
    return [number, pytest.param(100, marks=pytest.mark.exhaustive)]


@pytest.mark.parametrize("number", runs(4))
@pytest.mark.parametrize("rule", [RULE, *RULES_OF_FEW_CASES])
def test_a_fault_of_a_third_of_the_requests_is_found(rule: str, number: int) -> None:
    """The default run finds it in 99 of 100 runs."""
    found = sum(bool(state_rates(seed, 1 / 3, rule)) for seed in range(number))
    assert found >= number * 0.99 - 0.5


@pytest.mark.parametrize("number", runs(4))
@pytest.mark.parametrize("rate", [1 / 2, 1 / 10], ids=["half", "tenth"])
def test_the_stated_interval_holds_the_true_rate(rate: float, number: int) -> None:
    """Of the runs that find the fault and call it intermittent, at least 9 of 10 state an interval that holds it."""
    rates = [found[0] for seed in range(number) if (found := state_rates(seed, rate))]
    stated = [each.interval for each in rates if each]
    assert len(stated) >= number * 0.5
    assert sum(low <= rate <= high for low, high in stated) >= len(stated) * 0.9 - 0.5


@pytest.mark.parametrize("number", runs(2))
def test_an_alternating_fault_is_called_so(number: int) -> None:
    """A fault that shows every other time has this pattern in each run, in place of an interval."""
    for seed in range(number):
        stated = [str(rate) for rate in state_rates(seed, 1)]
        assert stated
        assert all("every other time" in text and "95 %" not in text for text in stated), stated
