"""Random traces as plans: drawn whole from the model, kept as data, played until target and model part."""

from dataclasses import dataclass
from typing import Any

from contract_tests.cases.callers import Cast, cast, load_callers
from contract_tests.cases.model import Case, Step, from_data, to_data
from contract_tests.contract.resources import data_file
from contract_tests.execution.context import NotObserved, Scene
from contract_tests.execution.executor import Player, Result, Uncontrolled
from contract_tests.generation import cache
from contract_tests.results.judge import Judgement

_FORMAT = 1
_TRACES, _STEPS = 8, 10


@dataclass(frozen=True, slots=True)
class Move:
    """One step, with what it must get, and the rule that says so."""

    step: Step
    rule: str


@dataclass(frozen=True, slots=True)
class Stage:
    """What traces can be made of: the roles that somebody plays, and whether state can be seen and set."""

    roles: tuple[str, ...]
    readback: bool
    hook: bool


Plan = tuple[Move, ...]


def stage(player: Player) -> Stage:
    """Return the stage of a player: every kind of caller of team red, and one caller of team blue."""
    return Stage(_roles(player.cast), player.readback, player.hook is not None)


def plans(on: Stage, seed: int) -> list[Plan]:
    """Return the traces of a seed, each of at most ten steps; none where nobody can play."""
    if not on.roles:
        return []
    name = _name(on, seed)
    known = cache.recalled(name)
    if known is not None:
        return [_plan(data) for data in known]
    from contract_tests.generation.state_machine import (
        draw,  # Hypothesis, which a run that recalls does without
    )

    drawn = draw(on, seed, _TRACES, _STEPS)
    cache.keep(name, map(_data, drawn))
    return drawn


def more(on: Stage, seed: int, traces: int) -> list[Plan]:
    """Return other traces than those of the gate: so many of a seed; none where nobody can play."""
    from contract_tests.generation.state_machine import walk

    return walk(on, seed, traces, _STEPS) if on.roles else []


def freeze(seed: int) -> None:
    """Write the traces of the gate anew, to be shipped: for the callers of the fixtures."""
    from contract_tests.generation.state_machine import draw

    for old in cache.SHIPPED.glob("traces-*.jsonl"):
        old.unlink()
    roles = _roles(cast(load_callers(data_file("fixtures/callers.yaml"))))
    for hook in (False, True):
        on = Stage(roles, readback=True, hook=hook)
        cache.keep(_name(on, seed), map(_data, draw(on, seed, _TRACES, _STEPS)), cache.SHIPPED)


def play_plan(player: Player, plan: Plan) -> list[Result]:
    """Play a trace and return what each step showed; a deviation ends it, since the model knows no further."""
    scene = Scene(player.cast, player.slugs)
    exchanges: list[Any] = []
    results: list[Result] = []
    for number, move in enumerate(plan, 1):
        steps = tuple(earlier.step for earlier in plan[:number])
        case = Case(f"trace/random-{move.rule}", move.rule, "lifecycle", steps)
        try:
            judgement = player.play_step(case, player.catalogue[move.rule], move.step, scene, exchanges)
        except Uncontrolled as missing:
            judgement = Judgement("inconclusive", move.rule, str(missing))
        except NotObserved as missing:
            judgement = Judgement("not observed", move.rule, str(missing))
        results.append(Result(case, judgement, tuple(exchanges)))
        if judgement.outcome != "passed":
            break
    return results


def _roles(everyone: Cast) -> tuple[str, ...]:
    red = sorted({f"{caller.kind}-red" for caller in everyone.workers()})
    blue = everyone.find("blue")
    return (*red, f"{blue.kind}-blue") if red and blue else tuple(red)


def _name(on: Stage, seed: int) -> str:
    return cache.named("traces", _FORMAT, on.roles, on.readback, on.hook, seed, _TRACES, _STEPS)


def _data(plan: Plan) -> dict[str, Any]:
    case = Case("", "", "lifecycle", tuple(move.step for move in plan))
    return {"steps": to_data(case)["steps"], "rules": [move.rule for move in plan]}


def _plan(data: dict[str, Any]) -> Plan:
    steps = from_data({"id": "", "rule": "", "layer": "lifecycle", **data}).steps
    return tuple(Move(step, rule) for step, rule in zip(steps, data["rules"], strict=True))
