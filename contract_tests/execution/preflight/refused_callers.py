"""Refused callers: whether the callers file may explain a refusal, or which rule it breaks."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace

from contract_tests.cases.callers import Caller
from contract_tests.cases.model import Step
from contract_tests.execution.executor import Executor
from contract_tests.execution.preflight.plain_creates import (
    call_violated,
    create_plain,
    last_response,
    open_context,
    send_create,
)
from contract_tests.execution.sending.context import CannotRun
from contract_tests.results.observation import Observation
from contract_tests.targets.base import BUSY_STATUSES, NoResponse, Response, is_success

#: Statuses for a caller that does not belong to the team it names.
_NO_MEMBER = (403, 404)
_NO_TEAM = (("X-Team-ID", None),)
#: So often a credential must be refused without X-Team-ID before a rule is called broken.
_NAMELESS_TRIES = 3
#: The rule that lets a caller of this kind act for its team.
CALLER_RULES = {
    "jwt": "team-required-for-jwt",
    "dk": "team-optional-for-credentials",
    "sk": "team-optional-for-credentials",
}


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


def judge_named_teams(executor: Executor, callers: Iterable[Caller]) -> list[Observation]:
    """Return a violation for each credential that must name its team; the cases try the others without it."""
    pool, found = executor.controls.caller_pool, []
    for caller in callers:
        tried = pool.find_caller(f"{caller.kind}-red")
        if not caller.always_names_team or (tried is not None and tried.name == caller.name):
            continue
        with suppress(CannotRun):  # no service is left for it
            if (observation := _find_needless_team(executor, caller)) is not None:
                reason = "refused a valid create without X-Team-ID"
                found.append(call_caller_violated(executor, caller, observation, reason))
    return found


def call_caller_violated(
    executor: Executor, caller: Caller, observation: Observation, reason: str
) -> Observation:
    """Return a refused create as a violation of the rule that lets its caller act; no other caller can show it."""
    role = executor.controls.caller_pool.name_role(caller)
    steps = tuple(replace(step, caller=role) for step in observation.case.steps)
    named = replace(observation, case=replace(observation.case, steps=steps))
    return call_violated(named, CALLER_RULES[caller.kind], reason)


def _find_needless_team(executor: Executor, caller: Caller) -> Observation | None:
    """Return a create that a credential is refused again and again without X-Team-ID, None if it is not.

    The same create with the header is accepted before and after these, so that no limit is the reason.
    """
    nameless = replace(caller, always_names_team=False)
    for _ in range(_NAMELESS_TRIES):
        observation, _ = send_create(executor, nameless, "")
        response = last_response(observation)
        if not 400 <= response.status < 500 or response.status in BUSY_STATUSES:
            return None
    named, _ = send_create(executor, caller, "")
    if not is_success(last_response(named)):
        return None
    steps = tuple(
        replace(step, headers=_NO_TEAM) for step in observation.case.steps
    )  # whoever sends it again
    return replace(observation, case=replace(observation.case, steps=steps))
