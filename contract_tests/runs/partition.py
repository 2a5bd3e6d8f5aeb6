"""A run in parts, for the workers of pytest-xdist: whoever is free takes the next one, and all share the results."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from filelock import FileLock, Timeout

from contract_tests.cases.model import Layer
from contract_tests.generation.rounds import rounds
from contract_tests.runs.checkpoint import NAME, State, load_state
from contract_tests.runs.run import Options

_OPERATIONS = ("createContainer", "updateContainer")
_BY_OPERATION: tuple[Layer, ...] = ("cases", "wire")
_SHARED_ROUNDS = 2  # the first rounds are kept as data, so that making them twice costs nothing
_PAUSE = 0.05


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a run: of a layer, the cases of one operation, or one round (seed) of generated bodies."""

    layer: Layer
    operation: str = ""
    turn: int | None = None

    @property
    def name(self) -> str:
        """The part in a word, fit for a file."""
        turn = "" if self.turn is None else str(self.turn)
        return "-".join(filter(None, (self.layer, self.operation, turn)))

    def options(self, whole: Options) -> Options:
        """Return the options that play this part of a run alone."""
        turns = None if self.turn is None else frozenset({self.turn})
        return replace(whole, layers=(self.layer,), operation=self.operation, turns=turns)


def parts(options: Options) -> list[Part]:
    """Return the parts of a run; they are the same for any number of workers, and so is what they send."""
    found: list[Part] = []
    for layer in options.layers:
        if layer == "properties":
            found += _of_rounds(options)
        elif layer in _BY_OPERATION:
            found += [Part(layer, operation) for operation in _OPERATIONS]
        else:
            found.append(Part(layer))
    return found


def _of_rounds(options: Options) -> Iterable[Part]:
    turns = rounds(options.seed, options.max_examples, (1, 1), endless=False)
    for number, _ in enumerate(turns):
        if number < _SHARED_ROUNDS:
            yield from (Part("properties", operation, number) for operation in _OPERATIONS)
        else:
            yield Part("properties", turn=number)


def play_all(folder: Path, wanted: Iterable[Part], play: Callable[[Part, Path], State]) -> None:
    """Play every part that nobody else plays, and return when all have been played by someone.

    A part is whose holds its lock; one of a worker that died is taken over.
    """
    left = list(wanted)
    while left:
        for part in left:
            _play(folder / part.name, part, play)
        left = [part for part in left if not (folder / part.name / NAME).is_file()]
        if left:
            time.sleep(_PAUSE)


def _play(place: Path, part: Part, play: Callable[[Part, Path], State]) -> None:
    place.mkdir(exist_ok=True)
    try:
        with FileLock(place / "lock", timeout=0):
            if not (place / NAME).is_file():
                play(part, place).save(place)
    except Timeout:
        return


def played(folder: Path) -> list[State]:
    """Return the states of the parts that have been played."""
    return [load_state(path.parent) for path in sorted(folder.glob(f"*/{NAME}"))]
