"""Preflight: a few requests that show whether the target can be judged, and by which callers."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from contract_tests.cases.callers import CREDENTIAL_KINDS, Caller, CallerPool
from contract_tests.cases.model import Step
from contract_tests.execution.context import CannotRun, CaseContext
from contract_tests.execution.executor import Executor
from contract_tests.results.judge import describe_response, parse_json_object, read_id
from contract_tests.targets.base import NoResponse, Response, is_success

_REFUSE_ONLY = "--refuse-only: refusals were not compared with the same request without its fault"


class CannotJudge(Exception):  # noqa: N818 - not an error of the suite: exit code 3
    """A target that cannot be judged; the message is one line that says why."""


@dataclass(frozen=True, slots=True)
class PreflightResult:
    """Callers that can act, whether state can be read back, and notes for the report."""

    caller_pool: CallerPool
    readback: bool
    notes: tuple[str, ...]


def run_preflight(executor: Executor) -> PreflightResult:
    """Try one valid create with every caller; raise CannotJudge with a hint if none of them succeeds."""
    pool, url = executor.controls.caller_pool, executor.sender.target.url
    if executor.controls.refuse_only:
        return _run_refuse_only(executor)
    responses: dict[str, Response | NoResponse] = {}
    ready, notes, rejected = [], [], []
    readback = False
    for caller in pool.callers:
        if caller.kind == "ak":
            ready.append(caller)
            continue
        try:
            able, response, context = _try_create(executor, caller)
        except CannotRun as error:
            notes.append(f"{caller.name} was not tried: {error}")
            continue
        responses[caller.name] = response
        if able is None:
            rejected.append(caller.name)
            notes.append(f"{caller.name} cannot create a service here: {describe_response(response)}")
            continue
        ready.append(able)
        readback = readback or _offers_readback(executor, able, context)
    if not responses:
        raise CannotJudge(notes[0] if notes else "no caller that may create; an ak- key may not")
    if len(rejected) == len(responses):
        raise CannotJudge(_explain_refusals(url, responses))
    _check_same_api(executor, next(c for c in ready if c.kind != "ak"))
    able_pool = replace(pool, callers=tuple(ready), rejected=tuple(rejected))
    return PreflightResult(able_pool, readback, tuple(notes))


def apply_preflight(executor: Executor, result: PreflightResult) -> None:
    """Let an executor use the callers and the read-back that a preflight found."""
    executor.controls.caller_pool, executor.readback = result.caller_pool, result.readback


def _try_create(
    executor: Executor, caller: Caller
) -> tuple[Caller | None, Response | NoResponse, CaseContext]:
    """Create a plain service; a credential that is refused without X-Team-ID tries once more with it."""
    attempts = [caller]
    if caller.kind in CREDENTIAL_KINDS and caller.teams:
        attempts.append(replace(caller, always_names_team=True))
    for attempt in attempts:
        context = _open_context(executor, attempt)
        role = context.caller_pool.team_role(attempt)
        response = executor.sender.send_step(
            context, Step(caller=role, body=executor.controls.bodies["deployed"])
        )
        if is_success(response):
            return attempt, response, context
        if isinstance(response, NoResponse):
            raise CannotJudge(
                f"{executor.sender.target.url} cannot be judged: {response.reason}; "
                "is it up, and is the URL right?"
            )
    return None, response, context


def _open_context(executor: Executor, caller: Caller) -> CaseContext:
    controls = executor.controls
    return CaseContext(controls.caller_pool.limit_to(caller), controls.slugs)


def _offers_readback(executor: Executor, caller: Caller, context: CaseContext) -> bool:
    if "service" not in context.services or "service" not in context.service_slugs:
        return False
    role = context.caller_pool.team_role(caller)
    response = executor.sender.send_step(context, Step("readContainer", role))
    shown = parse_json_object(response) if is_success(response) else None
    wanted = {"service_slug": context.service_slugs["service"], "id": context.services["service"]}
    return shown is not None and any(shown.get(name) == value for name, value in wanted.items())


def _check_same_api(executor: Executor, caller: Caller) -> None:
    """Raise CannotJudge if garbage is accepted like a valid create: then something else is at this URL."""
    context = _open_context(executor, caller)
    role = context.caller_pool.team_role(caller)
    probe = Step(caller=role, raw='{"neither": ', headers=(("Authorization", None),), expect="refuse")
    response = executor.sender.send_step(context, probe)
    if is_success(response) and read_id(response) is None:
        raise CannotJudge(
            f"{executor.sender.target.url} is not this API: it accepts a create that is not JSON and has no "
            "token; give the base URL of POST /containers"
        )


def _run_refuse_only(executor: Executor) -> PreflightResult:
    """Create nothing; check only that an invalid create is refused as a create, not as an unknown path."""
    pool = executor.controls.caller_pool
    caller = next((c for c in pool.callers if c.kind != "ak"), None)
    if caller is None:
        raise CannotJudge("no caller that may create is given")
    context = _open_context(executor, caller)
    role = context.caller_pool.team_role(caller)
    try:
        response = executor.sender.send_step(context, Step(caller=role, body={}, slug="", expect="refuse"))
    except CannotRun as error:
        raise CannotJudge(str(error)) from None
    if not isinstance(response, Response) or not _handles_creates(response):
        raise CannotJudge(_explain_refusals(executor.sender.target.url, {caller.name: response}))
    return PreflightResult(pool, False, (_REFUSE_ONLY,))


def _handles_creates(response: Response) -> bool:
    """Return whether this could be the response to an empty create: refused, or stored all the same."""
    if response.status < 400:
        return read_id(response) is not None
    return response.status < 500 and response.status not in (401, 403, 404, 405, 429)


def _explain_refusals(url: str, responses: Mapping[str, Any]) -> str:
    statuses = {response.status for response in responses.values() if isinstance(response, Response)}
    if statuses and statuses <= {401, 403}:
        return f"{url} refuses every caller ({', '.join(responses)}); check the tokens and teams in the callers file"
    if statuses and statuses <= {404, 405, 501}:
        return f"{url} is not this API: POST /containers is not found there; check the base URL (it ends in /api/v1)"
    if statuses and max(statuses) < 300:
        return f"{url} is not this API: it accepts an empty create and returns no id; check the base URL"
    if statuses and max(statuses) < 400:
        return f"{url} is not this API: it redirects POST /containers; give the URL that it redirects to"
    if statuses and statuses <= {429, 503}:
        return f"{url} is too busy to be judged; try again later or with --rate"
    name, response = next(iter(responses.items()))
    if isinstance(response, NoResponse):
        return f"{url} cannot be judged: {response.reason}"
    return f"{url} refuses a valid create by every caller; {name} got {describe_response(response)}"
