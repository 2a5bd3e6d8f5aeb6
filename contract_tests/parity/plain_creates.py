"""Plain creates: whether a deployment that refused a create accepts any by now."""

from contract_tests.cases.model import Case, Step
from contract_tests.diagnosis.experiments.comparison import find_refusal
from contract_tests.execution.executor import Executor

_TRIES = 3


def refuses_every_create(executor: Executor) -> bool:
    """Return whether plain creates of each kind of caller are refused by now; stop at the first that is accepted."""
    callers = executor.controls.caller_pool.list_red_callers()
    for kind in sorted({caller.kind for caller in callers}) * _TRIES:
        plain = Step(caller=f"{kind}-red", body=executor.controls.bodies["deployed"], expect="accept")
        if find_refusal(executor, Case("plain-create", "created", "wire", (plain,))) is None:
            return False
    return bool(callers)
