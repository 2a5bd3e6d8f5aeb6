"""The aggregate of observations."""

from collections import Counter

from contract_tests.cases.model import Case, Step
from contract_tests.results.aggregate import Aggregate
from contract_tests.results.judge import Judgement
from contract_tests.results.observation import Observation


def test_a_tally_takes_no_room_for_more_of_the_same() -> None:
    """A hundred thousand results are counted, and what is kept is as much as after ten."""
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
    sizes = [Counter(map(len, tally.to_json().values())) for tally in (few, many)]
    assert sizes[0] == sizes[1]


def test_reasons_that_a_target_makes_up_are_bounded() -> None:
    """A target that answers each request with another excuse fills no memory."""
    case = Case("c", "created", "cases", (Step(),))
    tally = Aggregate.of(
        Observation(case, Judgement("inconclusive", "created", f"why {n}")) for n in range(1000)
    )
    assert (tally.cases, len(tally.reasons)) == (1000, 50)
