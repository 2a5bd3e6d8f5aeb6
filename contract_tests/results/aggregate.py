"""All observations of a run, in bounded memory, as data that can be stored and merged."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from contract_tests.cases.model import Layer, case_from_json, case_to_json
from contract_tests.results.chosen import Answer, find_answer
from contract_tests.results.examples import MAX_EXAMPLES, Example, describe_example, merge_examples
from contract_tests.results.finding_keys import list_inputs, merge_inputs
from contract_tests.results.judge import SETUP_FAILED, Outcome, judgement_from_json
from contract_tests.results.observation import Observation, Sibling, reproduction_cost
from contract_tests.results.statistics import Rate
from contract_tests.targets.exchange import Exchange, exchange_from_json

#: Per rule and outcome: a target may put another text into every reason.
_MAX_REASONS = 50

#: Rule, operation, reason, whether it is a server error, whether it depends on a service's id.
DeviationKind = tuple[str, str, str, bool, bool]


@dataclass(frozen=True, slots=True)
class Deviation:
    """One kind of violation: the smallest observation of it, and the number of cases per layer that showed it.

    ``examples`` are a few different requests that showed it, or none if the smallest is the only one. ``inputs`` are
    the kinds of input that showed it: two faults of a rule may differ in these alone. ``types`` are the types of the
    services that showed it.
    """

    observation: Observation
    layers: Counter[Layer]
    examples: tuple[Example, ...] = ()
    inputs: tuple[str, ...] = ()
    types: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """The number of cases that showed it."""
        return self.layers.total()


@dataclass(slots=True)
class Aggregate:
    """Outcomes by rule and layer, reasons of undecided cases, and violations by kind.

    ``shown`` holds, per rule, the expectations that the target met: accept, refuse, open or race. ``unproven`` holds
    those of which a case of the tables was inconclusive: the rule may be broken there. ``tries`` counts the
    independent requests behind ``shown``, ``answers`` the statuses that show how the target chose.
    """

    outcomes: Counter[tuple[str, Layer, Outcome]] = field(default_factory=Counter)
    reasons: Counter[tuple[str, Outcome, str]] = field(default_factory=Counter)
    shown: set[tuple[str, str]] = field(default_factory=set)
    tries: Counter[tuple[str, str]] = field(default_factory=Counter)
    unproven: set[tuple[str, str]] = field(default_factory=set)
    deviations: dict[DeviationKind, Deviation] = field(default_factory=dict)
    answers: Counter[Answer] = field(default_factory=Counter)

    @classmethod
    def of(cls, observations: Iterable[Observation]) -> "Aggregate":
        """Return the aggregate of some observations."""
        aggregate = cls()
        for observation in observations:
            aggregate.add(observation)
        return aggregate

    @property
    def cases(self) -> int:
        """The number of observations added."""
        return self.outcomes.total()

    def add(self, observation: Observation, *, independent: bool = True) -> bool:
        """Add an observation; return whether it is a new kind of violation.

        One that shares its request with another of the same rule is not ``independent``.
        """
        judgement, layer = observation.judgement, observation.case.layer
        rule, outcome = judgement.rule, judgement.outcome
        self.outcomes[rule, layer, outcome] += 1
        expectation = "race" if layer == "race" else observation.case.expect
        # A setup that fails is about another rule, which has a verdict of its own.
        proves_nothing = outcome == "inconclusive" and judgement.reason != SETUP_FAILED
        if proves_nothing and observation.case.is_planned:
            self.unproven |= {(rule, expectation), (observation.case.rule, expectation)}
        if outcome == "passed":
            self.shown.add((rule, expectation))
            self.tries[rule, expectation] += independent
            if answer := find_answer(observation):
                self.answers[answer] += 1
        elif outcome != "violated":
            for of in {rule, observation.case.rule}:  # a step may be about another rule than its case
                self._add_reason(of, outcome, judgement.reason, 1)
        else:
            inputs = list_inputs(observation.case, judgement.differences)
            types = (observation.case.service_type,)
            return self._add_deviation(
                Deviation(observation, Counter({layer: 1}), inputs=inputs, types=types)
            )
        return False

    def merge(self, other: "Aggregate") -> None:
        """Add everything in another aggregate."""
        self.outcomes.update(other.outcomes)
        self.answers.update(other.answers)
        self.shown |= other.shown
        self.tries.update(other.tries)
        self.unproven |= other.unproven
        for (rule, outcome, reason), number in other.reasons.items():
            self._add_reason(rule, outcome, reason, number)
        for deviation in other.deviations.values():
            self._add_deviation(deviation)

    def fold_layers(self, ran: Sequence[Layer]) -> None:
        """Count what is of no layer that ran under the last one of them, if any ran.

        Only generated cases are: the properties layer also generates requests and scenarios of other layers.
        """
        if not ran:
            return
        outcomes, self.outcomes = self.outcomes, Counter()
        for (rule, layer, outcome), number in outcomes.items():
            self.outcomes[rule, layer if layer in ran else ran[-1], outcome] += number
        for kind, deviation in self.deviations.items():
            layers: Counter[Layer] = Counter()
            for layer, number in deviation.layers.items():
                layers[layer if layer in ran else ran[-1]] += number
            self.deviations[kind] = replace(deviation, layers=layers)

    def to_json(self) -> dict[str, Any]:
        """Return the aggregate as plain JSON values."""
        return {
            "outcomes": [[*key, number] for key, number in self.outcomes.items()],
            "reasons": [[*key, number] for key, number in self.reasons.items()],
            "shown": sorted(map(list, self.shown)),
            "tries": [[*key, number] for key, number in self.tries.items()],
            "unproven": sorted(map(list, self.unproven)),
            "deviations": [_deviation_to_json(deviation) for deviation in self.deviations.values()],
            "answers": [[*key, number] for key, number in self.answers.items()],
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Aggregate":
        """Return the aggregate that ``to_json`` wrote; raise ValueError, KeyError or TypeError for other data."""
        aggregate = cls(
            Counter({(rule, layer, outcome): number for rule, layer, outcome, number in data["outcomes"]}),
            Counter({(rule, outcome, reason): number for rule, outcome, reason, number in data["reasons"]}),
            {(rule, expect) for rule, expect in data["shown"]},
            Counter({(rule, expect): number for rule, expect, number in data.get("tries", ())}),
            {(rule, expect) for rule, expect in data["unproven"]},
        )
        for subject, operation, status, number in data.get("answers", ()):
            aggregate.answers[subject, operation, status] = number
        for entry in data["deviations"]:
            aggregate._add_deviation(_deviation_from_json(entry))
        return aggregate

    def update_deviations(self, update: Callable[[Observation], Observation]) -> None:
        """Replace the observation of each kind of violation; what it is about stays the same."""
        for kind, deviation in self.deviations.items():
            self.deviations[kind] = replace(deviation, observation=update(deviation.observation))

    def _add_reason(self, rule: str, outcome: Outcome, reason: str, number: int) -> None:
        key = (rule, outcome, reason)
        if key in self.reasons or sum(k[:2] == key[:2] for k in self.reasons) < _MAX_REASONS:
            self.reasons[key] += number

    def _add_deviation(self, deviation: Deviation) -> bool:
        kind = _deviation_kind(deviation.observation)
        known = self.deviations.get(kind)
        if known is None:
            self.deviations[kind] = deviation
            return True
        both = known.observation, deviation.observation
        smaller = min(both, key=lambda one: reproduction_cost(one.case, one.exchanges))
        examples = known.examples
        if len(examples) < MAX_EXAMPLES:
            examples = merge_examples(_list_examples(known), _list_examples(deviation))
        inputs = merge_inputs(known.inputs, deviation.inputs)
        types = merge_types(known.types, deviation.types)
        self.deviations[kind] = Deviation(smaller, known.layers + deviation.layers, examples, inputs, types)
        return False


def merge_types(*types: Sequence[str]) -> tuple[str, ...]:
    """Return the types of several violations together."""
    return tuple(sorted({one for each in types for one in each}))


def _deviation_kind(observation: Observation) -> DeviationKind:
    judgement, case = observation.judgement, observation.case
    by_id = judgement.rule != "created" and any(s.operation != "createContainer" for s in case.steps)
    return judgement.rule, case.operation, judgement.reason, judgement.server_error, by_id


def _list_examples(deviation: Deviation) -> tuple[Example, ...]:
    return deviation.examples or (describe_example(deviation.observation),)


def _deviation_to_json(deviation: Deviation) -> dict[str, Any]:
    observation = deviation.observation
    sibling = observation.sibling
    return {
        "case": case_to_json(observation.case),
        "judgement": observation.judgement.to_json(),
        "exchanges": [exchange.to_json() for exchange in observation.exchanges],
        "setup": [exchange.to_json() for exchange in observation.setup],
        "layers": dict(deviation.layers),
        "examples": [[example.sent, example.received] for example in deviation.examples],
        "inputs": list(deviation.inputs),
        "types": list(deviation.types),
        "line": observation.line,
        "rate": observation.rate and asdict(observation.rate),
        "sibling": sibling and sibling_to_json(sibling),
    }


def _deviation_from_json(data: dict[str, Any]) -> Deviation:
    exchanges: tuple[Exchange, ...] = tuple(map(exchange_from_json, data["exchanges"]))
    setup = tuple(map(exchange_from_json, data.get("setup", ())))
    judgement, found = judgement_from_json(data["judgement"]), data.get("sibling")
    sibling = _sibling_from_json(found) if found else None
    case, line = case_from_json(data["case"]), data.get("line", "")
    rate = Rate(**data["rate"]) if data.get("rate") else None
    observation = Observation(case, judgement, exchanges, setup, sibling, line, rate)
    examples = tuple(Example(sent, received) for sent, received in data.get("examples", ()))
    types = tuple(data.get("types") or (case.service_type,))
    return Deviation(observation, Counter(data["layers"]), examples, tuple(data["inputs"]), types)


def sibling_to_json(sibling: Sibling) -> dict[str, Any]:
    """Return a sibling as plain JSON values."""
    return {
        "edit": sibling.edit,
        "received": sibling.received,
        "case": case_to_json(sibling.case),
        "exchanges": [exchange.to_json() for exchange in sibling.exchanges],
    }


def _sibling_from_json(data: dict[str, Any]) -> Sibling:
    exchanges = tuple(map(exchange_from_json, data["exchanges"]))
    return Sibling(data["edit"], data["received"], case_from_json(data["case"]), exchanges)
