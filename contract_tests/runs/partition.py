"""Partition: a run split into parts for pytest-xdist; each free worker takes the next part."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from filelock import FileLock, Timeout

from contract_tests.cases.model import Layer
from contract_tests.generation.rounds import plan_rounds
from contract_tests.runs.checkpoint import STATE_FILE, RunState, load_state
from contract_tests.runs.options import RunOptions

_OPERATIONS = ("createContainer", "updateContainer")
_BY_OPERATION: tuple[Layer, ...] = ("cases", "wire")
_STORED_ROUNDS = 2  # stored as data, so that generating them in two parts costs nothing
_POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a run: a layer, the cases of one operation in it, or one round of generated bodies."""

    layer: Layer
    operation: str = ""
    round_index: int | None = None

    @property
    def name(self) -> str:
        """The name of the part's folder."""
        index = "" if self.round_index is None else str(self.round_index)
        return "-".join(filter(None, (self.layer, self.operation, index)))

    def narrow_options(self, whole: RunOptions) -> RunOptions:
        """Return the options that run this part alone."""
        indices = None if self.round_index is None else frozenset({self.round_index})
        return replace(whole, layers=(self.layer,), operation=self.operation, round_indices=indices)


def split_run(options: RunOptions) -> list[Part]:
    """Return the parts of a run; they do not depend on the number of workers."""
    parts: list[Part] = []
    for layer in options.layers:
        if layer == "properties":
            parts += _split_rounds(options)
        elif layer in _BY_OPERATION:
            parts += [Part(layer, operation) for operation in _OPERATIONS]
        else:
            parts.append(Part(layer))
    return parts


def _split_rounds(options: RunOptions) -> Iterable[Part]:
    rounds = plan_rounds(options.seed, options.max_examples, (1, 1), endless=False)
    for index, _ in enumerate(rounds):
        if index < _STORED_ROUNDS:
            yield from (Part("properties", operation, index) for operation in _OPERATIONS)
        else:
            yield Part("properties", round_index=index)


def run_parts(folder: Path, parts: Iterable[Part], run: Callable[[Part, Path], RunState]) -> None:
    """Run every part that no other worker runs, and return when all parts are done.

    A worker owns a part while it holds the part's lock; the part of a crashed worker is taken over.
    """
    left = list(parts)
    while left:
        for part in left:
            _run_part(folder / part.name, part, run)
        left = [part for part in left if not (folder / part.name / STATE_FILE).is_file()]
        if left:
            time.sleep(_POLL_SECONDS)


def _run_part(place: Path, part: Part, run: Callable[[Part, Path], RunState]) -> None:
    place.mkdir(exist_ok=True)
    try:
        with FileLock(place / "lock", timeout=0):
            if not (place / STATE_FILE).is_file():
                run(part, place).save(place)
    except Timeout:
        return


def load_finished_parts(folder: Path) -> list[RunState]:
    """Return the states of the parts that are done."""
    return [load_state(path.parent) for path in sorted(folder.glob(f"*/{STATE_FILE}"))]
