"""Refused creates: a target that accepts none any more, as one whose limit of services is reached."""

from dataclasses import replace

from contract_tests.cases.model import Case, Step
from contract_tests.diagnosis.experiments.comparison import find_refusal
from contract_tests.execution.executor import Executor
from contract_tests.results.observation import Observation

_TRIES = 3
EVERY_CREATE_REFUSED = (
    "refuses every plain create by now, as it accepted them before; it may have a limit of services"
)


def blame_every_create(executor: Executor, observation: Observation) -> Observation | None:
    """Return the refusal of a plain create, if those of each kind of caller are refused by now; else None.

    The run began with plain creates that were accepted, so no part of the refused request is the reason, nor is a
    broken rule the reason of its status.
    """
    is_create = observation.case.steps[-1].operation == "createContainer"
    if not is_create or observation.judgement.reaction != "refused":
        return None
    refusal = find_refused_create(executor)
    return refusal and replace(refusal, judgement=replace(refusal.judgement, reason=EVERY_CREATE_REFUSED))


def find_refused_create(executor: Executor) -> Observation | None:
    """Return the refusal of a plain create, if those of each kind of caller are refused by now; else None."""
    refusal = None
    for kind in sorted({caller.kind for caller in executor.controls.caller_pool.list_red_callers()}) * _TRIES:
        plain = Step(caller=f"{kind}-red", body=executor.controls.bodies["deployed"], expect="accept")
        refusal = find_refusal(executor, Case("plain-create", "created", "wire", (plain,)))
        if refusal is None:
            break
    return refusal
