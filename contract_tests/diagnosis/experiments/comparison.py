"""Comparison: runs a case again, or two cases in turn, and says whether the difference always shows."""

from dataclasses import replace

from contract_tests.cases.model import Case, Step
from contract_tests.diagnosis.experiments.neighbours import make_single
from contract_tests.execution.executor import Executor
from contract_tests.execution.sending.context import CannotRun
from contract_tests.results.observation import Observation

#: How often in a row a request is sent that may be refused only sometimes.
TRIES = 6
_SOMETIMES = "refused only sometimes, so no property can be blamed"


def find_violation(executor: Executor, case: Case) -> Observation | None:
    """Run a case and return its observation if it shows a violation."""
    try:
        observation = executor.run_case(case)
    except CannotRun:
        return None
    return observation if observation.judgement.outcome == "violated" else None


def find_refusal(executor: Executor, case: Case) -> Observation | None:
    """Run a case and return its observation if the target refuses its last request, which it must accept."""
    observation = find_violation(executor, case)
    if observation is None or len(observation.case.steps) < len(case.steps):
        return None  # an earlier request is in question
    return observation if observation.judgement.reaction in ("refused", "error") else None


def find_any_refusal(executor: Executor, case: Case, tries: int = TRIES) -> Observation | None:
    """Return the first refusal of several tries in a row, or None."""
    refusals = (find_refusal(executor, case) for _ in range(tries))
    return next((refusal for refusal in refusals if refusal is not None), None)


def is_reproducible(executor: Executor, case: Case) -> bool:
    """Return whether a violation shows each time; else nothing can be compared with it.

    Before each time a growing number of other requests is sent, and of the last request alone if there are several:
    a fault of every n-th request does not show each time.
    """
    other = Step(caller="unknown", body=executor.controls.bodies["deployed"], expect="refuse")
    several = len(case.steps) > 1
    for number in range(3):
        try:
            for _ in range(number + 1):
                executor.sender.send_step(executor.open_context(), other)
            for _ in range(number if several else 0):
                executor.run_case(make_single(case))
        except CannotRun:
            return False
        if find_refusal(executor, case) is None:
            return False
    return True


def differs_reliably(executor: Executor, wrong: Case, right: Case) -> bool:
    """Return whether one case is answered wrongly and the other rightly, each of several times in a row, and again.

    In a row, since a fault that shows every other time would follow any alternation. Again, since one that shows by
    chance would follow five tries in 30 comparisons once, and a run compares as often.
    """
    wrongly, rightly = (wrong, "violated"), (right, "passed")
    expected: list[tuple[Case, str]] = [wrongly] * 3 + [rightly] * 2 + [wrongly] * 2 + [rightly] * 3
    try:
        return all(executor.run_case(case).judgement.outcome == outcome for case, outcome in expected)
    except CannotRun:
        return False


def call_intermittent(observation: Observation) -> Observation:
    """Return the observation as inconclusive, because the refusal does not show each time."""
    return call_inconclusive(observation, _SOMETIMES)


def call_inconclusive(observation: Observation, reason: str) -> Observation:
    """Return the observation as one that proves nothing."""
    judgement = replace(observation.judgement, outcome="inconclusive", reason=reason)
    return replace(observation, judgement=judgement)


def blame_rule(observation: Observation, rule: str) -> Observation:
    """Return the observation under another rule."""
    case, judgement = replace(observation.case, rule=rule), replace(observation.judgement, rule=rule)
    return replace(observation, case=case, judgement=judgement)
