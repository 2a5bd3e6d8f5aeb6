"""Statistics: excluded rates, intervals and patterns."""

import math

import pytest

from contract_tests.results.statistics import (
    Rate,
    count_needed_tries,
    count_replays,
    excluded_rate,
    find_pattern,
    format_percent,
)


@pytest.mark.parametrize(("tries", "percent"), [(0, 100), (1, 95), (12, 22), (29, 10), (59, 5)])
def test_tries_exclude_a_rate(tries: int, percent: int) -> None:
    """A fault of that rate shows at least once in so many tries, in 95 of 100 series."""
    assert round(100 * excluded_rate(tries)) == percent


@pytest.mark.parametrize(
    ("rate", "text"), [(1.0, "100"), (0.224, "22"), (0.01, "1"), (0.0014, "0.1"), (0.00003, "0.003")]
)
def test_a_small_rate_is_never_shown_as_none(rate: float, text: str) -> None:
    """A rate under 1 % has a digit, so that no report says "over 0%"."""
    assert format_percent(rate) == text


@pytest.mark.parametrize(("rate", "tries"), [(0.5, 5), (0.1, 29), (0.02, 149), (0.95, 1)])
def test_a_rate_needs_tries(rate: float, tries: int) -> None:
    """So many tries exclude the rate, and one less does not."""
    assert count_needed_tries(rate) == tries
    assert excluded_rate(tries) <= rate + 1e-9
    assert tries == 1 or excluded_rate(tries - 1) > rate


@pytest.mark.parametrize(
    ("shown", "tries", "replays"), [(7, 20, 7), (1, 20, 59), (1, 1000, 60), (0, 20, 60), (20, 20, 1)]
)
def test_a_rate_needs_replays(shown: int, tries: int, replays: int) -> None:
    """As many replays as show a fault of the rate in 95 of 100 series, and no more than 60."""
    assert count_replays(shown, tries) == replays


@pytest.mark.parametrize("truth", [1 / 2, 1 / 3, 1 / 10, 1 / 50])
def test_the_interval_covers_the_true_rate(truth: float) -> None:
    """Of 100 series of 20 tries, 93 to 97 have an interval that contains the rate of the fault: no more, no less."""
    covering = [
        hits for hits in range(21) if Rate(hits, 20).interval[0] <= truth <= Rate(hits, 20).interval[1]
    ]
    chance = sum(math.comb(20, hits) * truth**hits * (1 - truth) ** (20 - hits) for hits in covering)
    assert 0.93 <= chance <= 0.97


@pytest.mark.parametrize(
    ("hits", "pattern"),
    [
        ("010101010101", "every other"),
        ("001001001001", "every third"),
        ("100010001000", "every fourth"),
        ("001001001000", ""),
        ("011011011011", ""),
        ("111111111111", ""),
        ("0101", ""),
    ],
)
def test_a_period_is_a_pattern(hits: str, pattern: str) -> None:
    """A period is named if the series keeps it throughout, three times or more."""
    assert find_pattern([hit == "1" for hit in hits]) == pattern


def test_a_rate_in_words() -> None:
    """A rate has an interval, or a pattern, for which chance says nothing."""
    assert str(Rate(7, 20)) == "7 of 20 tries (95 %: 18% to 57% of requests)"
    assert str(Rate(10, 20, "every other")) == "10 of 20 tries, every other time"
