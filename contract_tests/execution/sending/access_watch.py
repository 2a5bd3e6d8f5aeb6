"""Access watch: notices in mid-run that a target accepts a token, a create, or anything at all, no longer."""

from collections import Counter
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
_UNAUTHORIZED, _FORBIDDEN = 401, 403
_TURNED_AWAY = (_FORBIDDEN, 404)
#: What a gateway answers while nothing runs behind it, to any request.
_BAD_GATEWAY = (502, 504)
#: So many valid creates in a row are refused before plain ones show whether any create is accepted.
_SUSPICIOUS = 5

Send = Callable[[CaseContext, Step], Response | NoResponse]


class AccessWatch:
    """Sends controls after a refusal that may mean that access is lost; safe to use from several threads.

    A control is a plain create by a caller that has created before, or an update of what it created.
    """

    def __init__(self) -> None:
        self._creators: dict[str, tuple[Caller, str | None]] = {}
        self._team_creators: dict[str, dict[str, Caller]] = {}  # by the role of the team
        self._refused_creates: Counter[str] = Counter()  # valid ones in a row, by the role of the team
        self._reason = ""
        self._lock = Lock()

    @property
    def is_lost(self) -> bool:
        """True once access is lost: no refusal since then proves anything."""
        return bool(self._reason)

    def add_creator(self, caller: Caller, team: str, service: str | None) -> None:
        """Remember a caller whose create for a team, red or blue, was accepted, and the id of its service."""
        self._creators[caller.name] = caller, service
        self._team_creators.setdefault(team, {})[caller.name] = caller
        self._refused_creates[team] = 0

    def is_alive(self, context: CaseContext, send: Send) -> bool:
        """Return whether the target responds to an empty update of a service that it has accepted."""
        for caller, service in [*self._creators.values()]:
            if service:
                pool = context.caller_pool.limit_to(caller)
                update = Step("updateContainer", pool.team_role(caller), body={})
                own = CaseContext(pool, context.slugs, services={update.service: service})
                return isinstance(send(own, update), Response)
        return False

    def check_refusal(
        self, context: CaseContext, step: Step, status: int, plain_body: Mapping[str, Any], send: Send
    ) -> None:
        """Raise TargetGone if the controls are refused with the same status as a step.

        A 401 must be that of all creates of the step's caller. A 403 or a 404 on what must be accepted must be that
        of all creates and updates of every caller, so that a target that refuses some of them is judged; or a 403 of
        all those of the step's caller, whose token is forbidden by now. A 502 or 504 on anything is like a 404. Where
        valid creates for one team are refused one after another, it is enough that all creates for this team are, by
        every caller: no refusal of a create proves anything then.
        """
        groups = self._choose_callers(context, step, status)
        team = self._find_suspicious_team(context, step, status)
        if not groups and not team:
            return
        with self._lock:
            for names in groups:
                if not self._reason and self._refuses_all(context, names, status, plain_body, send):
                    self._reason = _explain_loss(names, status)
            if team and not self._reason and self._refuses_creates(context, team, status, plain_body, send):
                others = [other for other in self._team_creators if other != team]
                alone = others and not all(
                    self._refuses_creates(context, other, status, plain_body, send) for other in others
                )
                self._reason = explain_limit(status, min(self._team_creators[team]) if alone else "")
        if self._reason:
            raise TargetGone(self._reason)

    def _find_suspicious_team(self, context: CaseContext, step: Step, status: int) -> str:
        """Count refused creates that must be accepted; return their team if there are many in a row for it."""
        valid = step.operation == "createContainer" and step.expect in (None, "accept")
        if not valid or not 400 <= status < 500 or status == _UNAUTHORIZED:
            return ""
        team = context.caller_pool.name_team(context.find_caller(step.caller), step.caller)
        if team not in self._team_creators:
            return ""
        self._refused_creates[team] += 1
        return team if self._refused_creates[team] % _SUSPICIOUS == 0 else ""

    def _refuses_creates(
        self, context: CaseContext, team: str, status: int, plain_body: Mapping[str, Any], send: Send
    ) -> bool:
        """Return whether each of several plain creates for a team, by all its callers in turn, gets this status."""
        callers = [*self._team_creators[team].values()]
        for number in range(max(_TRIES, len(callers))):
            pool = context.caller_pool.limit_to(callers[number % len(callers)])
            try:
                response = send(CaseContext(pool, context.slugs), Step(caller=team, body=plain_body))
            except CannotRun:  # no service may be created any more
                return False
            if not isinstance(response, Response) or response.status != status:
                return False
        return True

    def _choose_callers(self, context: CaseContext, step: Step, status: int) -> list[list[str]]:
        """Return groups of callers: if all controls of one are refused, access is lost. None: it is no question."""
        own_token = not any(name.lower() == "authorization" for name, _ in step.headers)
        name = context.find_caller(step.caller).name
        _, service = self._creators.get(name, (None, None))
        if status == _UNAUTHORIZED and own_token:
            return [[name]] if name in self._creators else []
        if status in _TURNED_AWAY and step.expect in (None, "accept") and step.operation != "readContainer":
            forbidden = [[name]] if status == _FORBIDDEN and own_token and service else []
            return [list(self._creators), *forbidden] if self._creators else []
        return [list(self._creators)] if status in _BAD_GATEWAY and self._creators else []

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
    create, update = Step(caller=role, body=plain_body), Step("updateContainer", role, body={})
    steps = [create, update] if service and status != _UNAUTHORIZED else [create]
    yield from reversed(steps) if status in _BAD_GATEWAY else steps  # an update leaves no service behind


def _explain_loss(names: Sequence[str], status: int) -> str:
    if status == _UNAUTHORIZED or (status == _FORBIDDEN and len(names) == 1):
        return f"stopped accepting the token of {names[0]} ({status}); use one that outlives the run"
    return (
        f"answers every request with {status} by now, also creates and updates as it accepted them before; "
        "look at what changed there during the run"
    )


def explain_limit(status: int, caller: str = "") -> str:
    """Return why a target that refuses every plain create by now, or those of a caller's team, is not judged."""
    of_team, limited = (f" for the team of {caller}", "the team") if caller else ("", "it")
    return (
        f"refuses every plain create{of_team} with {status} by now, as it accepted them before; {limited} may have "
        "a limit of services: raise it, or give --max-created what is left of it"
    )
