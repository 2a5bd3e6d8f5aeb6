"""Rates: a violation that does not show each time says how often it shows, and in which pattern."""

import pytest

from mock_server import create_app
from tests.quality.faults import FAULTS
from tests.support.gate.gate import judge_app


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "pattern", "shown"),
    [
        ("display-name-length-not-the-second-time", "every other", 10),
        ("auth-agent-not-the-third-time", "every third", 6),
    ],
)
def test_a_periodic_violation_tells_its_period(name: str, pattern: str, shown: int) -> None:
    """Of twenty tries each second or third one shows it."""
    fault = next(fault for fault in FAULTS if fault.name == name)
    rates = [finding.rate for finding in judge_app(fault.app()).findings if finding.rate]
    assert {rate.pattern for rate in rates} == {pattern}
    assert all(rate.tries == 20 and abs(rate.shown - shown) <= 1 for rate in rates)


@pytest.mark.slow
def test_a_violation_that_shows_each_time_has_no_rate() -> None:
    """A rule that is never enforced is not measured further."""
    report = judge_app(create_app(disabled_rules={"exposed-port-range"}), layers=("cases",))
    assert report.findings
    assert all(finding.rate is None for finding in report.findings)


@pytest.mark.slow
def test_repeats_give_each_rule_of_the_body_enough_tries() -> None:
    """With a wanted number of tries, every constraint on a value gets it, and no service more is created."""
    few, many = (judge_app(create_app(), layers=("cases", "wire"), min_tries=number) for number in (0, 29))
    tries = {row.rule.id: row.tries for row in many.verdicts}
    assert all(tries[rule] >= 29 for rule in ("exposed-port-range", "auth-agent", "display-name-type"))
    assert many.findings == ()
    assert many.created <= few.created + 10


@pytest.mark.slow
def test_shards_divide_the_wanted_tries() -> None:
    """Two shards together give a rule of many cases its tries, and neither alone all of them."""
    halves = [
        judge_app(
            create_app(),
            layers=("cases",),
            rules=frozenset({"exposed-port-range"}),
            min_tries=60,
            shard=(i, 2),
        )
        for i in (1, 2)
    ]
    tries = [report.verdicts[0].tries for report in halves]
    assert 60 <= sum(tries) <= 70
    assert max(tries) < 60


@pytest.mark.slow
def test_only_cases_of_the_selected_layers_are_repeated() -> None:
    """A run of the wire layer has no more tries of a constraint on a value than without repeats."""
    few, many = (judge_app(create_app(), layers=("wire",), min_tries=number) for number in (0, 29))
    tries = [{row.rule.id: row.tries for row in report.verdicts} for report in (few, many)]
    assert tries[0]["exposed-port-range"] == tries[1]["exposed-port-range"] == 0
    assert tries[1]["auth-agent"] >= 29
