"""Many bodies from few: generated bodies and boundary values, recombined and mutated.

Drawing a body with Schemathesis costs many times as much as sending it. A round therefore draws a few bodies;
most others differ from an accepted body in one to three places, which also isolates the broken rule.
"""

import json
import math
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from contract_tests.cases.building.boundary_values import probe_values
from contract_tests.cases.model import OperationId
from contract_tests.contract.spec import Spec
from contract_tests.generation.bodies import Sample, load_samples
from contract_tests.generation.oracle import PROPERTY_NAMES, predict

_CHANGE_COUNTS = (1, 1, 1, 1, 2, 2, 3)
_IMMUTABLE = ("service_slug", "service_type")
_OPERATIONS: tuple[OperationId, ...] = ("createContainer", "updateContainer")
_SLUG = "a-slug"
#: Bodies to which any valid value of any property can be added.
_BASES: Mapping[OperationId, Mapping[str, Any]] = {
    "createContainer": {
        "service_slug": _SLUG,
        "display_name": "A name",
        "docker_image": "nginx:1.27",
        "external_url": "https://e.example.com",
    },
    "updateContainer": {},
}
_OMIT_SHARE, _MUTATE_SHARE = 0.12, 0.15


Values = Mapping[str, Sequence[Any]]


@dataclass(frozen=True, slots=True)
class _BodyParts:
    """Parts of an operation's bodies: ``bases`` to change, and values by property.

    ``unknown`` holds the values of properties that the operation does not have.
    """

    bases: tuple[Mapping[str, Any], ...]
    valid: Values
    invalid: Values
    unknown: Values


class _ValueSampler:
    """Samples an operation's values; each value of a kind comes once before any comes again."""

    def __init__(self, parts: _BodyParts, rng: random.Random) -> None:
        """Weight the kinds of values; a contract may have no value of a kind."""
        kinds = [_list_pairs(values) for values in (parts.valid, parts.invalid, parts.unknown)]
        self._rng = rng
        self._kinds = [
            kind for kind, weight in zip(kinds, (4, 6, 1), strict=True) if kind for _ in range(weight)
        ]
        self._queues: dict[int, list[tuple[str, Any]]] = {}

    def sample_value(self) -> tuple[str, Any]:
        """Return a property and the next value in the queue of a random kind."""
        kind = self._rng.choice(self._kinds)
        queue = self._queues.setdefault(id(kind), [])
        if not queue:
            queue += kind
            self._rng.shuffle(queue)
        return queue.pop()


def _list_pairs(values: Values) -> list[tuple[str, Any]]:
    """Return each property with each of its values once."""
    unique = {(name, json.dumps(value)): (name, value) for name, those in values.items() for value in those}
    return list(unique.values())


class ValuePool:
    """Parts shared by all rounds of a run: bodies of the tables, boundary values of the contract."""

    def __init__(self, spec: Spec, bodies: Mapping[str, Any]) -> None:
        """Build the shared parts; ``bodies`` are the named bodies of the tables."""
        samples = load_samples(spec, 0, 0, coverage=True)
        known = [body for body in bodies.values() if isinstance(body, dict)]
        self._common = {name: _build_common_parts(spec, name, known, samples) for name in _OPERATIONS}

    def mutate_samples(self, samples: Iterable[Sample], number: int, seed: int) -> Iterator[Sample]:
        """Yield ``number`` bodies made from the pool and some samples; equal arguments give equal bodies."""
        rng = random.Random(seed)  # noqa: S311 - bodies, not secrets
        drawn = list(samples)
        parts = {name: self._add_samples(name, drawn) for name in _OPERATIONS}
        samplers = {name: _ValueSampler(parts[name], rng) for name in _OPERATIONS}
        for index in range(number):
            name = _OPERATIONS[index % 2]
            body = _mutate_body(parts[name].bases, samplers[name], rng)
            yield Sample(name, "recombined", None, value=body)

    def _add_samples(self, name: OperationId, samples: list[Sample]) -> _BodyParts:
        values = _group_by_property(_list_object_bodies(name, samples))
        return _join_parts(self._common[name], _sort_values(name, values))


