"""The mock and its peers on larger and larger bodies."""

from typing import Any

from benchmarks.load.workloads import build_sized_create
from benchmarks.servers.contenders import BARE_FLASK, OPENAPI_BACKEND, QUIET_MOCK, QUIET_PRISM
from benchmarks.servers.progress import Progress
from benchmarks.servers.running import list_notes, start_all
from benchmarks.suites.rounds import RoundPlan, measure_rounds
from benchmarks.suites.scale import Scale

_CONTENDERS = (BARE_FLASK, QUIET_MOCK, OPENAPI_BACKEND, QUIET_PRISM)


def measure_sizes(scale: Scale, progress: Progress) -> dict[str, Any]:
    """Measure valid creates of each size."""
    workloads = [build_sized_create(size) for size in scale.body_sizes]
    plan = RoundPlan(scale.size_rounds, scale.seconds, scale.node_warm_up)
    with start_all(_CONTENDERS, progress) as running:
        costs = measure_rounds(running, workloads, plan, progress)
        return {"costs": costs, "notes": list_notes(running)}
