"""Request variants: callers, headers, service ids and refused texts, combined with generated bodies.

The tables try each variant with one body. Here any body that must be accepted is used. It is sent unchanged
first, so that the response to the second request depends on the variant alone.
"""

import json
import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import cycle, islice
from typing import Any

from contract_tests.cases.model import SHARED_PREFIX, Case, OperationId, Step
from contract_tests.cases.tables import load_bodies

Body = Mapping[str, Any]
_OPERATIONS: tuple[OperationId, ...] = ("createContainer", "updateContainer")
#: Sizes and depths that every server refuses, as in ``fixtures/requests.yaml``.
_REFUSED_BYTES, _REFUSED_DEPTH = 2 * 1024 * 1024, 1000


def _write_named(body: Body, name: str) -> str:
    """Return the text of a body with a display name, which is never empty."""
    return json.dumps({**body, "display_name": name})


def _write_nan(body: Body) -> str:
    return json.dumps({**body, "exposed_port": float("nan")})


def _write_key_twice(body: Body) -> str:
    return f'{_write_named(body, "a")[:-1]}, "display_name": "b"}}'


def _write_deep(body: Body) -> dict[str, Any]:
    start = f'{_write_named(body, "a")[:-1]}, "extra": '
    return {"$nested": {"start": start, "open": "[", "close": "]", "depth": _REFUSED_DEPTH}}


def _write_large(body: Body) -> dict[str, Any]:
    """Return a text that white space alone makes too large."""
    return {"$text": {"start": json.dumps(body), "fill": " ", "length": _REFUSED_BYTES}}


#: Texts by name, or templates of texts, with the rule that refuses each.
_REFUSED_TEXTS: tuple[tuple[str, str, Callable[[Body], Any]], ...] = (
    ("cut-off", "body-json", lambda body: json.dumps(body)[:-1]),
    ("last-comma", "body-json", lambda body: f"{json.dumps(body)[:-1]},}}"),
    ("text-after", "body-json", lambda body: f"{json.dumps(body)} x"),
    ("two-objects", "body-json", lambda body: json.dumps(body) * 2),
    ("single-quotes", "body-json", lambda body: _write_named(body, "a").replace('"', "'")),
    ("comment", "body-json", lambda body: f"{{/* no */{json.dumps(body)[1:]}"),
    ("nan", "body-json", _write_nan),
    ("key-twice", "body-keys", _write_key_twice),
    ("in-an-array", "body-object", lambda body: json.dumps([body])),
    ("nul", "body-text", lambda body: _write_named(body, "a\0b")),
    ("lone-surrogate", "body-text", lambda body: _write_named(body, "a\ud800b")),
    ("deep", "body-depth", _write_deep),
    ("large", "body-size", _write_large),
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
        if varied == steps[0]:
            steps = steps[1:]
        yield Case(f"crossed/{variant.name}-{seed}-{index}", variant.rule, "wire", steps)


def _list_variants(tables: Iterable[Case]) -> Iterator[_RequestVariant]:
    plain_bodies: tuple[Any, ...] = ({}, load_bodies()["deployed"])
    for case in tables:
        step = case.steps[0]
        about_the_request = (
            step.headers
            or step.team
            or step.caller != "red"
            or step.path != "{id}"
            or not _names_own_service(step)
        )
        plain = step.raw is None and step.body in plain_bodies and len(case.steps) == 1
        if plain and case.expect != "open" and about_the_request:
            yield _RequestVariant(case.id, case.rule, step.operation, _vary_call(step))
    for operation in _OPERATIONS:
        for name, rule, write in _REFUSED_TEXTS:
            yield _RequestVariant(name, rule, operation, _vary_text(write))


def _names_own_service(step: Step) -> bool:
    """Return True unless the step is an update of a service that no case creates."""
    return step.operation == "createContainer" or step.service.startswith(SHARED_PREFIX)


def _vary_call(call: Step) -> Callable[[Step], Step]:
    def apply(plain: Step) -> Step:
        return replace(
            plain,
            caller=call.caller,
            team=call.team,
            headers=call.headers,
            service=plain.service if _names_own_service(call) else call.service,
            path=call.path,
            expect=call.expect,
        )

    return apply


def _vary_text(write: Callable[[Body], str]) -> Callable[[Step], Step]:
    def apply(plain: Step) -> Step:
        slug = {"service_slug": "{slug}"} if plain.operation == "createContainer" else {}
        return replace(plain, raw=write({**plain.body, **slug}), expect="refuse")

    return apply
