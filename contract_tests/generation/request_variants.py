"""Request variants: callers, headers and malformed JSON from the tables, combined with generated bodies.

The tables try each variant with one body. Here any body that must be accepted is used. It is sent unchanged
first, so that the response to the second request depends on the variant alone.
"""

import json
import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import cycle, islice
from typing import Any

from contract_tests.cases.model import Case, OperationId, Step
from contract_tests.cases.tables import load_bodies

Body = Mapping[str, Any]
_OPERATIONS: tuple[OperationId, ...] = ("createContainer", "updateContainer")


def _write_nan(body: Body) -> str:
    return json.dumps({**body, "exposed_port": float("nan")})


def _write_key_twice(body: Body) -> str:
    return f'{json.dumps({**body, "display_name": "a"})[:-1]}, "display_name": "b"}}'


#: Malformed texts by name, with the rule that refuses each.
_MALFORMED_TEXTS: tuple[tuple[str, str, Callable[[Body], str]], ...] = (
    ("cut-off", "body-json", lambda body: json.dumps(body)[:-1]),
    ("last-comma", "body-json", lambda body: f"{json.dumps(body)[:-1]},}}"),
    ("text-after", "body-json", lambda body: f"{json.dumps(body)} x"),
    ("two-objects", "body-json", lambda body: json.dumps(body) * 2),
    ("single-quotes", "body-json", lambda body: json.dumps({**body, "display_name": "a"}).replace('"', "'")),
    ("comment", "body-json", lambda body: f"{{/* no */{json.dumps(body)[1:]}"),
    ("nan", "body-json", _write_nan),
    ("key-twice", "body-keys", _write_key_twice),
    ("in-an-array", "body-object", lambda body: json.dumps([body])),
)


@dataclass(frozen=True, slots=True)
class _RequestVariant:
    """A change to a request that must be accepted, and the rule that gives the new expectation."""

    name: str
    rule: str
    operation: OperationId
    apply: Callable[[Step], Step]


def vary_requests(tables: Iterable[Case], bodies: Iterable[Case], number: int, seed: int) -> Iterator[Case]:
    """Yield ``number`` cases that combine one-step cases of ``tables`` with accepted cases of ``bodies``.

    Equal arguments give equal cases. Each variant comes once before any comes again.
    """
    rng = random.Random(seed)  # noqa: S311 - requests, not secrets
    accepted = [
        case.steps[0] for case in bodies if case.expect == "accept" and isinstance(case.steps[0].body, dict)
    ]
    plain = {name: [step for step in accepted if step.operation == name] for name in _OPERATIONS}
    variants = [variant for variant in _list_variants(tables) if plain[variant.operation]]
    rng.shuffle(variants)
    for index, variant in enumerate(islice(cycle(variants), number)):
        first = rng.choice(plain[variant.operation])
        varied = variant.apply(first)
        able = "red" if varied.caller.startswith(("unknown", "ak")) else varied.caller
        steps: tuple[Step, ...] = (replace(first, caller=able), varied)
        if (varied.team, varied.headers, varied.raw) == (None, (), None) and varied.caller == able:
            steps = steps[1:]  # both requests would be the same
        yield Case(f"crossed/{variant.name}-{seed}-{index}", variant.rule, "wire", steps)


def _list_variants(tables: Iterable[Case]) -> Iterator[_RequestVariant]:
    plain_bodies: tuple[Any, ...] = ({}, load_bodies()["deployed"])
    for case in tables:
        step = case.steps[0]
        about_the_request = step.headers or step.team or step.caller != "red"
        plain = step.raw is None and step.body in plain_bodies and len(case.steps) == 1
        if plain and case.expect != "open" and about_the_request:
            yield _RequestVariant(case.id, case.rule, step.operation, _vary_call(step))
    for operation in _OPERATIONS:
        for name, rule, write in _MALFORMED_TEXTS:
            yield _RequestVariant(name, rule, operation, _vary_text(write))


def _vary_call(call: Step) -> Callable[[Step], Step]:
    def apply(plain: Step) -> Step:
        return replace(plain, caller=call.caller, team=call.team, headers=call.headers, expect=call.expect)

    return apply


def _vary_text(write: Callable[[Body], str]) -> Callable[[Step], Step]:
    def apply(plain: Step) -> Step:
        slug = {"service_slug": "{slug}"} if plain.operation == "createContainer" else {}
        return replace(plain, raw=write({**plain.body, **slug}), expect="refuse")

    return apply
