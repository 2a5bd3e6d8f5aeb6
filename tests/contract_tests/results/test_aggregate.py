"""The aggregate of observations."""

from collections import Counter
from dataclasses import replace

from contract_tests.cases.model import Case, Step
from contract_tests.results.aggregate import Aggregate
from contract_tests.results.judge import Judgement
from contract_tests.results.observation import Observation


def test_aggregate_size_does_not_grow_with_repeats() -> None:
    """A hundred thousand observations need as much memory as ten of the same kinds."""
    results = [
        Observation(
            Case(f"c{n}", "created", "cases", (Step(expect="accept"),)), Judgement(outcome, "created", why)
        )
        for n, (outcome, why) in enumerate(
            [("passed", ""), ("inconclusive", "busy"), ("violated", "wrong")] * 4
        )
    ]  # type: ignore[arg-type]
    few, many = Aggregate.of(results), Aggregate.of(results * 10_000)
    assert (few.cases, many.cases) == (12, 120_000)
    sizes = [Counter(map(len, aggregate.to_json().values())) for aggregate in (few, many)]
    assert sizes[0] == sizes[1]


def test_reasons_are_bounded() -> None:
    """A target that gives another reason each time fills no memory."""
    case = Case("c", "created", "cases", (Step(),))
    aggregate = Aggregate.of(
        Observation(case, Judgement("inconclusive", "created", f"why {n}")) for n in range(1000)
    )
    assert (aggregate.cases, len(aggregate.reasons)) == (1000, 50)


def test_generated_cases_count_for_the_layer_that_ran_them() -> None:
    """Where only the properties layer ran, no other one has an outcome or a finding."""
    cases = [
        Case("crossed/1", "created", "wire", (Step(),)),
        Case("trace/1", "created", "lifecycle", (Step(),)),
    ]
    aggregate = Aggregate.of(
        Observation(case, Judgement(outcome, "created", "why"))
        for case in cases
        for outcome in ("passed", "violated")
    )
    whole = replace(aggregate, outcomes=aggregate.outcomes.copy(), deviations=dict(aggregate.deviations))
    whole.fold_layers(("wire", "lifecycle", "properties"))
    assert whole == aggregate
    aggregate.fold_layers(("properties",))
    assert {layer for _, layer, _ in aggregate.outcomes} == {"properties"}
    assert [deviation.layers for deviation in aggregate.deviations.values()] == [Counter(properties=2)]
    assert aggregate.cases == 4


def test_a_step_that_cannot_be_sent_leaves_the_rule_of_its_case_undecided() -> None:
    """A series of updates judges the rule of the answer at each step, and its own rule by the read-back after it."""
    case = Case("covering/update", "updated-stored", "lifecycle", (Step("updateContainer"),))
    aggregate = Aggregate.of([Observation(case, Judgement("inconclusive", "updated", "refused here"))])
    assert aggregate.unproven == {("updated", case.expect), ("updated-stored", case.expect)}
    assert aggregate.reasons["updated-stored", "inconclusive", "refused here"] == 1
