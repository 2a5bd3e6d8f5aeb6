"""Race layer: many callers at once, for checks that a target makes before the write instead of with it."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from typing import Any

from contract_tests.cases.model import Case, Step
from contract_tests.contract.rules import Rule
from contract_tests.execution.executor import Executor
from contract_tests.execution.sending.context import CannotRun, CaseContext
from contract_tests.results.judge import (
    SERVER_ERROR,
    Judgement,
    describe_expectation,
    describe_response,
    judge_response,
)
from contract_tests.results.observation import Observation
from contract_tests.targets.base import NoResponse, Response, is_success

_CONCURRENT_REQUESTS = 6
_LOST_IN_TURN = "the same updates lose a value one after another, too"
#: Each is sent in an update of its own; all of them must stay.
_DIFFERENT_VALUES: Mapping[str, Any] = {
    "display_name": "Raced name",
    "service_desc": "Raced description",
    "exposed_port": 9001,
    "required_labels": ["raced"],
    "usage_prompt": "Raced prompt",
    "replica_count": 4,
}


def build_race_cases(rounds: int = 3) -> list[Case]:
    """Return the races: creates with one slug, equal updates of one service, and updates of different properties."""
    create = Step(body={"display_name": "Raced", "docker_image": "nginx:1.27"}, slug="a", expect="open")
    update = Step("updateContainer", body={"display_name": "Raced"}, expect="open")
    races = [
        Case(f"race/create-{n}", "slug-unique", "race", (create,) * _CONCURRENT_REQUESTS)
        for n in range(1, rounds + 1)
    ]
    first = Step(body=create.body)
    different = tuple(replace(update, body={name: value}) for name, value in _DIFFERENT_VALUES.items())
    return [
        *races,
        Case("race/update", "updated", "race", (first, *(update,) * _CONCURRENT_REQUESTS)),
        *(
            Case(f"race/update-different-{n}", "update-keeps-omitted", "race", (first, *different))
            for n in range(1, rounds + 1)
        ),
    ]


def run_race(executor: Executor, case: Case) -> Observation:
    """Send the open steps of a case at the same moment and judge the responses together."""
    context = executor.open_context(case)
    judgement = _race_steps(executor, case, context)
    return Observation(case, judgement, tuple(context.exchanges))


def _race_steps(executor: Executor, case: Case, context: CaseContext) -> Judgement:
    rule = executor.catalogue[case.rule]
    if case.rule == "update-keeps-omitted" and not executor.readback:
        return Judgement("not observed", rule.id, "the target offers no read-back")
    try:
        for step in case.steps:
            if step.expect is None:
                response = executor.sender.send_step(context, step)
                if judge_response(rule, "accept", step.operation, response).outcome != "passed":
                    return Judgement("inconclusive", rule.id, "the setup failed")
        raced = [step for step in case.steps if step.expect is not None]
        context.slug_for("a")  # before the threads start, so that all of them use the same slug
        responses = _send_at_once(executor, context, raced)
    except CannotRun as error:
        return Judgement("not observed", rule.id, str(error))
    service = context.services.get("service") if case.rule != "slug-unique" else None
    if service is None:
        return _judge_creates(executor.catalogue["slug-unique"], responses)
    judgement = _judge_updates(executor.catalogue["updated"], responses, service)
    if case.rule != "update-keeps-omitted" or judgement.outcome == "violated":
        return judgement
    return _judge_stored(executor, context, case, list(zip(raced, responses, strict=True)))


def _send_at_once(executor: Executor, context: CaseContext, steps: list[Step]) -> list[Response | NoResponse]:
    barrier = Barrier(len(steps))

    def send_step(step: Step) -> Response | NoResponse:
        barrier.wait(10)
        return executor.sender.send_step(context, step)

    with ThreadPoolExecutor(len(steps)) as threads:
        return list(threads.map(send_step, steps))


def _judge_creates(rule: Rule, responses: list[Response | NoResponse]) -> Judgement:
    accepted = [response for response in responses if is_success(response)]
    received = f"{len(accepted)} of {len(responses)} accepted"
    expected = f"one accepted, the others {describe_expectation(rule, 'refuse')}"
    error = next(
        (r for r in responses if isinstance(r, Response) and r.status >= 500 and r.status != 503), None
    )
    if error is not None:
        return Judgement("violated", rule.id, SERVER_ERROR, describe_response(error), expected,
                         "error", server_error=True)  # fmt: skip
    if len(accepted) > 1:
        reason = "several concurrent creates got the same slug"
        return Judgement("violated", rule.id, reason, received, expected)
    if not accepted:
        return Judgement("inconclusive", rule.id, "no create was accepted", received, expected)
    return Judgement("passed", rule.id, received=received, expected=expected)


def _judge_stored(
    executor: Executor, context: CaseContext, case: Case, updates: list[tuple[Step, Response | NoResponse]]
) -> Judgement:
    """Read the service back: the values of all accepted updates must be there."""
    rule = executor.catalogue[case.rule]
    shows = tuple(item for step, response in updates if is_success(response) for item in step.body.items())
    read = Step("readContainer", updates[0][0].caller, shows=shows)
    judgement = executor.read_back(rule, read, context)
    if judgement.outcome != "violated":
        return judgement
    if _is_lost_in_turn(executor, case, read):
        return replace(judgement, outcome="inconclusive", reason=_LOST_IN_TURN)
    return replace(judgement, reason=f"{judgement.reason}: one of several concurrent updates was lost")


def _is_lost_in_turn(executor: Executor, case: Case, read: Step) -> bool:
    """Return whether the same updates, sent one after another in either order, lose a value, too."""
    create, *updates = (replace(step, expect="accept", slug=None) for step in case.steps)
    # The last update of an order loses nothing, so each one has to be followed by each other one once.
    for in_turn in (updates, updates[::-1]):
        steps = (create, *in_turn, replace(read, expect="accept"))
        observation = executor.run_case(replace(case, layer="lifecycle", steps=steps))
        if observation.judgement.outcome == "violated":
            return True
    return False


def _judge_updates(rule: Rule, responses: list[Response | NoResponse], service: str) -> Judgement:
    """Judge concurrent updates: some may be refused, but accepted ones must have the correct response."""
    judgements = [judge_response(rule, "open", "updateContainer", r, service) for r in responses]
    worst = next((j for j in judgements if j.outcome == "violated"), None)
    return worst or next((j for j in judgements if j.reaction == "accepted"), judgements[0])
