"""Makes a violation smaller: fewer steps, fewer properties, as long as the target still shows it."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from contract_tests.cases.model import Case, Step
from contract_tests.execution.context import NotObserved
from contract_tests.execution.executor import Player, Result
from contract_tests.generation.rounds import labelled
from contract_tests.generation.state_model import permission

_MOST_TRIES = 24


def reduced(player: Player, result: Result) -> Result:
    """Return the smallest variant of a violating case that still shows it; it may be the same.

    The variant may be blamed on another rule: what is left of the case says more exactly which it is.
    """
    if result.case.layer not in ("lifecycle", "properties") and not _generated(result.case):
        return result
    best, tries = result, 0
    progress = True
    while progress and tries < _MOST_TRIES:
        progress = False
        for smaller in (*_newer(best.case), *_shorter(best.case), *_barer(best.case)):
            tries += 1
            again = _again(player, smaller)
            if again is not None and _same(again, result):
                best, progress = again, True
                break
            if tries >= _MOST_TRIES:
                break
    return best


def _again(player: Player, case: Case) -> Result | None:
    try:
        result = player.play(case)
    except NotObserved:
        return None
    return result if result.judgement.outcome == "violated" else None


def _same(again: Result, first: Result) -> bool:
    """A body with less in it may be blamed on a rule more exactly; a trace must still show what it is about."""
    judged, before = again.judgement, first.judgement
    if first.case.layer == "properties":
        return judged.answer == before.answer
    if again.case.rule == first.case.rule:
        return judged.rule == before.rule
    # The rule of each case itself is violated, in the same way: it is no other fault that shows now.
    return (judged.rule, before.rule) == (again.case.rule, first.case.rule) and judged.reason == before.reason


def _newer(case: Case) -> Iterator[Case]:
    """Yield an update that must be accepted in any status, with a service whose status was never set.

    Where that is refused, too, the status is not to blame. An empty update is left as it is: as the update of a
    new service it is about what may be left out, and sent otherwise.
    """
    last = case.steps[-1]
    if (case.rule, last.operation, last.expect) != ("not-while-busy", "updateContainer", "accept"):
        return
    steps = [step for step in case.steps if step.operation != "setStatus" or step.service != last.service]
    if len(steps) < len(case.steps) and isinstance(last.body, dict) and last.body:
        yield replace(case, rule=permission(last.body), steps=tuple(steps))


def _barer(case: Case) -> Iterator[Case]:
    """Yield a generated case with one property of its body left out, or all items of an array but one."""
    body = case.steps[-1].body
    if not isinstance(body, dict) or not (case.layer == "properties" or _generated(case)):
        return
    for smaller in _smaller(body):
        if case.layer == "properties":
            yield labelled(case, smaller)
        elif labelled(case, {**_slug(case), **smaller}).expect == "accept":
            # It still has to be accepted, so that the call alone is in question.
            yield replace(case, steps=(*case.steps[:-1], replace(case.steps[-1], body=smaller)))


def _generated(case: Case) -> bool:
    """Whether it is a call with a body of another case; one with a text of its own has no body to make smaller."""
    return case.layer == "wire" and case.steps[-1].as_is and case.steps[-1].raw is None


def _slug(case: Case) -> dict[str, str]:
    """The slug that a create is given when it is sent."""
    return {"service_slug": "a-slug"} if case.operation == "createContainer" else {}


def _smaller(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for name in sorted(body):
        yield {key: value for key, value in body.items() if key != name}
    for name, value in sorted(body.items()):
        if isinstance(value, list) and len(value) > 1:
            for item in value:
                yield {**body, name: [item]}


def _shorter(case: Case) -> Iterator[Case]:
    """Yield the case with some of its earlier steps left out, the longest stretches first.

    What the last step must get follows from steps that name its slug or its service, so those stay; but an update
    changes nothing that is expected of a later request, unless that reads the service back.
    """
    earlier, last = case.steps[:-1], case.steps[-1]
    needed = _needed(earlier, last)
    spare = [n for n, step in enumerate(earlier) if n not in needed]
    size = len(spare)
    while size:
        for start in range(0, len(spare), size):
            gone = set(spare[start : start + size])
            yield replace(case, steps=(*(s for n, s in enumerate(earlier) if n not in gone), last))
        size //= 2


def _needed(earlier: tuple[Step, ...], last: Step) -> set[int]:
    """Return the places of the steps from which follows what the last one must get."""
    services = {last.service} if last.operation != "createContainer" else set()
    slugs = {last.slug} - {None}
    needed: set[int] = set()
    for number in range(len(earlier) - 1, -1, -1):
        step = earlier[number]
        if step.operation == "createContainer":
            if step.as_ in services or step.slug in slugs:
                needed.add(number)
        elif step.service in services and (
            step.operation == "setStatus" or last.operation == "readContainer"
        ):
            needed.add(number)
    return needed
