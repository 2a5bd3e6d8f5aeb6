"""What all cases of a run showed, in room that does not grow with their number, and as data that can be merged."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from contract_tests.cases.model import Layer, from_data, to_data
from contract_tests.execution.executor import Result
from contract_tests.results.judge import Judgement, Outcome
from contract_tests.targets.exchange import Exchange, exchange_from

#: Of a rule and outcome; a target may put something else into each reason.
_REASONS = 50

Kind = tuple[
    str, str, str, bool, bool
]  # rule, operation, reason, whether a server error, whether seen by an id


@dataclass(frozen=True, slots=True)
class Sighting:
    """One kind of deviation: the smallest result that shows it, and how many cases of each layer did."""

    result: Result
    layers: Counter[Layer]

    @property
    def count(self) -> int:
        """How many cases showed it."""
        return self.layers.total()


@dataclass(slots=True)
class Tally:
    """Counts of outcomes by rule and layer, the reasons of what proves nothing, and the deviations by kind.

    ``shown`` says of each rule what was answered as it must be: accept, refuse, open, or race.
    """

    outcomes: Counter[tuple[str, Layer, Outcome]] = field(default_factory=Counter)
    reasons: Counter[tuple[str, Outcome, str]] = field(default_factory=Counter)
    shown: set[tuple[str, str]] = field(default_factory=set)
    deviations: dict[Kind, Sighting] = field(default_factory=dict)

    @classmethod
    def of(cls, results: Iterable[Result]) -> "Tally":
        """Return the tally of some results."""
        tally = cls()
        for result in results:
            tally.note(result)
        return tally

    @property
    def cases(self) -> int:
        """How many results were noted."""
        return self.outcomes.total()

    def note(self, result: Result) -> bool:
        """Add a result; say whether it is a kind of deviation that was not seen before."""
        rule, outcome, layer = result.judgement.rule, result.judgement.outcome, result.case.layer
        self.outcomes[rule, layer, outcome] += 1
        if outcome == "passed":
            self.shown.add((rule, "race" if layer == "race" else result.case.expect))
        elif outcome != "violated":
            self._reason(rule, outcome, result.judgement.reason, 1)
        else:
            return self._deviates(Sighting(result, Counter({layer: 1})))
        return False

    def merge(self, other: "Tally") -> None:
        """Add all that another tally holds."""
        self.outcomes.update(other.outcomes)
        self.shown |= other.shown
        for (rule, outcome, reason), number in other.reasons.items():
            self._reason(rule, outcome, reason, number)
        for sighting in other.deviations.values():
            self._deviates(sighting)

    def to_data(self) -> dict[str, Any]:
        """Return the tally as plain JSON values."""
        return {
            "outcomes": [[*key, number] for key, number in self.outcomes.items()],
            "reasons": [[*key, number] for key, number in self.reasons.items()],
            "shown": sorted(map(list, self.shown)),
            "deviations": [_sighting_data(sighting) for sighting in self.deviations.values()],
        }

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> "Tally":
        """Return the tally that ``to_data`` wrote; ValueError, KeyError or TypeError for anything else."""
        tally = cls(
            Counter({(rule, layer, outcome): number for rule, layer, outcome, number in data["outcomes"]}),
            Counter({(rule, outcome, reason): number for rule, outcome, reason, number in data["reasons"]}),
            {(rule, expect) for rule, expect in data["shown"]},
        )
        for entry in data["deviations"]:
            tally._deviates(_sighting(entry))
        return tally

    def _reason(self, rule: str, outcome: Outcome, reason: str, number: int) -> None:
        key = (rule, outcome, reason)
        if key in self.reasons or sum(k[:2] == key[:2] for k in self.reasons) < _REASONS:
            self.reasons[key] += number

    def _deviates(self, sighting: Sighting) -> bool:
        kind = _kind(sighting.result)
        known = self.deviations.get(kind)
        if known is None:
            self.deviations[kind] = sighting
            return True
        smaller = min(known.result, sighting.result, key=_size)
        self.deviations[kind] = replace(known, result=smaller, layers=known.layers + sighting.layers)
        return False


def _kind(result: Result) -> Kind:
    said = result.judgement
    by_id = said.rule != "created" and any(s.operation != "createContainer" for s in result.case.steps)
    return said.rule, result.case.operation, said.reason, said.server_error, by_id


def _size(result: Result) -> tuple[int, int]:
    return len(result.exchanges), sum(len(e.body or "") for e in result.exchanges)


def _sighting_data(sighting: Sighting) -> dict[str, Any]:
    result = sighting.result
    return {
        "case": to_data(result.case),
        "judgement": asdict(result.judgement),
        "exchanges": [exchange.to_data() for exchange in result.exchanges],
        "layers": dict(sighting.layers),
    }


def _sighting(data: dict[str, Any]) -> Sighting:
    exchanges: tuple[Exchange, ...] = tuple(map(exchange_from, data["exchanges"]))
    result = Result(from_data(data["case"]), Judgement(**data["judgement"]), exchanges)
    return Sighting(result, Counter(data["layers"]))