def _build_common_parts(
    spec: Spec, name: OperationId, known: Sequence[Mapping[str, Any]], samples: Iterable[Sample]
) -> _BodyParts:
    if name == "updateContainer":
        known = [{k: v for k, v in body.items() if k not in _IMMUTABLE} for body in known]
    else:  # the tables leave the slug of a create out, and it is added when the case is sent
        known = [{"service_slug": _SLUG, **body} for body in known]
    values = _group_by_property([*known, *_list_object_bodies(name, samples)])
    for prop, schema in spec.operations[name].body_schema["properties"].items():
        example = next((body[prop] for body in known if prop in body), None)
        values.setdefault(prop, []).extend(probe_values(schema, example))
    return replace(_sort_values(name, values), bases=tuple(known))


def _list_object_bodies(name: OperationId, samples: Iterable[Sample]) -> list[dict[str, Any]]:
    return [s.value for s in samples if s.operation == name and isinstance(s.value, dict)]


def _group_by_property(bodies: Iterable[Mapping[str, Any]]) -> dict[str, list[Any]]:
    values: dict[str, list[Any]] = {}
    for body in bodies:
        for prop, value in body.items():
            values.setdefault(prop, []).append(value)
    return values


def _sort_values(name: OperationId, values: Values) -> _BodyParts:
    """Sort values into valid, invalid and unknown ones by the oracle's prediction."""
    kinds: tuple[dict[str, list[Any]], ...] = ({}, {}, {})
    for prop, those in values.items():
        for value in those:
            prediction = predict(name, {**_BASES[name], prop: value}, "external")
            kind = 1 if prediction.broken_rules else 2 if prop not in PROPERTY_NAMES else 0
            kinds[kind].setdefault(prop, []).append(value)
    return _BodyParts((), *kinds)


def _join_parts(some: _BodyParts, more: _BodyParts) -> _BodyParts:
    def join_values(values: Values, others: Values) -> Values:
        return {prop: [*values.get(prop, ()), *others.get(prop, ())] for prop in {**values, **others}}

    return _BodyParts(
        some.bases,
        join_values(some.valid, more.valid),
        join_values(some.invalid, more.invalid),
        join_values(some.unknown, more.unknown),
    )


def _mutate_body(
    bases: Sequence[Mapping[str, Any]], sampler: _ValueSampler, rng: random.Random
) -> dict[str, Any]:
    body = dict(rng.choice(bases))
    for _ in range(rng.choice(_CHANGE_COUNTS)):
        share = rng.random()
        if share < _OMIT_SHARE and body:
            del body[rng.choice(list(body))]
        elif share < _OMIT_SHARE + _MUTATE_SHARE and body:
            prop = rng.choice(list(body))
            body[prop] = _mutate_value(body[prop], rng)
        else:
            prop, value = sampler.sample_value()
            body[prop] = value
    return body


def _mutate_value(value: Any, rng: random.Random) -> Any:
    """Return a value that differs a little, usually just within or just outside the constraints."""
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    if isinstance(value, str):
        place = rng.randint(0, len(value))
        return rng.choice(
            (
                value.upper(),
                value + "\n",
                "",
                value[:place] + rng.choice("\n -_A.é\U0001f600/") + value[place:],
                value[:place],
                value * 2,
                [value],
            )
        )
    if isinstance(value, int | float):
        mutated = rng.choice(
            (value + 1, value - 1, -value, value + 0.5, float(value), str(value), value * 10, value * 10**30)
        )
        return value if isinstance(mutated, float) and not math.isfinite(mutated) else mutated
    if isinstance(value, list):
        return rng.choice(
            (value * 2, [*value, None], value[:-1], [_mutate_value(item, rng) for item in value])
        )
    if isinstance(value, dict) and value:
        prop = rng.choice(list(value))
        rest = {name: item for name, item in value.items() if name != prop}
        return rest if rng.random() < 0.5 else {**rest, prop: _mutate_value(value[prop], rng)}
    return value
