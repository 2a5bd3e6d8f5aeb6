"""The aggregate of observations."""

from collections import Counter

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
