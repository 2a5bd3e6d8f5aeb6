"""The mock with more and more services in its store."""

from collections.abc import Iterable, Iterator
from typing import Any

from benchmarks.load.workloads import STORING_WORKLOADS
from benchmarks.servers.contenders import CommandBuilder, Contender, build_app_command
from benchmarks.servers.progress import Progress
from benchmarks.servers.running import list_notes, measure_memory, start_all
from benchmarks.servers.stores import STORE_KINDS
from benchmarks.suites.rounds import RoundPlan, measure_rounds
from benchmarks.suites.scale import Scale
from benchmarks.suites.stores import open_stores


def measure_services(scale: Scale, progress: Progress) -> dict[str, Any]:
    """Measure mocks with all counts of services side by side, one kind of store after the other."""
    figures: dict[str, Any] = {"costs": {}, "memory": {}, "notes": []}
    counts = scale.service_counts
    plan = RoundPlan(scale.service_rounds, scale.seconds, scale.python_warm_up)
    for kind in STORE_KINDS:
        progress.report(f"{kind}: stores of {', '.join(f'{count:,}' for count in counts)} services")
        with (
            open_stores([kind] * len(counts), progress) as addresses,
            start_all(_build_filled_mocks(kind, counts, addresses), progress) as running,
        ):
            figures["costs"] |= measure_rounds(running, STORING_WORKLOADS, plan, progress)
            figures["memory"] |= measure_memory(running)
            figures["notes"] += list_notes(running)
    return figures


def _build_filled_mocks(kind: str, counts: Iterable[int], addresses: Iterable[str]) -> Iterator[Contender]:
    for count, address in zip(counts, addresses, strict=True):
        if address:
            yield Contender(f"{kind}, {count:,} stored", _build_filled_command(address, count), stores=True)


def _build_filled_command(address: str, count: int) -> CommandBuilder:
    return lambda port, _: build_app_command(port, "filled", address, str(count))
