"""Figures over several rounds: the median, and between which ones it lies."""

import statistics
from collections.abc import Iterable, Sequence
from typing import TypedDict


class Figure(TypedDict):
    """What was measured several times."""

    median: float
    low: float
    high: float


def figure(values: Iterable[float]) -> Figure:
    """The figure of the values of all rounds."""
    found = sorted(values)
    return {
        "median": _rounded(statistics.median(found)),
        "low": _rounded(found[0]),
        "high": _rounded(found[-1]),
    }


def percentile(values: Sequence[float], part: float) -> float:
    """The value below which that part of the values lies."""
    found = sorted(values)
    return found[min(len(found) - 1, int(len(found) * part))]


def spread(of: Figure) -> float:
    """How far apart the rounds are, as a part of the median."""
    return (of["high"] - of["low"]) / of["median"] if of["median"] else 0.0


def _rounded(value: float) -> float:
    return float(f"{value:.5g}")
