"""Rounds: each one measures every contender, so that a slow minute of the machine affects all of them."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.load.figures import Costs, build_figure
from benchmarks.load.workloads import Workload
from benchmarks.processes.errors import BenchmarkError
from benchmarks.servers.progress import Progress
from benchmarks.servers.running import RunningContender

#: The values of all rounds by contender, workload and kind of figure.
_Values = dict[str, dict[str, dict[str, list[float]]]]


@dataclass(frozen=True, slots=True)
class RoundPlan:
    """The number of rounds, the seconds of each workload, and those of the round that warms up."""

    rounds: int
    seconds: float
    warm_up: float


def measure_rounds(
    running: Sequence[RunningContender], workloads: Sequence[Workload], plan: RoundPlan, progress: Progress
) -> Costs:
    """Return the figures of all rounds; a contender that fails is left out of the rounds that follow."""
    values: _Values = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    remaining = list(running)
    for number in range(plan.rounds + 1):
        progress.report(f"round {number} of {plan.rounds}" if number else "warming up")
        for contender in tuple(remaining):
            try:
                for workload in _rotate_workloads(workloads, number):
                    sample = contender.measure_workload(workload, plan.seconds if number else plan.warm_up)
                    for kind, value in sample.items() if number else ():
                        values[contender.name][workload.name][kind].append(value)
            except (BenchmarkError, OSError) as error:
                progress.leave_out(contender.name, error, since=" from here on")
                remaining.remove(contender)
    return _build_costs(values, workloads)


def _build_costs(values: _Values, workloads: Sequence[Workload]) -> Costs:
    """Return the figures of the contenders that completed each workload in at least one round."""
    names = [workload.name for workload in workloads]
    return {
        contender: {
            name: {kind: build_figure(rounds) for kind, rounds in samples[name].items()} for name in names
        }
        for contender, samples in values.items()
        if all(name in samples for name in names)
    }


def _rotate_workloads(workloads: Sequence[Workload], number: int) -> Iterator[Workload]:
    """Yield the workloads, beginning with another one in each round: the first follows an idle moment."""
    for place in range(len(workloads)):
        yield workloads[(place + number) % len(workloads)]
