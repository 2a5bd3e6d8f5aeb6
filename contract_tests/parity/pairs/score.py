"""Scores: how often the two agree, with an interval, and which rules and choices explain where they part."""

from collections import Counter
from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass, field

from contract_tests.parity.pairs.blame import CONFLICTS
from contract_tests.parity.pairs.compare import DIMENSIONS, Comparison, Difference, Dimension
from contract_tests.results.statistics import find_interval
from contract_tests.targets.exchange import Exchange

#: Examples that are kept, and that are shown: those with the smallest bodies.
_KEPT, _SHOWN = 10, 3


@dataclass(frozen=True, slots=True)
class Score:
    """How many of the compared requests agree."""

    agreed: int = 0
    compared: int = 0

    @property
    def share(self) -> float:
        """The share that agrees; 0 if nothing was compared."""
        return self.agreed / self.compared if self.compared else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """The interval of Wilson at 95 % for the true share; from 0 to 1 if nothing was compared."""
        return find_interval(self.agreed, self.compared)


@dataclass(frozen=True, slots=True)
class Example:
    """A request on which the two part: the exchange with the deployment, and the difference.

    A request that is ``sent_twice`` is a create whose slug was taken: a new slug has to be taken first.
    """

    exchange: Exchange
    difference: Difference
    sent_twice: bool = False

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """The requests that show the difference again."""
        return (self.exchange, self.exchange) if self.sent_twice else (self.exchange,)


@dataclass(frozen=True, slots=True)
class Part:
    """Where the two part: the rule or choice, the dimension, in how many requests, and a few examples."""

    name: str
    dimension: Dimension
    count: int
    examples: tuple[Example, ...]


#: What explains a difference: the suspects, the likeliest first, the dimension, and the property of a stored value.
_Key = tuple[tuple[str, ...], Dimension, str]


@dataclass(slots=True)
class Scorer:
    """Counts compared requests; ``subjects`` counts, per rule or choice, the requests that say something about it."""

    whole: Counter[bool] = field(default_factory=Counter)
    dimensions: dict[Dimension, Counter[bool]] = field(
        default_factory=lambda: {name: Counter() for name in DIMENSIONS}
    )
    subjects: Counter[str] = field(default_factory=Counter)
    _counts: Counter[frozenset[_Key]] = field(default_factory=Counter)  # each request counts once
    _examples: dict[_Key, list[Example]] = field(default_factory=dict)

    def count(self, comparison: Comparison, subjects: Iterable[str]) -> None:
        """Count a compared request."""
        self.whole[not comparison.differences] += 1
        for name in comparison.dimensions:
            self.dimensions[name][not comparison.differs_in(name)] += 1
        self.subjects.update(subjects)

    def add_differences(
        self,
        found: Sequence[tuple[tuple[str, ...], Difference]],
        record: Callable[[], Exchange],
        *,
        sent_twice: bool = False,
    ) -> None:
        """Add the differences of one request, each with its suspects; ``record`` returns the exchange."""
        self._counts[frozenset(_build_key(*one) for one in found)] += 1
        for suspects, difference in found:
            kept = self._examples.setdefault(_build_key(suspects, difference), [])
            if len(kept) < _KEPT:
                kept.append(Example(record(), difference, sent_twice))

    def score(self, dimension: Dimension | None = None) -> Score:
        """Return the score of a dimension, or that of the whole requests."""
        counts = self.dimensions[dimension] if dimension else self.whole
        return Score(counts[True], counts.total())

    def list_parts(self, choices: Container[str]) -> tuple[Part, ...]:
        """Return where the two part, the most frequent first; ``choices`` tells the ids of choices from rules.

        A difference with several suspects is put down to one that explains others without a doubt, else to the one
        that may explain most others, the likeliest first. There is none where it is the only suspect, or the only
        choice of several suspects. What is stored otherwise is explained by the same property only.
        """
        suspected = Counter((one, name) for suspects, _, name in self._examples for one in suspects)
        certain = {
            (suspects[0], name) for suspects, _, name in self._examples if _is_certain(suspects, choices)
        }

        def choose(suspects: tuple[str, ...], name: str) -> str:
            likeliest = max(suspects, key=lambda one: suspected[one, name])
            return next((one for one in suspects if (one, name) in certain), likeliest)

        chosen = {key: (choose(key[0], key[2]), key[1]) for key in self._examples}
        counts: Counter[tuple[str, Dimension]] = Counter()
        for keys, number in self._counts.items():
            for part in {chosen[key] for key in keys}:
                counts[part] += number
        examples: dict[tuple[str, Dimension], list[Example]] = {}
        for key, kept in self._examples.items():
            examples.setdefault(chosen[key], []).extend(kept)
        return tuple(
            Part(name, dimension, number, _choose_smallest(examples[name, dimension]))
            for (name, dimension), number in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        )


def _build_key(suspects: tuple[str, ...], difference: Difference) -> _Key:
    return suspects, difference.dimension, difference.part if difference.dimension == "stored" else ""


def _choose_smallest(examples: Iterable[Example]) -> tuple[Example, ...]:
    return tuple(sorted(examples, key=lambda example: len(example.exchange.body or ""))[:_SHOWN])


def _is_certain(suspects: tuple[str, ...], choices: Container[str]) -> bool:
    """Return whether the first suspect is the only one, or the only choice beside rules that are no conflict."""
    first, *others = suspects
    doubtful = any(other in choices or other in CONFLICTS.values() for other in others)
    return not others or (first in choices and not doubtful)
