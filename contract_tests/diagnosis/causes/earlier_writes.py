"""Earlier writes: a value that an update left out may have been stored wrongly before, by the write that sent it."""

from dataclasses import replace

from contract_tests.cases.model import Case, Step
from contract_tests.diagnosis.experiments.comparison import find_violation
from contract_tests.execution.executor import Executor
from contract_tests.results.observation import Observation

_WRITES = {"createContainer": "created-stored", "updateContainer": "updated-stored"}
_RULES_OF_UPDATES = ("update-keeps-omitted", "updated-stored")


def blame_earlier_write(executor: Executor, observation: Observation) -> Observation:
    """Return a value that an update seems to have changed under the rule of the write that stored it wrongly.

    That write is the last one that sent the property to the same service: a read-back right after it shows the same
    wrong value. A property that it shows rightly was changed by the update, whatever happened to the others.
    """
    rule = observation.judgement.rule
    if rule not in _RULES_OF_UPDATES or not observation.judgement.differences:
        return observation
    direct = _read_after_write(observation.case, {name for name, _, _ in observation.judgement.differences})
    again = find_violation(executor, direct) if direct and direct.rule != rule else None
    if direct is None or again is None or again.judgement.rule != direct.rule:
        return observation
    return _find_changed(executor, observation, again) or again


def _find_changed(executor: Executor, observation: Observation, earlier: Observation) -> Observation | None:
    """Return the violation without the properties that an earlier write stored wrongly, if it shows without them."""
    stored_wrongly = {name for name, _, _ in earlier.judgement.differences}
    last = observation.case.steps[-1]
    shows = tuple((name, value) for name, value in last.shows if name not in stored_wrongly)
    if not shows or {name for name, _, _ in observation.judgement.differences} <= stored_wrongly:
        return None
    steps = (*observation.case.steps[:-1], replace(last, shows=shows))
    again = find_violation(executor, replace(observation.case, steps=steps))
    return blame_earlier_write(executor, again) if again else None


def _read_after_write(case: Case, names: set[str]) -> Case | None:
    """Return the case up to the last write of some properties, and their read-back; None if nothing sent them."""
    last = case.steps[-1]
    numbers = [
        number
        for number, step in enumerate(case.steps)
        if names & _list_written(step, case.steps[-1].service)
    ]
    if not numbers or last.operation != "readContainer":
        return None
    rule = _WRITES[case.steps[numbers[-1]].operation]
    shows = tuple((name, value) for name, value in last.shows if name in names)
    read = replace(last, shows=shows, rule=rule)
    return replace(case, rule=rule, steps=(*case.steps[: numbers[-1] + 1], read))


def _list_written(step: Step, service: str) -> set[str]:
    """Return what an accepted write of a service sends; null is nothing, as the pages say of an update."""
    written = step.as_ if step.operation == "createContainer" else step.service
    if (
        step.operation not in _WRITES
        or written != service
        or step.expect == "refuse"
        or not isinstance(step.body, dict)
    ):
        return set()
    return {name for name, value in step.body.items() if value is not None}
