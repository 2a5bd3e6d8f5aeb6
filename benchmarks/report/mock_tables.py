"""The tables of the sections that measure the mock: peers, stores, services and sizes."""

from collections.abc import Mapping
from typing import Any

from benchmarks.load.workloads import STORING_WORKLOADS, WORKLOADS
from benchmarks.report.aims import compare_growth, compare_mock
from benchmarks.report.table import Table, build_cpu_table, build_speed_table, format_ratio
from benchmarks.servers.contenders import BARE_FLASK

_ALL = tuple(workload.name for workload in WORKLOADS)
_STORING = tuple(workload.name for workload in STORING_WORKLOADS)


def build_mock_tables(figures: Mapping[str, Any]) -> list[Table]:
    """Return the CPU and speed of each contender, its start and memory, and the aims."""
    costs = figures["costs"]
    title = "CPU of the server per request, in microseconds (times bare Flask)"
    return [
        build_cpu_table(title, costs, _ALL, BARE_FLASK.name),
        build_speed_table(costs, _ALL),
        _build_start_table(figures),
        compare_mock(figures),
    ]


def build_store_tables(figures: Mapping[str, Any]) -> list[Table]:
    """Return the CPU and speed of each store."""
    title = "CPU of the server per request, in microseconds (times memory)"
    return [
        build_cpu_table(title, figures["costs"], _STORING, "memory, 1 worker"),
        build_speed_table(figures["costs"], _STORING),
    ]


def build_service_tables(figures: Mapping[str, Any]) -> list[Table]:
    """Return the CPU, latency and memory by the number of services stored, and the aim."""
    costs = figures["costs"]
    rows = []
    for name, cost in costs.items():
        base = costs[next(each for each in costs if each.partition(",")[0] == name.partition(",")[0])]
        rows.append(
            (
                name,
                *(format_ratio(cost[each]["cpu"], base[each]["cpu"]) for each in _STORING),
                *(f"{cost[each]['p99']['median']:.1f}" for each in _STORING),
                f"{figures['memory'].get(name, 0):.0f}",
            )
        )
    head = (
        "",
        *(f"{name}: CPU in microseconds (times 1 stored)" for name in _STORING),
        *(f"{name}: p99 in milliseconds" for name in _STORING),
        "MB",
    )
    title = "CPU of the server per request by services stored"
    return [Table(title, head, tuple(rows)), compare_growth(figures)]


def build_size_tables(figures: Mapping[str, Any]) -> list[Table]:
    """Return the CPU of a valid create by the size of its body."""
    workloads = tuple(next(iter(figures["costs"].values()), {}))
    title = "CPU of the server per valid create by size, in microseconds (times bare Flask)"
    return [build_cpu_table(title, figures["costs"], workloads, BARE_FLASK.name)]


def _build_start_table(figures: Mapping[str, Any]) -> Table:
    rows = tuple(
        (
            name,
            f"{start['seconds']['median']:.2f} ({start['seconds']['low']:.2f})",
            f"{start['cpu']['median']:.2f}",
            f"{start['memory']['median']:.0f}",
            f"{figures['memory'].get(name, 0):.0f}",
        )
        for name, start in figures["starts"].items()
    )
    head = (
        "",
        "seconds to the first response (fastest)",
        "CPU seconds",
        "MB after the start",
        "MB after the rounds",
    )
    return Table("Start and memory", head, rows)
