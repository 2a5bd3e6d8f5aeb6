"""What answers prove about a choice."""

import pytest

from contract_tests.calibration.probing.sighting import (
    Answer,
    CannotSee,
    Reaction,
    find_reaction,
    see,
    see_status,
)


def answer(reaction: Reaction, status: int, broken_rule: str = "") -> Answer:
    """Return an answer."""
    return Answer(f"PUT of {status}", reaction, status, broken_rule=broken_rule)


def test_a_status_is_that_of_every_refusal() -> None:
    """Refusals of one status show it, and the evidence names them."""
    sighting = see_status([answer("refused", 422), answer("refused", 422)])
    assert (sighting.option, sighting.confidence) == (422, "high")
    assert sighting.evidence == "PUT of 422 was answered 422; PUT of 422 was answered 422"


@pytest.mark.parametrize(
    ("second", "reason"),
    [
        (answer("refused", 400), "the statuses differ"),
        (answer("accepted", 200), "proves nothing"),
        (answer("", 429), "proves nothing"),
        (answer("refused", 422, "team-scope"), "breaks the rule team-scope"),
    ],
)
def test_no_status_is_seen_otherwise(second: Answer, reason: str) -> None:
    """Another status, an acceptance, an answer that proves nothing and a fault show no status."""
    with pytest.raises(CannotSee, match=reason):
        see_status([answer("refused", 422), second])


@pytest.mark.parametrize(
    "answers",
    [
        [answer("accepted", 200), answer("refused", 422)],
        [answer("", 405)],
        [answer("accepted", 200), answer("accepted", 200, "updated")],
    ],
)
def test_no_reaction_is_seen_in_answers_that_differ(answers: list[Answer]) -> None:
    """Answers that differ, prove nothing or break a rule have no common reaction."""
    with pytest.raises(CannotSee):
        find_reaction(answers)


def test_long_evidence_is_cut() -> None:
    """An evidence names three answers, and counts the others."""
    assert see("any", [answer("accepted", 200)] * 5).evidence.endswith("; and 2 more like these")
