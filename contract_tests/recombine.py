"""Many bodies from few: parts of generated bodies and of the boundaries, put together anew.

Drawing a body with Schemathesis costs many times what sending it does. So a round draws a few, and most of what
it sends differs from an accepted body in one to three places, which also says better which rule speaks.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contract_tests.case import Operation
from contract_tests.corpus import Sample
from contract_tests.oracle import opinion
from contract_tests.probes import probes
from contract_tests.spec import Spec

_CHANGES = (1, 1, 1, 1, 2, 2, 3)
_IMMUTABLE = ("service_slug", "service_type")
_OPERATIONS: tuple[Operation, ...] = ("createContainer", "updateContainer")
#: Bodies that take any right value of any property.
_BASES: Mapping[Operation, Mapping[str, Any]] = {
    "createContainer": {
        "service_slug": "a-slug",
        "display_name": "A name",
        "docker_image": "nginx:1.27",
        "external_url": "https://e.example.com",
    },
    "updateContainer": {},
}
_LEFT_OUT, _BENT = 0.12, 0.15


@dataclass(frozen=True, slots=True)
class _Parts:
    """What the bodies of an operation are made of.

    ``bases`` are bodies to change. ``right`` and ``wrong`` are values of its properties by name, ``other`` those of
    properties that it does not have.
    """

    bases: tuple[Mapping[str, Any], ...]
    right: Mapping[str, Sequence[Any]]
    wrong: Mapping[str, Sequence[Any]]
    other: Mapping[str, Sequence[Any]]

    @property
    def kinds(self) -> Sequence[Mapping[str, Sequence[Any]]]:
        """What to choose from, each as often as it is there; a contract may have nothing of one kind."""
        chosen = (*(self.right,) * 4, *(self.wrong,) * 6, self.other)
        return [kind for kind in chosen if kind]


def recombined(
    spec: Spec, samples: Sequence[Sample], bodies: Mapping[str, Any], number: int, seed: int
) -> Iterator[Sample]:
    """Yield ``number`` bodies; the same arguments make the same. ``positive`` is the oracle's opinion."""
    chance = random.Random(seed)  # noqa: S311 - bodies, not secrets
    parts = {name: _parts(spec, name, samples, bodies) for name in _OPERATIONS}
    for turn in range(number):
        name = _OPERATIONS[turn % 2]
        body = _changed(parts[name], chance)
        yield Sample(name, "recombined", not opinion(name, body).broken, value=body)


def _parts(spec: Spec, name: Operation, samples: Sequence[Sample], bodies: Mapping[str, Any]) -> _Parts:
    sent = [s.value for s in samples if s.operation == name and isinstance(s.value, dict)]
    known = [body for body in bodies.values() if isinstance(body, dict)]
    if name == "updateContainer":
        known = [{k: v for k, v in body.items() if k not in _IMMUTABLE} for body in known]
    properties = spec.operations[name].body["properties"]
    values: dict[str, list[Any]] = {}
    for prop, schema in properties.items():
        values[prop] = probes(schema, next((body[prop] for body in known if prop in body), None))
    for body in (*known, *sent):
        for prop, value in body.items():
            values.setdefault(prop, []).append(value)
    right: dict[str, list[Any]] = {}
    wrong: dict[str, list[Any]] = {}
    for prop in properties:
        for value in values[prop]:
            accepted = not opinion(name, {**_BASES[name], prop: value}, "external").broken
            (right if accepted else wrong).setdefault(prop, []).append(value)
    valid = [body for body in sent if not opinion(name, body, "external").broken]
    other = {prop: those for prop, those in values.items() if prop not in properties}
    return _Parts((*known, *valid), right, wrong, other)


def _changed(parts: _Parts, chance: random.Random) -> dict[str, Any]:
    body = dict(chance.choice(parts.bases))
    for _ in range(chance.choice(_CHANGES)):
        drawn = chance.random()
        if drawn < _LEFT_OUT and body:
            del body[chance.choice(list(body))]
        elif drawn < _LEFT_OUT + _BENT and body:
            prop = chance.choice(list(body))
            body[prop] = _bent(body[prop], chance)
        else:
            values = chance.choice(parts.kinds)
            prop = chance.choice(list(values))
            body[prop] = chance.choice(values[prop])
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
                value[:place] + chance.choice("\n -_A.é\U0001f600/") + value[place:],
                value[:place],
                value * 2,
                [value],
            )
        )
    if isinstance(value, int | float):
        return chance.choice(
            (value + 1, value - 1, -value, value + 0.5, float(value), str(value), value * 10)
        )
    if isinstance(value, list):
        return chance.choice((value * 2, [*value, None], value[:-1], [_bent(item, chance) for item in value]))
    if isinstance(value, dict) and value:
        prop = chance.choice(list(value))
        rest = {name: item for name, item in value.items() if name != prop}
        return rest if chance.random() < 0.5 else {**rest, prop: _bent(value[prop], chance)}
    return value
