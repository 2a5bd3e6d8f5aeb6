"""Findings from deviations."""

from typing import Any

from contract_tests.cases.model import Case, Step
from contract_tests.contract.rules import load_catalogue
from contract_tests.results.aggregate import Aggregate
from contract_tests.results.findings import build_findings
from contract_tests.results.judge import Judgement
from contract_tests.results.observation import Observation

CATALOGUE = load_catalogue()


def build_observation(
    rule: str, outcome: Any, layer: Any = "cases", expect: Any = "refuse", reason: str = "why"
) -> Observation:
    """Build an observation."""
    case = Case(f"{rule}-{outcome}", rule, layer, (Step(expect=expect),))
    return Observation(case, Judgement(outcome, rule, reason))


def test_the_same_deviation_is_one_finding() -> None:
    """Cases with the same deviation of a rule on an operation are one finding, with their number."""
    same = [build_observation("slug-unique", "violated") for _ in range(3)]
    other = build_observation("slug-unique", "violated", reason="otherwise")
    assert [
        finding.count
        for finding in build_findings(Aggregate.of([*same, other]).deviations.values(), CATALOGUE)
    ] == [3, 1]
