"""Findings from deviations."""

import json
from typing import Any

import pytest

from contract_tests.cases.model import Case, Step
from contract_tests.contract.rules import load_catalogue
from contract_tests.results.aggregate import Aggregate
from contract_tests.results.findings import build_findings
from contract_tests.results.judge import Judgement, judgement_from_json
from contract_tests.results.observation import Observation
from tests.quality.faults import FAULTS
from tests.support.gate.gate import judge_app

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


def test_operations_with_one_cause_share_it() -> None:
    """Findings on both operations for the same reason have the same cause, and ids of their own."""
    cases = [
        Case("c", "exposed-port-range", "cases", (Step(operation, expect="refuse"),))
        for operation in ("createContainer", "updateContainer")
    ]
    judgement = Judgement("violated", "exposed-port-range", "why")
    aggregate = Aggregate.of(Observation(case, judgement) for case in cases)
    first, second = build_findings(aggregate.deviations.values(), CATALOGUE)
    assert first.cause == second.cause
    assert len({first.id, second.id, first.cause}) == 3


@pytest.mark.parametrize(
    ("shown", "named"),
    [(("deployed",), "deployed"), (("external", "deployed"), ""), (("external", "external"), "external")],
    ids=["one", "both", "the-same"],
)
def test_a_finding_names_a_type_of_services_only_if_the_other_did_not_show_it(
    shown: tuple[str, ...], named: str
) -> None:
    """A heading "of an external service" sends the reader to code for these, though both types showed it."""
    cases = [
        Case("c", "update-partial", "cases", (Step("updateContainer", service=f"shared:{each}"),))
        for each in shown
    ]
    judgement = Judgement("violated", "update-partial", "why")
    aggregate = Aggregate.of(Observation(case, judgement) for case in cases)
    stored = Aggregate.from_json(json.loads(json.dumps(aggregate.to_json())))
    for each in (aggregate, stored):
        (finding,) = build_findings(each.deviations.values(), CATALOGUE)
        assert finding.service_type == named


@pytest.mark.slow
def test_readback_differences_are_kept() -> None:
    """A finding about a read-back has each property that differs, also after it was stored."""
    fault = next(fault for fault in FAULTS if fault.name == "port-default-not-stored")
    report = judge_app(fault.app(), layers=("lifecycle",))
    (finding,) = [f for f in report.findings if f.rule.id == "exposed-port-default"]
    assert finding.to_json()["differences"] == [
        {"property": "exposed_port", "received": "absent", "expected": "8080"}
    ]
    judgement = Judgement("violated", "created", differences=finding.differences)
    assert judgement_from_json(json.loads(json.dumps(judgement.to_json()))) == judgement
