"""Intermittent refusals: finds the one property with which a valid request is refused again and again.

Each request is sent several times in a row, so that a fault of every n-th request shows, whatever n is. A property is
blamed if the plain body with it is refused several times, and neither the plain body nor the rest is ever refused.
"""

from collections.abc import Container
from dataclasses import replace

from contract_tests.cases.model import Case
from contract_tests.diagnosis.experiments.comparison import TRIES, call_intermittent, find_refusal
from contract_tests.diagnosis.experiments.neighbours import (
    find_base,
    list_changed,
    make_single,
    take_back,
    with_body,
)
from contract_tests.execution.executor import Executor
from contract_tests.results.observation import Observation

_REFUSED_TRIES = 2  # of TRIES
_CERTAIN_TRIES = 2 * TRIES
_PLAIN_TEXT = "a"


def blame_intermittent(
    executor: Executor, observation: Observation, suspects: Container[str] = ()
) -> Observation:
    """Return an observation that blames the property behind an intermittent refusal, or an inconclusive one.

    ``suspects`` are properties that were blamed before, which are tried first.
    """
    case = make_single(observation.case) if len(observation.case.steps) > 1 else observation.case
    name = _find_property(executor, case, suspects)
    if name is None:
        return call_intermittent(observation)
    base, body = find_base(executor, case), case.steps[-1].body
    if _list_refusals(executor, with_body(case, take_back(body, base, name))):
        return call_intermittent(observation)
    alone = with_body(case, {**base, name: body[name]}, name)
    plain_text = isinstance(body[name], str) and alone.rule == "texts-unbounded"  # an array has texts, too
    plainer = [with_body(case, {**base, name: _PLAIN_TEXT}, name)] if plain_text else []
    for smaller in (*plainer, alone):
        refused = _list_refusals(executor, smaller)
        if len(refused) >= _REFUSED_TRIES:
            judgement = refused[0].judgement
            reason = f"{judgement.reason}, {len(refused)} of {TRIES} times"
            return replace(refused[0], judgement=replace(judgement, reason=reason))
    return call_intermittent(observation)


def _find_property(executor: Executor, case: Case, suspects: Container[str]) -> str | None:
    """Return the property that makes a plain body refused sometimes, found by halving; None without one."""
    base = find_base(executor, case)
    names = list_changed(case, base)
    if len(_list_refusals(executor, case)) < _REFUSED_TRIES or not _is_never_refused(executor, case):
        return None
    suspected = ([name] for name in names if name in suspects and _is_shown_by(executor, case, [name]))
    names = next(suspected, names)
    while len(names) > 1:
        halves = (names[: len(names) // 2], names[len(names) // 2 :])
        shown = (half for half in halves if _is_shown_by(executor, case, half))
        names = next(shown, [])
    return names[0] if names else None


def _is_shown_by(executor: Executor, case: Case, names: list[str]) -> bool:
    body = {**find_base(executor, case), **{name: case.steps[-1].body[name] for name in names}}
    return len(_list_refusals(executor, with_body(case, body))) >= _REFUSED_TRIES


def _is_never_refused(executor: Executor, case: Case) -> bool:
    """Return whether the plain body is accepted each time; found once for each operation, service and caller."""
    step = case.steps[-1]
    plain = with_body(case, find_base(executor, case))
    key = ("never refused", step.operation, step.service, step.caller, repr(plain.steps[-1].body))
    return bool(executor.controls.once.find(key, lambda: not _list_refusals(executor, plain, _CERTAIN_TRIES)))


def _list_refusals(executor: Executor, case: Case, tries: int = TRIES) -> list[Observation]:
    observations = (find_refusal(executor, case) for _ in range(tries))
    return [observation for observation in observations if observation is not None]
