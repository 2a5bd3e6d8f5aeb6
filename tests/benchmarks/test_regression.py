"""The threshold of the weekly benchmark."""

import copy
import json
from typing import Any

from benchmarks.report.regression import list_regressions
from tests.support.fixture_player import ROOT

RECORDED: dict[str, Any] = json.loads((ROOT / "benchmarks/results.json").read_text("utf-8"))["benchmarks"][
    "mock"
]["figures"]


def scale_costs(factor: float, *names: str) -> dict[str, Any]:
    """Return the recorded figures with the CPU of some contenders multiplied."""
    figures = copy.deepcopy(RECORDED)
    for name in names:
        for cost in figures["costs"][name].values():
            cost["cpu"]["median"] *= factor
    return figures


def test_a_slower_machine_is_no_regression() -> None:
    """Three times the cost of everything changes no ratio."""
    assert list(list_regressions(scale_costs(3, *RECORDED["costs"]), RECORDED)) == []


def test_a_mock_that_costs_twice_as_much_is_named() -> None:
    """Each workload of the mock is named with both ratios; noise below the threshold is not."""
    found = list(list_regressions(scale_costs(2, "mock"), RECORDED))
    assert len(found) == len(RECORDED["costs"]["mock"])
    assert all(line.startswith("mock, ") and "times bare Flask's CPU, recorded " in line for line in found)
    assert list(list_regressions(scale_costs(1.4, "mock"), RECORDED)) == []
