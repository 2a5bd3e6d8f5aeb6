"""History: a valid update that is refused for what happened to its service before, not for what it sends."""

from dataclasses import replace

from contract_tests.cases.model import SHARED_PREFIX, Case, Step
from contract_tests.diagnosis.experiments.comparison import call_inconclusive, differs_reliably, find_refusal
from contract_tests.execution.executor import Executor
from contract_tests.results.observation import Observation

_STATE_DEPENDENT = "accepted on a new service, so what happened to this one before is the reason"
_REFUSED_BODY = {"replica_count": 11}


def find_history(executor: Executor, observation: Observation) -> Observation | None:
    """Return what a refused update of a shared service shows if a new service takes the same update; else None.

    If a new service refuses it once it has refused another update, the lock is blamed. Else nothing is proved.
    """
    case, judgement = observation.case, observation.judgement
    step = case.steps[-1]
    shared = len(case.steps) == 1 and step.service.startswith(SHARED_PREFIX) and step.expect == "accept"
    if not shared or (judgement.outcome, judgement.reaction) != ("violated", "refused"):
        return None
    create = Step(caller=step.caller, body=executor.controls.bodies[step.service.removeprefix(SHARED_PREFIX)])
    on_new = replace(case, steps=(create, replace(step, service=create.as_)))
    if find_refusal(executor, on_new) is not None:
        return None
    locked = _after_refusal(on_new)
    if differs_reliably(executor, locked, on_new):
        return find_refusal(executor, locked)
    if differs_reliably(executor, case, on_new):
        return call_inconclusive(observation, _STATE_DEPENDENT)
    return None


def _after_refusal(case: Case) -> Case:
    """Return the case with a refused update before its last step; a service that is not busy accepts updates."""
    create, update = case.steps
    refused = replace(update, body=_REFUSED_BODY, raw=None, headers=(), style="", expect="refuse")
    return replace(case, rule="not-while-busy", steps=(create, refused, update))
