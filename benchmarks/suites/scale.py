"""The scale of a run: full, or quick enough for a minute or two per benchmark."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scale:
    """The numbers of rounds, seconds and sizes. In each round every contender serves every workload once."""

    name: str
    starts: int = 5
    rounds: int = 7
    seconds: float = 1.2
    #: Node needs some thousand requests until its code is compiled; Python needs a few.
    node_warm_up: float = 3.0
    python_warm_up: float = 0.5
    store_rounds: int = 3
    store_workers: tuple[int, ...] = (1, 2, 4)
    service_rounds: int = 3
    service_counts: tuple[int, ...] = (1, 1_000, 100_000, 1_000_000)
    size_rounds: int = 3
    body_sizes: tuple[int, ...] = (1_000, 10_000, 100_000, 1_000_000)
    gate_rounds: int = 3
    latencies: tuple[int, ...] = (0, 5, 50, 200)
    faults: int = 24
    #: Runs on a mock without a fault.
    correct_runs: int = 2
    mutate_options: tuple[str, ...] = ()
    curve_faults: int = 12
    curve_seeds: int = 5
    curve_budgets: tuple[int, ...] = (50, 100, 200, 300, 500, 1_000)


FULL = Scale("full")
QUICK = Scale(
    "quick",
    starts=1,
    rounds=2,
    seconds=0.3,
    node_warm_up=0.5,
    python_warm_up=0.1,
    store_rounds=1,
    store_workers=(1, 2),
    service_rounds=1,
    service_counts=(1, 10_000),
    size_rounds=1,
    body_sizes=(1_000, 100_000),
    gate_rounds=1,
    latencies=(0, 5),
    faults=2,
    correct_runs=1,
    mutate_options=("--only", "exposed-port"),
    curve_faults=2,
    curve_seeds=1,
    curve_budgets=(100, 300),
)
