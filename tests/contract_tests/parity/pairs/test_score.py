"""Scores and their intervals."""

from typing import Any

import pytest

from contract_tests.parity.pairs.compare import Comparison, Difference
from contract_tests.parity.pairs.score import Score, Scorer
from contract_tests.targets.exchange import Exchange


def record(size: int) -> Any:
    """Return an exchange with a body of a size."""
    exchange = Exchange("", "POST", "", (), "x" * size, 400, (), "", "", "", 0.0)
    return lambda: exchange


CHOICES = {"null-on-create", "unknown-credentials"}


@pytest.mark.parametrize(
    ("agreed", "compared", "low", "high"),
    [
        (1988, 2000, 0.98954, 0.99656),
        (2000, 2000, 0.99808, 1.0),
        (0, 10, 0.0, 0.27753),
        (5, 10, 0.23659, 0.76341),
    ],
)
def test_the_interval_is_that_of_wilson(agreed: int, compared: int, low: float, high: float) -> None:
    """All and none have an interval, too, which stays on the scale."""
    assert Score(agreed, compared).interval == pytest.approx((low, high), abs=2e-5)


def test_without_a_request_nothing_is_known() -> None:
    """The interval is then the whole scale."""
    assert (Score().share, Score().interval) == (0.0, (0.0, 1.0))


def add(scorer: Scorer, *suspects: str, size: int = 1) -> None:
    """Add a difference with suspects, seen on a body of a size."""
    scorer.add_differences([(suspects, Difference("accepted", "reaction", "a", "b"))], record(size))


def test_a_difference_goes_to_the_suspect_that_explains_others_alone() -> None:
    """Without such a suspect it goes to the likeliest; the only choice of several suspects is certain, too."""
    scorer = Scorer()
    add(scorer, "a-rule", "b-rule")
    add(scorer, "c-rule", "d-rule")
    add(scorer, "d-rule")
    add(scorer, "null-on-create", "unknown-credentials")
    add(scorer, "unknown-credentials", "a-rule")
    found = {part.name: part.count for part in scorer.list_parts(CHOICES)}
    assert found == {"a-rule": 1, "d-rule": 2, "unknown-credentials": 2}


@pytest.mark.parametrize("conflicts", [0, 1], ids=["refused-as-a-conflict", "in-conflict"])
def test_a_conflict_explains_an_open_point_only_if_it_shows_elsewhere(conflicts: int) -> None:
    """A deployment may refuse a null with the status of a taken slug, or know more slugs than the mock does."""
    scorer = Scorer()
    add(scorer, "null-on-create", "slug-unique")
    add(scorer, "null-on-create", "slug-unique")
    for _ in range(conflicts):
        add(scorer, "slug-unique")
    found = {part.name: part.count for part in scorer.list_parts(CHOICES)}
    assert found == ({"slug-unique": 3} if conflicts else {"null-on-create": 2})


def test_without_a_certain_suspect_the_one_of_most_differences_explains_them() -> None:
    """Of two that are suspected equally often it is the likeliest."""
    scorer = Scorer()
    add(scorer, "credential-on-deployed", "unknown-credentials")
    add(scorer, "external-url-on-deployed", "credential-on-deployed", "unknown-credentials")
    found = {part.name: part.count for part in scorer.list_parts(CHOICES)}
    assert found == {"credential-on-deployed": 2}


def test_a_stored_value_is_explained_by_the_same_property() -> None:
    """A text that each create trims does not explain why updates set a number back."""
    scorer, text = Scorer(), Difference("stored", "usage_prompt", "a", " a")
    number = Difference("stored", "replica_count", "1", "3")
    scorer.add_differences([(("created-stored",), text)], record(1))
    for suspects in (("keeps", "created-stored"), ("keeps", "updated-stored")):
        scorer.add_differences([(suspects, number)], record(1))
    scorer.add_differences([(("keeps", "created-stored"), text)], record(1))
    found = {part.name: part.count for part in scorer.list_parts(CHOICES)}
    assert found == {"created-stored": 2, "keeps": 2}


def test_a_request_with_several_differences_counts_once() -> None:
    """Two properties that are stored otherwise are one request of the rule, whatever else is suspected."""
    scorer, one, two = Scorer(), Difference("stored", "a", "1", "2"), Difference("stored", "b", "1", "2")
    found = [(("a-rule",), one), (("a-rule",), two), (("a-rule", "b-rule"), two), (("c-rule",), two)]
    scorer.add_differences(found, record(1))
    assert {part.name: part.count for part in scorer.list_parts(CHOICES)} == {"a-rule": 1, "c-rule": 1}


def test_the_smallest_examples_are_shown() -> None:
    """The number of differences is exact; the examples are three at most."""
    scorer = Scorer()
    for size in (5, 3, 4, 1, 2):
        add(scorer, "a-rule", size=size)
    (part,) = scorer.list_parts(CHOICES)
    assert part.count == 5
    assert [example.exchange.body for example in part.examples] == ["x", "xx", "xxx"]


def test_each_dimension_has_a_score() -> None:
    """A request counts in the dimensions in which it was compared, and once as a whole."""
    scorer = Scorer()
    scorer.count(Comparison(frozenset({"accepted", "status"})), {"a-rule"})
    parted = Comparison(frozenset({"accepted", "status"}), (Difference("status", "status", "1", "2"),))
    scorer.count(parted, {"a-rule", "b-rule"})
    assert scorer.score() == Score(1, 2)
    assert (scorer.score("accepted"), scorer.score("status"), scorer.score("stored")) == (
        Score(2, 2),
        Score(1, 2),
        Score(),
    )
    assert scorer.subjects == {"a-rule": 2, "b-rule": 1}
