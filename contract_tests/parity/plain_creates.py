"""Plain creates: whether a deployment that refused a create accepts any by now."""

from contract_tests.cases.model import Case, Step
from contract_tests.diagnosis.experiments.comparison import find_refusal
from contract_tests.execution.executor import Executor

_TRIES = 3


def refuses_every_create(executor: Executor, team: str) -> bool:
    """Return whether plain creates of each kind of caller for a team, red or blue, are refused by now.

    The first that is accepted is the last that is sent.
    """
    pool = executor.controls.caller_pool
    kinds = {caller.kind for caller in pool.callers if caller.kind != "ak"}
    callers = [f"{kind}-{team}" for kind in sorted(kinds) if pool.find_caller(f"{kind}-{team}")]
    for caller in callers * _TRIES:
        plain = Step(caller=caller, body=executor.controls.bodies["deployed"], expect="accept")
        if find_refusal(executor, Case("plain-create", "created", "wire", (plain,))) is None:
            return False
    return bool(callers)
