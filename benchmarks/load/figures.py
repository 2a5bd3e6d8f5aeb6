"""Figures: the median of several rounds with the lowest and the highest round."""

import statistics
from collections.abc import Iterable, Sequence
from typing import TypedDict


class Figure(TypedDict):
    """The median, lowest and highest value of the rounds."""

    median: float
    low: float
    high: float


#: By contender, workload and kind of figure (`cpu`, `rate`, `p50`, `p99`, `client`).
Costs = dict[str, dict[str, dict[str, Figure]]]


def build_figure(values: Iterable[float]) -> Figure:
    """Return the figure of the values of all rounds."""
    ordered = sorted(values)
    return {
        "median": _round_digits(statistics.median(ordered)),
        "low": _round_digits(ordered[0]),
        "high": _round_digits(ordered[-1]),
    }


def find_percentile(values: Sequence[float], fraction: float) -> float:
    """Return the value below which that fraction of the values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * fraction))]


def relative_spread(figure: Figure) -> float:
    """Return the distance between the highest and the lowest round, divided by the median."""
    return (figure["high"] - figure["low"]) / figure["median"] if figure["median"] else 0.0


def _round_digits(value: float) -> float:
    """Round a value to five significant digits."""
    return float(f"{value:.5g}")
