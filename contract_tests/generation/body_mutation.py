"""Many bodies from few: parts of generated bodies and of the boundaries, put together anew.

Drawing a body with Schemathesis costs many times what sending it does. So a round draws a few, and most of what
it sends differs from an accepted body in one to three places, which also says better which rule speaks.
"""

import json
import math
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from contract_tests.cases.boundary_values import probes
from contract_tests.cases.model import Operation
from contract_tests.contract.spec import Spec
from contract_tests.generation.bodies import Sample, corpus
from contract_tests.generation.oracle import NAMES, opinion

_CHANGES = (1, 1, 1, 1, 2, 2, 3)
_IMMUTABLE = ("service_slug", "service_type")
_OPERATIONS: tuple[Operation, ...] = ("createContainer", "updateContainer")
_SLUG = "a-slug"
#: Bodies that take any right value of any property.
_BASES: Mapping[Operation, Mapping[str, Any]] = {
    "createContainer": {
        "service_slug": _SLUG,
        "display_name": "A name",
        "docker_image": "nginx:1.27",
        "external_url": "https://e.example.com",
    },
    "updateContainer": {},
}
_LEFT_OUT, _BENT = 0.12, 0.15


Values = Mapping[str, Sequence[Any]]


@dataclass(frozen=True, slots=True)
class _Parts:
    """What the bodies of an operation are made of.

    ``bases`` are bodies to change. ``right`` and ``wrong`` are values of its properties by name, ``other`` those of
    properties that it does not have.
    """

    bases: tuple[Mapping[str, Any], ...]
    right: Values
    wrong: Values
    other: Values


class _Hand:
    """Deals the values of an operation: one of a kind comes again once all of them have come."""

    def __init__(self, parts: _Parts, chance: random.Random) -> None:
        """A contract may have nothing of one kind; the others are dealt as often as they are here."""
        kinds = [_pairs(values) for values in (parts.right, parts.wrong, parts.other)]
        self._chance = chance
        self._kinds = [
            kind for kind, often in zip(kinds, (4, 6, 1), strict=True) if kind for _ in range(often)
        ]
        self._decks: dict[int, list[tuple[str, Any]]] = {}

    def next(self) -> tuple[str, Any]:
        """A property and a value that have not come for the longest time."""
        kind = self._chance.choice(self._kinds)
        deck = self._decks.setdefault(id(kind), [])
        if not deck:
            deck += kind
            self._chance.shuffle(deck)
        return deck.pop()


def _pairs(values: Values) -> list[tuple[str, Any]]:
    """Each property with each of its values once."""
    unique = {(name, json.dumps(value)): (name, value) for name, those in values.items() for value in those}
    return list(unique.values())


class Pool:
    """The parts that all rounds of a run have in common: the tables, the boundaries of the contract."""

    def __init__(self, spec: Spec, bodies: Mapping[str, Any]) -> None:
        """``bodies`` are the named bodies of the tables."""
        boundaries = corpus(spec, 0, 0, coverage=True)
        known = [body for body in bodies.values() if isinstance(body, dict)]
        self._common = {name: _common(spec, name, known, boundaries) for name in _OPERATIONS}

    def recombined(self, samples: Iterable[Sample], number: int, seed: int) -> Iterator[Sample]:
        """Yield ``number`` bodies of the pool and of some samples; the same arguments make the same."""
        chance = random.Random(seed)  # noqa: S311 - bodies, not secrets
        drawn = list(samples)
        parts = {
            name: _joined(self._common[name], _parts(name, _values(_sent(name, drawn))))
            for name in _OPERATIONS
        }
        hands = {name: _Hand(parts[name], chance) for name in _OPERATIONS}
        for turn in range(number):
            name = _OPERATIONS[turn % 2]
            yield Sample(name, "recombined", None, value=_changed(parts[name].bases, hands[name], chance))


def _common(
    spec: Spec, name: Operation, known: Sequence[Mapping[str, Any]], boundaries: Iterable[Sample]
) -> _Parts:
    if name == "updateContainer":
        known = [{k: v for k, v in body.items() if k not in _IMMUTABLE} for body in known]
    else:  # in the tables a create that names no slug is given one
        known = [{"service_slug": _SLUG, **body} for body in known]
    values = _values([*known, *_sent(name, boundaries)])
    for prop, schema in spec.operations[name].body["properties"].items():
        example = next((body[prop] for body in known if prop in body), None)
        values.setdefault(prop, []).extend(probes(schema, example))
    return replace(_parts(name, values), bases=tuple(known))


def _sent(name: Operation, samples: Iterable[Sample]) -> list[dict[str, Any]]:
    return [s.value for s in samples if s.operation == name and isinstance(s.value, dict)]


def _values(bodies: Iterable[Mapping[str, Any]]) -> dict[str, list[Any]]:
    values: dict[str, list[Any]] = {}
    for body in bodies:
        for prop, value in body.items():
            values.setdefault(prop, []).append(value)
    return values


def _parts(name: Operation, values: Values) -> _Parts:
    kinds: tuple[dict[str, list[Any]], ...] = ({}, {}, {})
    for prop, those in values.items():
        for value in those:
            said = opinion(name, {**_BASES[name], prop: value}, "external")
            kind = 1 if said.broken else 2 if prop not in NAMES else 0
            kinds[kind].setdefault(prop, []).append(value)
    return _Parts((), *kinds)


def _joined(some: _Parts, more: _Parts) -> _Parts:
    def both(values: Values, others: Values) -> Values:
        return {prop: [*values.get(prop, ()), *others.get(prop, ())] for prop in {**values, **others}}

    return _Parts(
        some.bases,
        both(some.right, more.right),
        both(some.wrong, more.wrong),
        both(some.other, more.other),
    )


def _changed(bases: Sequence[Mapping[str, Any]], hand: _Hand, chance: random.Random) -> dict[str, Any]:
    body = dict(chance.choice(bases))
    for _ in range(chance.choice(_CHANGES)):
        drawn = chance.random()
        if drawn < _LEFT_OUT and body:
            del body[chance.choice(list(body))]
        elif drawn < _LEFT_OUT + _BENT and body:
            prop = chance.choice(list(body))
            body[prop] = _bent(body[prop], chance)
        else:
            prop, value = hand.next()
            body[prop] = value
    return body


def _bent(value: Any, chance: random.Random) -> Any:
    """A value that differs a little, mostly into what is no longer allowed, or is only just."""
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    if isinstance(value, str):
        place = chance.randint(0, len(value))
        return chance.choice(
            (
                value.upper(),
                value + "\n",
                "",
                value[:place] + chance.choice("\n -_A.é\U0001f600/") + value[place:],
                value[:place],
                value * 2,
                [value],
            )
        )
    if isinstance(value, int | float):
        bent = chance.choice(
            (value + 1, value - 1, -value, value + 0.5, float(value), str(value), value * 10, value * 10**30)
        )
        return value if isinstance(bent, float) and not math.isfinite(bent) else bent
    if isinstance(value, list):
        return chance.choice((value * 2, [*value, None], value[:-1], [_bent(item, chance) for item in value]))
    if isinstance(value, dict) and value:
        prop = chance.choice(list(value))
        rest = {name: item for name, item in value.items() if name != prop}
        return rest if chance.random() < 0.5 else {**rest, prop: _bent(value[prop], chance)}
    return value
