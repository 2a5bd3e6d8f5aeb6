"""Calls put together of others: who calls, what the headers say, how the JSON is written, each with another body.

The tables try each of these with one body. Here the body is any that must be accepted, and it is sent as it is
first: what the second request gets is then about the rest of the call alone.
"""

import json
import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import cycle, islice
from typing import Any

from contract_tests.cases.model import Case, Operation, Step

Body = Mapping[str, Any]
_OPERATIONS: tuple[Operation, ...] = ("createContainer", "updateContainer")


def _nan(body: Body) -> str:
    return json.dumps({**body, "exposed_port": float("nan")})


def _key_twice(body: Body) -> str:
    return f'{json.dumps({**body, "display_name": "a"})[:-1]}, "display_name": "b"}}'


#: Texts that are no body, by the rule that refuses them.
_WRITTEN: tuple[tuple[str, str, Callable[[Body], str]], ...] = (
    ("cut-off", "body-json", lambda body: json.dumps(body)[:-1]),
    ("last-comma", "body-json", lambda body: f"{json.dumps(body)[:-1]},}}"),
    ("text-after", "body-json", lambda body: f"{json.dumps(body)} x"),
    ("two-objects", "body-json", lambda body: json.dumps(body) * 2),
    ("single-quotes", "body-json", lambda body: json.dumps({**body, "display_name": "a"}).replace('"', "'")),
    ("comment", "body-json", lambda body: f"{{/* no */{json.dumps(body)[1:]}"),
    ("nan", "body-json", _nan),
    ("key-twice", "body-keys", _key_twice),
    ("in-an-array", "body-object", lambda body: json.dumps([body])),
)


@dataclass(frozen=True, slots=True)
class _Twist:
    """What makes another call of one that must be accepted, and the rule that says what this must get."""

    name: str
    rule: str
    operation: Operation
    made: Callable[[Step], Step]


def crossed(tables: Iterable[Case], bodies: Iterable[Case], number: int, seed: int) -> Iterator[Case]:
    """Yield ``number`` calls made of the one-step cases of ``tables`` and the accepted ones of ``bodies``.

    The same arguments make the same calls. No twist comes again before all have come.
    """
    chance = random.Random(seed)  # noqa: S311 - requests, not secrets
    accepted = [
        case.steps[0] for case in bodies if case.expect == "accept" and isinstance(case.steps[0].body, dict)
    ]
    plain = {name: [step for step in accepted if step.operation == name] for name in _OPERATIONS}
    twists = [twist for twist in _twists(tables) if plain[twist.operation]]
    chance.shuffle(twists)
    for turn, twist in enumerate(islice(cycle(twists), number)):
        first = chance.choice(plain[twist.operation])
        twisted = twist.made(first)
        able = "red" if twisted.caller in ("unknown", "ak-red") else twisted.caller
        steps: tuple[Step, ...] = (replace(first, caller=able), twisted)
        if (twisted.team, twisted.headers, twisted.raw) == (None, (), None) and twisted.caller == able:
            steps = steps[1:]  # nothing but who calls is different, and that is the one who can
        yield Case(f"crossed/{twist.name}-{seed}-{turn}", twist.rule, "wire", steps)


def _twists(tables: Iterable[Case]) -> Iterator[_Twist]:
    for case in tables:
        step = case.steps[0]
        about_the_call = step.headers or step.team or step.caller != "red"
        if len(case.steps) == 1 and step.raw is None and case.expect != "open" and about_the_call:
            yield _Twist(case.id, case.rule, step.operation, _calling(step))
    for operation in _OPERATIONS:
        yield from (_Twist(name, rule, operation, _writing(write)) for name, rule, write in _WRITTEN)


def _calling(call: Step) -> Callable[[Step], Step]:
    def made(plain: Step) -> Step:
        return replace(plain, caller=call.caller, team=call.team, headers=call.headers, expect=call.expect)

    return made


def _writing(write: Callable[[Body], str]) -> Callable[[Step], Step]:
    def made(plain: Step) -> Step:
        slug = {"service_slug": "{slug}"} if plain.operation == "createContainer" else {}
        return replace(plain, raw=write({**plain.body, **slug}), expect="refuse")

    return made
