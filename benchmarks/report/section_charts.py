"""The charts of the page, from the figures of their sections."""

from collections.abc import Mapping
from typing import Any

from benchmarks.load.workloads import VALID_CREATE, WORKLOADS
from benchmarks.report import chart
from benchmarks.report.suite_tables import LAYERS


def draw_mock_chart(figures: Mapping[str, Any]) -> str:
    """Draw the CPU per request of each contender and workload."""
    rows = {
        name: {workload.name: cost[workload.name]["cpu"]["median"] for workload in WORKLOADS}
        for name, cost in figures["costs"].items()
    }
    return chart.draw_bars("Microseconds of CPU per request", rows)


def draw_service_chart(figures: Mapping[str, Any]) -> str:
    """Draw the CPU per valid create by the number of services stored."""
    rows: dict[str, list[tuple[float, float]]] = {}
    for name, cost in figures["costs"].items():
        kind, _, stored = name.removesuffix(" stored").partition(", ")
        point = (float(stored.replace(",", "")), cost[VALID_CREATE.name]["cpu"]["median"])
        rows.setdefault(kind, []).append(point)
    return chart.draw_lines("Microseconds of CPU per valid create, by services stored", rows)


def draw_gate_chart(figures: Mapping[str, Any]) -> str:
    """Draw the seconds of each part of a verdict by latency."""
    parts = ("start and reports", *LAYERS)
    rows = {
        f"{latency} ms per request": {name: run[name]["median"] for name in parts if name in run}
        for latency, run in figures.items()
    }
    return chart.draw_stacked_bars("Seconds to a full verdict", rows)


def draw_fuzzing_chart(figures: Mapping[str, Any]) -> str:
    """Draw the number of faults that each fuzzer finds."""
    rows = {name: {"found": float(len(each["found"]))} for name, each in figures["fuzzers"].items()}
    return chart.draw_bars(f"Faults found, of {len(figures['faults'])}", rows)


def draw_curve_chart(figures: Mapping[str, Any]) -> str:
    """Draw the share of the faults that each contender finds by the requests that it sends."""
    rows = {
        name: [
            (float(budget), 100 * share) for budget, share in zip(figures["budgets"], shares, strict=False)
        ]
        for name, shares in figures["shares"].items()
    }
    return chart.draw_lines("Percent of the faults found, by requests", rows)
