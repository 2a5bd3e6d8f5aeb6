"""Control hook: whether a status that it sets shows in the read-back, before a rule about the status is blamed.

A server that answers every path with a success has set nothing, and a right deployment then accepts the update.
"""

import json

from contract_tests.cases.model import Case, Step
from contract_tests.execution.executor import Executor
from contract_tests.execution.sending.limits import BudgetSpent
from contract_tests.results.observation import Observation
from contract_tests.targets.clock import RunStopped

_STATUSES = ("created", "deploying", "running", "stopping", "stopped", "failed")
_RULE, _BUSY = "not-while-busy", "deploying"


class HookCheck:
    """Says why a violation that rests on a status of the hook proves nothing; asks the target once."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._reason: str | None = None  # None until such a violation is seen

    def explain(self, observation: Observation) -> str:
        """Return why the violation proves nothing, an empty string if it stands."""
        if not _needs_status(observation):
            return ""
        if self._reason is None:
            try:
                self._reason = _explain_lost_status(self._executor)
            except (BudgetSpent, RunStopped):
                return ""
        return self._reason


def _needs_status(observation: Observation) -> bool:
    """Return whether a violation rests on a status that the hook set."""
    judgement = observation.judgement
    is_set = any(step.operation == "setStatus" for step in observation.case.steps)
    violated = judgement.outcome == "violated" and not judgement.server_error  # which is never correct
    return is_set and violated and judgement.rule == _RULE


def _explain_lost_status(executor: Executor) -> str:
    """Set the status of a new service; return why that proves nothing if the read-back shows another status."""
    create = Step(body=executor.controls.bodies["deployed"])
    read = Step("readContainer", shows=(("service_status", _BUSY),))
    steps = (create, Step("setStatus", status=_BUSY), read)
    judgement = executor.run_case(Case("hook-status", _RULE, "lifecycle", steps)).judgement
    shown = next((got for name, got, _ in judgement.differences if name == "service_status"), "")
    if judgement.outcome != "violated" or shown not in map(json.dumps, _STATUSES):
        return ""
    return f"--control-hook got a success, but the read-back shows the status {shown} in place of {_BUSY}"
