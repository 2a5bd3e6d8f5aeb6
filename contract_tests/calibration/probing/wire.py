"""Wire: sends each request of a calibration once, judges its answer as the gate does, and keeps within the limits."""

import hashlib
from dataclasses import dataclass, field

from contract_tests.calibration.probing.limits import MAX_REQUESTS
from contract_tests.calibration.probing.sighting import Answer, CannotSee, Reaction
from contract_tests.cases.callers import CallerPool
from contract_tests.cases.model import Case, Step
from contract_tests.execution.executor import Executor
from contract_tests.execution.sending.context import CaseContext
from contract_tests.results.judge import Judgement, judge_response
from contract_tests.results.observation import Observation
from contract_tests.targets.base import NoResponse, Response


@dataclass(slots=True)
class Wire:
    """Sends steps, and remembers their answers.

    ``listed`` has all callers of the user, also those that the target refuses. ``observations`` are the broken rules.
    ``reserve`` is the number of requests that are kept for the end.
    """

    executor: Executor
    listed: CallerPool
    observations: list[Observation] = field(default_factory=list)
    refusals: list[Answer] = field(default_factory=list)
    hook_calls: int = 0
    reserve: int = 3
    _answers: dict[str, Answer] = field(default_factory=dict)

    @property
    def requests(self) -> int:
        """The number of requests sent, those to the control hook included."""
        return self.executor.sender.requests + self.hook_calls

    def open_context(self) -> CaseContext:
        """Return the context of a request that is about to be sent."""
        controls = self.executor.controls
        return CaseContext(controls.caller_pool, controls.slugs)

    def require_budget(self, reserve: int = 0) -> None:
        """Raise CannotSee if the limit of requests is reached."""
        if self.requests + reserve + self.reserve >= MAX_REQUESTS:
            raise CannotSee(f"the limit of {MAX_REQUESTS} requests is reached")

    def send(self, context: CaseContext, step: Step, rule: str, what: str, service: str = "") -> Answer:
        """Return the answer to a step, which is judged under a rule; ``what`` describes the request.

        The same request is sent once. ``service`` separates the updates of several services.
        """
        text = f"{what} {step!r} {service}"
        key = hashlib.sha256(
            text.encode("utf-8", "backslashreplace")
        ).hexdigest()  # a body may have megabytes
        if key not in self._answers:
            self.require_budget()
            known_rule = self.executor.catalogue.get(rule)
            if known_rule is None:
                raise CannotSee(f"the contract has no rule {rule}")
            response = self.executor.sender.send_step(context, step)
            identifier = context.services.get("service") if step.operation == "updateContainer" else None
            judgement = judge_response(
                known_rule, step.expect or "accept", step.operation, response, identifier
            )
            operation = self.executor.sender.spec.operations[step.operation]
            broken_rule = judgement.rule if self.record(judgement, step, context) else ""
            sent = f"{operation.method} {operation.path} {what}"
            self._answers[key] = _read_answer(sent, judgement, response, broken_rule)
            if self._answers[key].reaction == "refused" and not broken_rule:
                self.refusals.append(self._answers[key])
        return self._answers[key]

    def record(self, judgement: Judgement, step: Step, context: CaseContext) -> bool:
        """Record an answer that breaks what a page documents, or is a server error; return whether it does."""
        grade = self.executor.catalogue[judgement.rule].grade
        if judgement.outcome != "violated" or (grade == "assumed" and not judgement.server_error):
            return False
        case = Case(f"calibration/{len(self.observations) + 1}", judgement.rule, "cases", (step,))
        self.observations.append(Observation(case, judgement, tuple(context.exchanges)))
        return True


def _read_answer(
    sent: str, judgement: Judgement, response: Response | NoResponse, broken_rule: str
) -> Answer:
    if isinstance(response, NoResponse):
        return Answer(sent, "", reason=response.reason)
    reactions: dict[str, Reaction] = {"accepted": "accepted", "refused": "refused"}
    headers = {name.lower(): value for name, value in response.headers}
    return Answer(
        sent,
        "" if judgement.outcome == "inconclusive" else reactions.get(judgement.reaction, ""),
        response.status,
        headers.get("content-type", ""),
        response.body.decode("utf-8", "replace"),
        judgement.reason,
        broken_rule,
    )
