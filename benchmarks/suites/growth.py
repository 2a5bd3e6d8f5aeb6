"""The mock alone: what the stores cost, and how the cost grows with services stored and with size of bodies."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from benchmarks.load.workloads import WORKLOADS, sized
from benchmarks.processes.server import BrokenError
from benchmarks.servers.contenders import BARE, OPENAPI_BACKEND, PRISM_QUIET, Contender, Ready, mock, together
from benchmarks.servers.stores import KINDS, address
from benchmarks.suites.rounds import Costs, Tell, played
from benchmarks.suites.scale import Scale

#: The others are refused before the store is asked.
_STORED = tuple(workload for workload in WORKLOADS if workload.right == 2)


def stores(scale: Scale, tell: Tell) -> dict[str, Any]:
    """Memory, and the databases with several workers, side by side."""
    counts = {kind: (1,) if kind == "memory" else scale.shared_workers for kind in KINDS}
    places = [(kind, workers) for kind in KINDS for workers in counts[kind]]
    with _placed([kind for kind, _ in places], tell) as found:
        contenders = [
            mock(_named(kind, workers), "--quiet", "--store", where, "--workers", str(workers))
            for (kind, workers), where in zip(places, found, strict=True)
            if where
        ]
        with together(contenders, tell) as ready:
            costs = _played(ready, scale, scale.shared_rounds, tell)
            memory = {one.contender.name: one.server.memory() for one in ready}
            return {"costs": costs, "memory": memory, "notes": _notes(ready)}


def services(scale: Scale, tell: Tell) -> dict[str, Any]:
    """By store: mocks that hold more and more services, side by side."""
    told: dict[str, Any] = {"costs": {}, "memory": {}, "notes": []}
    for kind in KINDS:
        tell(f"{kind}: {', '.join(f'{count:,}' for count in scale.grown)} services are stored")
        with (
            _placed([kind] * len(scale.grown), tell) as found,
            together(_grown(kind, scale.grown, found), tell) as ready,
        ):
            told["costs"] |= _played(ready, scale, scale.grown_rounds, tell)
            told["memory"] |= {one.contender.name: one.server.memory() for one in ready}
            told["notes"] += _notes(ready)
    return told


def sizes(scale: Scale, tell: Tell) -> dict[str, Any]:
    """Valid creates whose bodies are larger and larger."""
    workloads = [sized(size) for size in scale.sizes]
    contenders = (BARE, mock("mock --quiet", "--quiet"), OPENAPI_BACKEND, PRISM_QUIET)
    with together(contenders, tell) as ready:
        costs = played(
            ready,
            workloads,
            rounds=scale.size_rounds,
            seconds=scale.seconds,
            warm_up=scale.warm_up,
            tell=tell,
        )
        return {"costs": costs, "notes": _notes(ready)}


def _played(ready: list[Ready], scale: Scale, rounds: int, tell: Tell) -> Costs:
    return played(ready, _STORED, rounds=rounds, seconds=scale.seconds, warm_up=scale.own_warm_up, tell=tell)


def _grown(kind: str, counts: Iterable[int], found: Iterable[str]) -> Iterator[Contender]:
    for count, where in zip(counts, found, strict=True):
        if where:
            yield Contender(f"{kind}, {count:,} stored", _filled(where, count), stores=True)


def _filled(where: str, count: int) -> Callable[[int, Path], list[str]]:
    rest = ("grown", where, str(count))
    return lambda port, _: [sys.executable, "-m", "benchmarks.servers.apps", str(port), *rest]


@contextmanager
def _placed(kinds: Iterable[str], tell: Tell) -> Iterator[list[str]]:
    """An address for each; none for a kind that is not to be had."""
    with ExitStack() as stack:
        found, missing = [], set()
        for kind in kinds:
            try:
                found.append("" if kind in missing else stack.enter_context(address(kind)))
            except BrokenError as broken:
                tell(f"{kind} is left out: {broken}")
                missing.add(kind)
                found.append("")
        yield found


def _named(kind: str, workers: int) -> str:
    return f"{kind}, {workers} worker{'s' * (workers > 1)}"


def _notes(ready: list[Ready]) -> list[str]:
    return sorted(note for one in ready for note in one.notes)
