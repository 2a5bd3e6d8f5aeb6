"""The aims for the mock, and the tables that compare the results with them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.load.figures import Costs
from benchmarks.load.workloads import STORING_WORKLOADS, WORKLOADS
from benchmarks.report.table import Table
from benchmarks.servers.contenders import (
    BARE_FLASK,
    MOCK,
    OPENAPI_BACKEND,
    PRISM,
    QUIET_MOCK,
    QUIET_PRISM,
    SCALAR,
    Contender,
)

_TITLE = "Aims: result (highest value aimed at)"


@dataclass(frozen=True, slots=True)
class CpuAim:
    """The highest CPU per request of a contender by workload, as a multiple of that of a peer."""

    contender: Contender
    peer: Contender
    limits: Mapping[str, float]


_NEAR_FLASK = {"valid create": 1.5, "one violation": 1.5, "five violations": 2.0, "update": 1.5}
_BELOW_PEER = {"valid create": 1.0, "one violation": 1.0, "update": 1.0}
_HALF_OF_PEER = {workload.name: 0.5 for workload in WORKLOADS}
CPU_AIMS = (
    CpuAim(MOCK, BARE_FLASK, _NEAR_FLASK),
    CpuAim(QUIET_MOCK, BARE_FLASK, _NEAR_FLASK),
    CpuAim(MOCK, OPENAPI_BACKEND, _BELOW_PEER),
    CpuAim(QUIET_MOCK, OPENAPI_BACKEND, _BELOW_PEER),
    CpuAim(MOCK, SCALAR, _BELOW_PEER),
    CpuAim(QUIET_MOCK, SCALAR, _BELOW_PEER),
    CpuAim(QUIET_MOCK, QUIET_PRISM, _BELOW_PEER),
    CpuAim(MOCK, PRISM, _HALF_OF_PEER),
)
#: Seconds from the start to the first response, as a multiple of Prism's.
MAX_START_RATIO = 0.5
#: Milliseconds of the first response in process, after the import.
MAX_FIRST_RESPONSE = 20
#: CPU per request with the most services stored, as a multiple of that with one; rounds differ by a tenth.
MAX_GROWTH = 1.2


def compare_mock(figures: Mapping[str, Any]) -> Table:
    """Compare the mock with the aims for its CPU and its start; peers that were left out have no row."""
    costs: Costs = figures["costs"]
    rows = [
        _build_row(f"CPU of {aim.contender.name} to {aim.peer.name}", _find_ratios(aim, costs), aim.limits)
        for aim in CPU_AIMS
        if aim.contender.name in costs and aim.peer.name in costs
    ]
    first = WORKLOADS[0].name
    starts = figures["starts"]
    if PRISM.name in starts and MOCK.name in starts:
        seconds = {name: starts[name]["seconds"]["median"] for name in (MOCK.name, PRISM.name)}
        ratio = {first: seconds[MOCK.name] / seconds[PRISM.name]}
        rows.append(_build_row("seconds to the first response, to Prism", ratio, {first: MAX_START_RATIO}))
    milliseconds = {first: figures["in process"]["first answer"]["median"]}
    label = "milliseconds to the first response in process"
    rows.append(_build_row(label, milliseconds, {first: MAX_FIRST_RESPONSE}))
    return Table(_TITLE, ("", *(workload.name for workload in WORKLOADS), ""), tuple(rows))


def compare_growth(figures: Mapping[str, Any]) -> Table:
    """Compare the CPU with the most services stored with the CPU with one, for each kind of store."""
    groups: dict[str, list[str]] = {}
    for name in figures["costs"]:
        groups.setdefault(name.partition(",")[0], []).append(name)
    names = [workload.name for workload in STORING_WORKLOADS]
    rows = []
    for group in groups.values():
        fewest, most = figures["costs"][group[0]], figures["costs"][group[-1]]
        ratios = {name: most[name]["cpu"]["median"] / fewest[name]["cpu"]["median"] for name in names}
        label = f"CPU of {group[-1]} to {group[0]}"
        rows.append(_build_row(label, ratios, dict.fromkeys(names, MAX_GROWTH), columns=names))
    return Table(_TITLE, ("", *names, ""), tuple(rows))


def _find_ratios(aim: CpuAim, costs: Costs) -> dict[str, float]:
    contender, peer = costs[aim.contender.name], costs[aim.peer.name]
    return {name: contender[name]["cpu"]["median"] / peer[name]["cpu"]["median"] for name in aim.limits}


def _build_row(
    label: str, values: Mapping[str, float], limits: Mapping[str, float], columns: list[str] | None = None
) -> tuple[str, ...]:
    """Return a row of the table; a workload without a limit has an empty cell."""
    shown = columns or [workload.name for workload in WORKLOADS]
    cells = (f"{values[name]:.2f} ({limits[name]:g})" if name in limits else "" for name in shown)
    is_met = all(values[name] <= limit for name, limit in limits.items())
    return (label, *cells, "met" if is_met else "not met")
