"""Access watch: notices in the middle of a run that a target accepts a token, or anything at all, no longer."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from threading import Lock
from typing import Any

from contract_tests.cases.callers import Caller
from contract_tests.cases.model import Step
from contract_tests.execution.sending.context import CannotRun, CaseContext
from contract_tests.execution.sending.limits import TargetGone
from contract_tests.targets.base import NoResponse, Response

#: Access is lost once so many controls in a row are refused: some targets refuse some requests only.
_TRIES = 10
_UNAUTHORIZED = 401
_TURNED_AWAY = (403, 404)

Send = Callable[[CaseContext, Step], Response | NoResponse]


class AccessWatch:
    """Sends controls after a refusal that may mean that access is lost; safe to use from several threads.

    A control is a plain create by a caller that has created before, or an update of what it created.
    """

    def __init__(self) -> None:
        self._creators: dict[str, tuple[Caller, str | None]] = {}
        self._reason = ""
        self._lock = Lock()

    def add_creator(self, caller: Caller, service: str | None) -> None:
        """Remember a caller whose create was accepted, and the id of its service."""
        self._creators[caller.name] = caller, service

    def check_refusal(
        self, context: CaseContext, step: Step, status: int, plain_body: Mapping[str, Any], send: Send
    ) -> None:
        """Raise TargetGone if the controls are refused with the same status as a step.

        A 401 must be that of all creates of the step's caller. A 403 or a 404 on what must be accepted must be that
        of all creates and updates of every caller, so that a target that refuses some of them is judged.
        """
        names = self._choose_callers(context, step, status)
        if not names:
            return
        with self._lock:
            if not self._reason and self._refuses_all(context, names, status, plain_body, send):
                self._reason = _explain_loss(names[0], status)
        if self._reason:
            raise TargetGone(self._reason)

    def _choose_callers(self, context: CaseContext, step: Step, status: int) -> list[str]:
        """Return the names of the callers whose controls tell what a status means, none if it means nothing more."""
        if status == _UNAUTHORIZED and not any(name.lower() == "authorization" for name, _ in step.headers):
            name = context.find_caller(step.caller).name
            return [name] if name in self._creators else []
        if status in _TURNED_AWAY and step.expect in (None, "accept") and step.operation != "readContainer":
            return list(self._creators)
        return []

    def _refuses_all(
        self,
        context: CaseContext,
        names: Sequence[str],
        status: int,
        plain_body: Mapping[str, Any],
        send: Send,
    ) -> bool:
        """Return whether each of several controls, by all these callers in turn, gets this status."""
        for number in range(max(_TRIES, len(names))):
            caller, service = self._creators[names[number % len(names)]]
            pool = context.caller_pool.limit_to(caller)
            for step in _iter_controls(pool.team_role(caller), service, status, plain_body):
                services = {step.service: service} if service else {}
                try:
                    response = send(CaseContext(pool, context.slugs, services=services), step)
                except CannotRun:  # no service may be created any more
                    return False
                if not isinstance(response, Response) or response.status != status:
                    return False
        return True


def _iter_controls(
    role: str, service: str | None, status: int, plain_body: Mapping[str, Any]
) -> Iterator[Step]:
    yield Step(caller=role, body=plain_body)
    if service and status != _UNAUTHORIZED:
        yield Step("updateContainer", role, body={})


def _explain_loss(caller: str, status: int) -> str:
    if status == _UNAUTHORIZED:
        return f"stopped accepting the token of {caller} (401); use one that outlives the run"
    return (
        f"answers every request with {status} by now, also creates and updates as it accepted them before; "
        "look at what changed there during the run"
    )
