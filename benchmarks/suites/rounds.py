"""Rounds: every contender has a turn in each, so that a slower minute of the machine is everyone's."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

from benchmarks.load.figures import Figure, figure
from benchmarks.load.workloads import Workload
from benchmarks.processes.server import BrokenError
from benchmarks.servers.contenders import Ready

Tell = Callable[[str], None]
#: By contender, workload and what was measured.
Costs = dict[str, dict[str, dict[str, Figure]]]


def played(
    ready: Sequence[Ready],
    workloads: Sequence[Workload],
    *,
    rounds: int,
    seconds: float,
    warm_up: float,
    tell: Tell,
) -> Costs:
    """The figures of all rounds; who breaks is told of, and left out of the rounds that follow."""
    found: dict[str, dict[str, dict[str, list[float]]]] = defaultdict(
        lambda: defaultdict(lambda: defaultdict(list))
    )
    playing = list(ready)
    for number in range(rounds + 1):
        tell(f"round {number} of {rounds}" if number else "warming up")
        for one in tuple(playing):
            try:
                for workload in _turned(workloads, number):
                    measured = one.measured(workload, seconds if number else warm_up)
                    for name, value in measured.items() if number else ():
                        found[one.contender.name][workload.name][name].append(value)
            except (BrokenError, OSError) as broken:
                tell(f"{one.contender.name} is left out from here on: {broken}")
                playing.remove(one)
    return {
        contender: {
            workload.name: {name: figure(values) for name, values in measured[workload.name].items()}
            for workload in workloads
        }
        for contender, measured in found.items()
        if all(workload.name in measured for workload in workloads)
    }


def _turned(workloads: Sequence[Workload], number: int) -> Iterator[Workload]:
    """The workloads, another first in each round: a contender that was idle has to begin with something."""
    for place in range(len(workloads)):
        yield workloads[(place + number) % len(workloads)]
