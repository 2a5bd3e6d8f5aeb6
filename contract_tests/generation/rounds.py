"""Rounds of the properties layer: generated bodies as cases, labelled by the oracle.

Schemathesis and the oracle both predict whether a body is valid. The oracle knows the points that the reference
pages leave open, so its prediction decides; ``ORACLE_EXCEPTIONS`` names the rules on which the two may differ.
"""

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from contract_tests.cases.model import NO_SLUG, SHARED_PREFIX, Case, Step
from contract_tests.contract.files.json_text import parse_json
from contract_tests.contract.property_rules import find_nearest_rule
from contract_tests.contract.spec import Spec
from contract_tests.generation.bodies import Sample, load_samples
from contract_tests.generation.body_mutation import ValuePool
from contract_tests.generation.oracle import Prediction, predict

GATE_EXAMPLES = 10  # random bodies per operation and mode; more of them also add the coverage phase
_EXAMPLES_PER_ROUND, _MUTATED_PER_ROUND = 5, 1500  # later rounds: per operation and mode, and in all
_BODIES_PER_VARIANT, _BODIES_PER_SCENARIO = 5, 40
_TYPES = ("deployed", "external")
_SUCCESS_RULES = {"createContainer": "created", "updateContainer": "updated"}

# Rules that may refuse a body that Schemathesis calls valid: they depend on stored state, not on the body.
ORACLE_EXCEPTIONS = frozenset({"external-url-on-external-only", "external-credential-on-external-only"})


@dataclass(frozen=True, slots=True)
class Round:
    """Bodies that are generated and sent together.

    ``examples`` are drawn for each operation and mode, and ``mutated`` more are made from them. Every shard
    generates a ``shared`` round and sends its own part of it.
    """

    seed: int
    examples: int
    coverage: bool = False
    mutated: int = 0
    shared: bool = True

    @property
    def variant_count(self) -> int:
        """The number of request variants that go with the bodies."""
        return self.mutated // _BODIES_PER_VARIANT

    @property
    def scenario_count(self) -> int:
        """The number of random scenarios that go with the bodies."""
        return self.mutated // _BODIES_PER_SCENARIO

    def build_cases(self, spec: Spec, open_pool: Callable[[], ValuePool]) -> list[Case]:
        """Return a case per body; equal seeds and contracts give equal cases."""
        samples = load_samples(spec, self.seed, self.examples, coverage=self.coverage, store=self.shared)
        if self.mutated:
            samples += open_pool().mutate_samples(samples, self.mutated, self.seed)
        return [
            build_property_case(sample, f"{self.seed}-{number}", _TYPES[number // 2 % 2])
            for number, sample in enumerate(samples)
        ]


def plan_rounds(seed: int, examples: int, shard: tuple[int, int], *, endless: bool) -> Iterator[Round]:
    """Yield the rounds of a run: ``examples`` bodies of each operation and mode, or rounds without end.

    The first round is the gate's. Later rounds have seeds of their own, and a shard takes every n-th of them.
    """
    yield Round(seed, min(examples, GATE_EXAMPLES))
    if not endless and examples <= GATE_EXAMPLES:
        return
    yield Round(seed, 0, coverage=True)
    left = 4 * (examples - GATE_EXAMPLES)
    index, of = shard
    for round_index in count(1):
        if not endless and left <= 0:
            return
        mutated = _MUTATED_PER_ROUND
        if not endless:
            mutated = min(_MUTATED_PER_ROUND, max(0, left - 4 * _EXAMPLES_PER_ROUND))
        left -= mutated + 4 * _EXAMPLES_PER_ROUND
        if round_index % of == index - 1:
            yield Round(seed + round_index, _EXAMPLES_PER_ROUND, mutated=mutated, shared=False)


def build_property_case(sample: Sample, name: str, stored_type: str) -> Case:
    """Return the case of one sample; ``stored_type`` is the type of the service that an update addresses."""
    short = "create" if sample.operation == "createContainer" else "update"
    identifier = f"property/{short}-{sample.phase}-{name}"
    service = SHARED_PREFIX + stored_type
    value, raw = sample.value, None
    if sample.raw is not None:
        data = base64.b64decode(sample.raw)
        value, raw = _parse_json(data), {"$bytes": sample.raw}
        if value is _NOT_JSON:
            # A target may read an update without a body as one that changes nothing.
            step = Step(sample.operation, raw=raw, service=service, expect="refuse")
            if not data and short == "update":
                step = replace(step, expect="open", choice="empty-update-body")
            return Case(identifier, "body-json", "properties", (step,))
    case = Case(identifier, "body-json", "properties", (Step(sample.operation, service=service),))
    return relabel_case(case, value)


def relabel_case(case: Case, body: Any) -> Case:
    """Return the case with another body, and the oracle's expectation of it."""
    step = case.steps[0]
    prediction = predict(step.operation, body, step.service.removeprefix(SHARED_PREFIX))
    step = replace(step, body=body, as_is=True, expect=prediction.expect)
    if step.operation == "createContainer" and isinstance(body, dict):
        if body.get("service_slug") is None:
            step = replace(step, slug=NO_SLUG)
        elif not any(rule.startswith("service-slug") for rule in prediction.broken_rules):
            step = replace(step, slug=None, body={k: v for k, v in body.items() if k != "service_slug"})
        else:
            step = replace(step, slug=None)
    return replace(case, rule=_choose_rule(step, prediction, body), steps=(step,))


def _choose_rule(step: Step, prediction: Prediction, body: Any) -> str:
    """Return the broken rule, or that of the only optional property, or the success rule."""
    if prediction.broken_rules:
        return min(prediction.broken_rules)
    least = {"service_slug", "display_name", "docker_image", "external_url", "service_type"}
    more = (
        sorted(set(body) - (least if step.operation == "createContainer" else set()))
        if isinstance(body, dict)
        else []
    )
    if len(more) == 1:
        return find_nearest_rule(step.operation, more[0], body[more[0]])
    return _SUCCESS_RULES[step.operation]


_NOT_JSON = object()


def _parse_json(raw: bytes) -> Any:
    def refuse_constant(_constant: str) -> None:
        raise ValueError

    try:
        return parse_json(raw.decode("utf-8"), parse_constant=refuse_constant)
    except ValueError:
        return _NOT_JSON
