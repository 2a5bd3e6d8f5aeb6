"""Settling: a deployment may answer a create before updates find the service (a queue), or deploy it at once."""

import time

from contract_tests.cases.callers import Caller
from contract_tests.cases.model import Step
from contract_tests.execution.executor import Executor
from contract_tests.execution.preflight.plain_creates import create_plain
from contract_tests.execution.sending.context import CannotRun, CaseContext
from contract_tests.targets.base import NoResponse, Response, is_success

#: Seconds before each further update of a new service that was not found, and how many are sent.
_INTERVAL, _TRIES = 0.25, 9
#: Others may take longer than the service that was timed, but no wait is longer than this.
_MARGIN, _LONGEST = 3.0, 2.9
#: No such service yet; or it is busy, as while it is deployed.
_TOO_SOON = (404, 409, 423, 425)


def find_settling(executor: Executor, caller: Caller, context: CaseContext) -> float:
    """Return the seconds until updates of a new service are accepted; 0 if they are at once, or time does not help.

    The first update is that of the service of the context, which the caller has just created.
    """
    try:
        response = _update(executor, caller, context)
        if is_success(response):
            executor.controls.keep_base(caller, {})
        if not _is_too_soon(response):
            return 0.0
        seconds = _time_new_service(executor, caller)
        return seconds if seconds and _is_found_after(executor, caller, seconds) else 0.0
    except CannotRun:  # a create returned no id, or --max-created allows no further service
        return 0.0


def describe_wait(seconds: float) -> list[str]:
    """Return the note about a wait after each create; none without one."""
    if not seconds:
        return []
    wait = f"the run waited {seconds:.1f} s after each create"
    return [f"updates of a service are accepted only some time after its create; {wait}"]


def _time_new_service(executor: Executor, caller: Caller) -> float:
    """Return how long to wait for a service whose updates are refused at first; 0 if not at first, or always."""
    able, _, context = create_plain(executor, caller)
    start = time.monotonic()
    if able is None or not _is_too_soon(_update(executor, caller, context)):
        return 0.0
    for _ in range(_TRIES):
        executor.sender.target.clock.wait(_INTERVAL)
        if is_success(_update(executor, caller, context)):
            return min(_MARGIN * (time.monotonic() - start), _LONGEST)
    return 0.0


def _is_found_after(executor: Executor, caller: Caller, seconds: float) -> bool:
    """Return whether the first update of another new service is accepted then: the time helps, not a try."""
    able, _, context = create_plain(executor, caller)
    executor.sender.target.clock.wait(seconds)
    return able is not None and is_success(_update(executor, caller, context))


def _update(executor: Executor, caller: Caller, context: CaseContext) -> Response | NoResponse:
    role = context.caller_pool.team_role(caller)
    return executor.sender.send_step(context, Step("updateContainer", role, body={}, expect="accept"))


def _is_too_soon(response: Response | NoResponse) -> bool:
    return isinstance(response, Response) and response.status in _TOO_SOON
