"""The mock on each kind of store, with one worker or several."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from benchmarks.load.workloads import STORING_WORKLOADS
from benchmarks.processes.errors import BenchmarkError
from benchmarks.servers.contenders import build_mock
from benchmarks.servers.progress import Progress
from benchmarks.servers.running import list_notes, measure_memory, start_all
from benchmarks.servers.stores import STORE_KINDS, open_empty_store
from benchmarks.suites.rounds import RoundPlan, measure_rounds
from benchmarks.suites.scale import Scale


def measure_stores(scale: Scale, progress: Progress) -> dict[str, Any]:
    """Measure memory with one worker and the databases with several, side by side."""
    worker_counts = {kind: (1,) if kind == "memory" else scale.store_workers for kind in STORE_KINDS}
    setups = [(kind, workers) for kind in STORE_KINDS for workers in worker_counts[kind]]
    plan = RoundPlan(scale.store_rounds, scale.seconds, scale.python_warm_up)
    with open_stores([kind for kind, _ in setups], progress) as addresses:
        contenders = [
            build_mock(_name_setup(kind, workers), "--quiet", "--store", address, "--workers", str(workers))
            for (kind, workers), address in zip(setups, addresses, strict=True)
            if address
        ]
        with start_all(contenders, progress) as running:
            costs = measure_rounds(running, STORING_WORKLOADS, plan, progress)
            return {"costs": costs, "memory": measure_memory(running), "notes": list_notes(running)}


@contextmanager
def open_stores(kinds: Iterable[str], progress: Progress) -> Iterator[list[str]]:
    """Yield the address of an empty store for each kind; it is empty for a kind that is not available."""
    with ExitStack() as stack:
        addresses, missing = [], set()
        for kind in kinds:
            try:
                addresses.append("" if kind in missing else stack.enter_context(open_empty_store(kind)))
            except BenchmarkError as error:
                progress.leave_out(kind, error)
                missing.add(kind)
                addresses.append("")
        yield addresses


def _name_setup(kind: str, workers: int) -> str:
    return f"{kind}, {workers} worker{'s' * (workers > 1)}"
