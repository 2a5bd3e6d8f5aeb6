"""How much is measured: all of it, or as much as fits into a minute or two."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scale:
    """Rounds, seconds and sizes. A round is one turn of every contender."""

    name: str
    starts: int = 5
    #: Node takes some thousand requests until it is warm; Python takes a few.
    warm_up: float = 3.0
    own_warm_up: float = 0.5
    rounds: int = 7
    seconds: float = 1.2
    shared_rounds: int = 3
    shared_workers: tuple[int, ...] = (1, 2, 4)
    grown: tuple[int, ...] = (1, 1_000, 100_000, 1_000_000)
    grown_rounds: int = 3
    sizes: tuple[int, ...] = (1_000, 10_000, 100_000, 1_000_000)
    size_rounds: int = 3
    latencies: tuple[int, ...] = (0, 5, 50, 200)
    gate_rounds: int = 3
    faults: int = 24
    corrects: int = 2
    mutants: tuple[str, ...] = ()


FULL = Scale("full")
QUICK = Scale(
    "quick",
    starts=1,
    warm_up=0.5,
    own_warm_up=0.1,
    rounds=2,
    seconds=0.3,
    shared_rounds=1,
    shared_workers=(1, 2),
    grown=(1, 10_000),
    grown_rounds=1,
    sizes=(1_000, 100_000),
    size_rounds=1,
    latencies=(0, 5),
    gate_rounds=1,
    faults=2,
    corrects=1,
    mutants=("--only", "exposed-port"),
)
