"""Plain creates of the preflight: sent by one caller, again while the target is too busy."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from contract_tests.cases.callers import CREDENTIAL_KINDS, Caller
from contract_tests.cases.model import Case, Step
from contract_tests.execution.executor import Executor
from contract_tests.execution.sending.context import CaseContext
from contract_tests.results.judge import describe_response, judge_response
from contract_tests.results.observation import Observation
from contract_tests.targets.base import BUSY_STATUSES, NoResponse, Response, is_success

#: A plain create is sent so often while the target is too busy.
_BUSY_TRIES = 3
#: The caller as it can create, None if it cannot; the observation; the context of the last request.
Create = tuple[Caller | None, Observation, CaseContext]


class CannotJudge(Exception):  # noqa: N818 - not an error of the suite: exit code 3
    """A target that cannot be judged; the message is one line that says why."""


def create_surely(executor: Executor, caller: Caller) -> tuple[Caller | None, Observation]:
    """Create a plain service; raise CannotJudge if the target is too busy to accept or to refuse it."""
    able, observation, _ = create_plain(executor, caller)
    response = last_response(observation)
    if response.status in BUSY_STATUSES:
        raise CannotJudge(explain_refusals(executor.sender.target.name, {caller.name: response}))
    return able, observation


def create_plain(executor: Executor, caller: Caller, team: str = "") -> Create:
    """Create a plain service, for the team of a role if one is given.

    A credential that is refused without X-Team-ID tries once more with it.
    """
    observation, context = send_create(executor, caller, team)
    if is_success(last_response(observation)):
        return caller, observation, context
    status = last_response(observation).status
    refused = 400 <= status < 500 and status not in BUSY_STATUSES
    if refused and caller.kind in CREDENTIAL_KINDS and caller.teams:
        naming = replace(caller, always_names_team=True)
        again, context = send_create(executor, naming, team)
        if is_success(last_response(again)):
            return naming, again, context
    return None, observation, context


def send_create(executor: Executor, caller: Caller, team: str) -> tuple[Observation, CaseContext]:
    """Send a plain create, again while the target is too busy, or stored what it answered over a lost connection."""
    for _ in range(_BUSY_TRIES):
        observation, context = _send_plain(executor, caller, team)
        if observation.judgement.outcome != "inconclusive":
            break
    return observation, context


def _send_plain(executor: Executor, caller: Caller, team: str) -> tuple[Observation, CaseContext]:
    context = open_context(executor, caller)
    role = team or context.caller_pool.team_role(caller)
    step = Step(caller=role, body=executor.controls.bodies["deployed"], expect="accept")
    response = executor.sender.send_step(context, step)
    if isinstance(response, NoResponse):
        name = executor.sender.target.name
        advice = "is it up, and is the URL right?"
        if executor.sender.created_log.count:  # it has accepted a create
            advice = f"that is the response to a create by {caller.name}; leave it out of the callers file to go on"
        raise CannotJudge(f"{name} cannot be judged: {response.reason}; {advice}")
    judgement = judge_response(executor.catalogue["created"], "accept", "createContainer", response)
    case = Case(f"preflight/create-by-{caller.name}", "created", "wire", (step,))
    return Observation(case, judgement, tuple(context.exchanges)), context


def open_context(executor: Executor, caller: Caller) -> CaseContext:
    """Return the context of a request by one caller."""
    controls = executor.controls
    return CaseContext(controls.caller_pool.limit_to(caller), controls.slugs)


def last_response(observation: Observation) -> Response:
    """Return the response to the last request of an observation."""
    exchange = observation.exchanges[-1]
    return Response(
        exchange.status, exchange.response_headers, exchange.response_body.encode(), exchange.seconds
    )


def call_violated(
    observation: Observation, rule: str, reason: str, response: Response | None = None
) -> Observation:
    """Return an observation as a violation; ``response`` is the wrong one, if it is not that of the observation."""
    judgement = replace(observation.judgement, outcome="violated", rule=rule, reason=reason)
    if response is not None:
        received = describe_response(response)
        judgement = replace(judgement, received=received, server_error=response.status >= 500)
    return replace(observation, case=replace(observation.case, rule=rule), judgement=judgement)


def explain_refusals(target: str, responses: Mapping[str, Any]) -> str:
    """Return in one line why no caller can create; ``responses`` are by the names of the callers."""
    statuses = {response.status for response in responses.values() if isinstance(response, Response)}
    if statuses and statuses <= {401, 403}:
        callers = "the callers file; without --callers, the made-up callers of the fixtures are sent"
        return (
            f"{target} refuses every caller ({', '.join(responses)}); check the tokens and teams in {callers}"
        )
    if statuses and statuses <= {404, 405, 501}:
        advice = "check the base URL (it ends in /api/v1, also for a wsgi: app)"
        return f"{target} is not this API: POST /containers is not found there; {advice}"
    if statuses and max(statuses) < 300:
        return f"{target} is not this API: it accepts an empty create and returns no id; check the base URL"
    if statuses and max(statuses) < 400:
        return f"{target} is not this API: it redirects POST /containers; give the URL that it redirects to"
    if statuses and statuses <= {429, 503}:
        return f"{target} is too busy to be judged; try again later or with --rate"
    name, response = next(iter(responses.items()))
    if isinstance(response, NoResponse):
        return f"{target} cannot be judged: {response.reason}"
    if min(statuses) >= 500:
        answer = f"{name} got {describe_response(response)}"
        return f"{target} cannot be judged: it responds to each create with a server error; {answer}"
    return f"{target} refuses a valid create by every caller; {name} got {describe_response(response)}"
