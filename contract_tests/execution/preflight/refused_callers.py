"""Refused callers: whether the callers file may explain that the target refuses a valid create."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from contract_tests.cases.callers import Caller
from contract_tests.cases.model import Step
from contract_tests.execution.executor import Executor
from contract_tests.execution.preflight.plain_creates import create_plain, last_response, open_context
from contract_tests.execution.sending.context import CannotRun
from contract_tests.targets.base import NoResponse, Response

#: Statuses for a caller that does not belong to the team it names.
_NO_MEMBER = (403, 404)
_NO_TEAM = (("X-Team-ID", None),)


def suspect_callers_file(executor: Executor, caller: Caller, status: int) -> str:
    """Return which entry of a refused caller may be wrong, an empty string if none can explain the status.

    A token that nobody issued shows what a wrong token gets. A JWT that names no team must get the documented 400
    whatever its teams are, if the target lets it in at all.
    """
    if status not in _NO_MEMBER:
        return ""
    plain = executor.controls.bodies["deployed"]
    unknown = _send(executor, caller, Step(caller="unknown", body=plain, expect="refuse"))
    if not isinstance(unknown, Response) or unknown.status == status:
        return "its token, since an unknown one gets the same status"
    if caller.kind != "jwt":
        return ""
    role = executor.controls.caller_pool.team_role(caller)
    nameless = _send(executor, caller, Step(caller=role, headers=_NO_TEAM, body=plain, expect="refuse"))
    documented = executor.catalogue["team-required-for-jwt"].exact_status
    if isinstance(nameless, Response) and nameless.status not in documented:
        return ""
    return f"`teams` of {caller.name}"


def find_forbidden_team(executor: Executor, caller: Caller) -> int:
    """Return the status with which the target refuses a JWT caller for its second team, 0 if it does not.

    It is 0, too, if the callers file cannot explain the refusal: then the cases find what is broken.
    """
    pool = executor.controls.caller_pool
    if caller.kind != "jwt" or not {pool.red, pool.blue} <= {*caller.teams}:
        return 0
    try:
        able, observation, context = create_plain(executor, caller, "blue")
    except CannotRun:  # no service is left for it
        return 0
    if able is not None:
        executor.controls.keep_shared(able, context, "blue")
        return 0
    status = last_response(observation).status
    return status if suspect_callers_file(executor, caller, status) else 0


def leave_out_teams(
    team: str | None, callers: Iterable[Caller], forbidden: Mapping[str, int]
) -> tuple[list[Caller], list[str]]:
    """Return the callers, without the second team of each that may not act for it, and the reasons."""
    limited, reasons = [], []
    for caller in callers:
        if status := forbidden.get(caller.name):
            where = f"check `teams` of {caller.name} in the callers file"
            reasons.append(f"{caller.name} for team {team} ({status}: {where})")
            caller = replace(caller, teams=tuple(other for other in caller.teams if other != team))
        limited.append(caller)
    return limited, reasons


def _send(executor: Executor, caller: Caller, step: Step) -> Response | NoResponse:
    return executor.sender.send_step(open_context(executor, caller), step)
