"""Options of a run, and the cases that they select."""

import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from contract_tests.cases.model import LAYERS, Case, Layer
from contract_tests.contract.waivers import Waiver
from contract_tests.generation.rounds import GATE_EXAMPLES
from contract_tests.results.observation import Observation
from contract_tests.results.verdict import MIN_JUDGED

Progress = Callable[[Layer, int, int, int], None]  # layer, cases done, cases in all, violations so far


@dataclass(frozen=True, slots=True)
class RunOptions:
    """Scope, time and size of a run; the limit of services created is in ``ExecutorOptions``.

    ``target`` is the name that the user gave it; ``seconds`` and ``max_examples`` bound the run and its random part.
    ``asked_seconds`` is the time that the user gave, of which a resumed run has only the rest.
    ``min_judged`` is the share of the tried rules that must have a verdict. ``budget`` is the number of requests that
    the run may send, those of the plan first; the limit itself is in ``ExecutorOptions``. ``min_tries`` is the number
    of independent tries that each rule gets at least, as far as that is cheap; shards divide them.
    ``operation`` and ``round_indices`` (of generated bodies) restrict the run to a part of its layers.
    """

    target: str = ""
    layers: tuple[Layer, ...] = LAYERS
    strict: bool = False
    seed: int = 0
    max_examples: int = GATE_EXAMPLES
    seconds: float | None = None
    asked_seconds: float | None = None
    concurrency: int = 12
    refuse_only: bool = False
    min_judged: float = MIN_JUDGED
    budget: int | None = None
    min_tries: int = 0
    rules: frozenset[str] | None = None
    shard: tuple[int, int] = (1, 1)
    waivers: Mapping[str, Waiver] = field(default_factory=dict)
    operation: str = ""
    round_indices: frozenset[int] | None = None

    @property
    def has_random_scenarios(self) -> bool:
        """True if random scenarios run: they involve many rules and both operations, and create services."""
        return self.rules is None and not self.refuse_only and not self.operation

    def select_cases(self, cases: Iterable[Case], *, shared: bool = True) -> list[Case]:
        """Return the cases to run; of ``shared`` cases, which every shard has, only this shard's part."""
        index, of = self.shard if shared else (1, 1)
        chosen = [case for case in cases if zlib.crc32(case.id.encode()) % of == index - 1]
        if self.rules is not None:
            chosen = [case for case in chosen if self.rules.intersection(_list_rules(case))]
        if self.operation:
            chosen = [case for case in chosen if case.operation == self.operation]
        if self.refuse_only:
            chosen = [case for case in chosen if case.expect == "refuse"]
        return chosen

    def select_observations(self, observations: Iterable[Observation]) -> list[Observation]:
        """Return the observations about selected rules."""
        return [seen for seen in observations if self.rules is None or seen.judgement.rule in self.rules]

    def includes_layer_of(self, case: Case) -> bool:
        """Return whether a selected layer has such cases; the properties layer has generated ones of others."""
        return case.layer in self.layers or (case.is_generated and "properties" in self.layers)


def _list_rules(case: Case) -> set[str]:
    """Return the rules that a case judges: its own, and those of the read-backs before its end."""
    return {case.rule, *(step.rule for step in case.steps if step.operation == "readContainer" and step.rule)}


def format_duration(seconds: float) -> str:
    """Return a duration as a user writes it: ``90s``, ``10m`` or ``2h``."""
    for size, unit in ((3600, "h"), (60, "m")):
        if seconds and seconds % size == 0:
            return f"{seconds / size:g}{unit}"
    return f"{seconds:g}s"
