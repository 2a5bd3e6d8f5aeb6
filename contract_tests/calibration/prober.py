"""Prober: sends the requests of a calibration, judges each as the gate does, and keeps within the limits."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from contract_tests.calibration.sighting import Answer, CannotSee, require_reaction
from contract_tests.cases.callers import CallerPool
from contract_tests.cases.model import Case, Expect, Step
from contract_tests.execution.controls import Owner, SharedService
from contract_tests.execution.executor import Executor
from contract_tests.execution.sending.context import CaseContext
from contract_tests.results.judge import Judgement, judge_readback, judge_response, parse_json_object
from contract_tests.results.observation import Observation
from contract_tests.targets.base import NoResponse, Response, is_success

MAX_REQUESTS, MAX_CREATED = 150, 25
#: Requests that one probe may send without asking for leave: a shared service, and what its updates start from.
_RESERVE = 4
_MAX_BODY = 120  # characters of a body in words
Headers = tuple[tuple[str, str | None], ...]


@dataclass(slots=True)
class Prober:
    """Sends each request once, and remembers its answer.

    ``listed`` has all callers of the user, also those that the target refuses. ``observations`` are the broken rules.
    """

    executor: Executor
    listed: CallerPool
    observations: list[Observation] = field(default_factory=list)
    refusals: list[Answer] = field(default_factory=list)
    _hook_calls: int = 0
    _answers: dict[str, Answer] = field(default_factory=dict)
    _values: dict[str, str] = field(default_factory=dict)
    _bases: dict[tuple[str, str], Any] = field(default_factory=dict)

    @property
    def requests(self) -> int:
        """The number of requests sent, those to the control hook included."""
        return self.executor.sender.requests + self._hook_calls

    @property
    def pool(self) -> CallerPool:
        """The callers that can act."""
        return self.executor.controls.caller_pool

    def update(
        self,
        what: str = "",
        body: Mapping[str, Any] | None = None,
        *,
        raw: str | bytes | None = None,
        service: str = "deployed",
        caller: str = "red",
        team: str | None = None,
        headers: Headers = (),
        rule: str = "updated",
        expect: Expect = "open",
    ) -> Answer:
        """Return the answer to an update of a shared service (deployed or external), or of the one with that id.

        ``what`` tells the request in words; without it, its body does.
        """
        context = self._open_context()
        if service in ("deployed", "external"):
            shared = self.find_shared(service)
            context.services["service"], service_type, label = str(shared.id), service, "service"
        else:
            service_type, label = "deployed", service
        base = self.find_base(service_type)
        if base and raw is not None:
            raise CannotSee("this target refuses an update that leaves anything out")
        step = Step(
            "updateContainer",
            caller,
            body=None if raw is not None else {**base, **(body or {})},
            raw=raw,
            service=label,
            team=team,
            headers=headers,
            expect=expect,
            as_is=True,
        )
        what = f"{what or name_body(body)}{_name_service(service)}"
        return self._send(context, step, rule, what, service)

    def create(
        self,
        what: str = "",
        values: Mapping[str, Any] | None = None,
        *,
        kind: str = "deployed",
        caller: str = "red",
        team: str | None = None,
        slug: str | None = None,
        without: str = "",
        listed: bool = False,
        rule: str = "created",
        expect: Expect = "open",
    ) -> Answer:
        """Return the answer to a create of a plain service with some values.

        ``without`` is a property that it leaves out; ``listed`` callers may be refused ones.
        """
        context = self._open_context()
        if listed:
            context.caller_pool = self.listed
        body = {**self.executor.controls.bodies[kind], **(values or {})}
        body.pop(without, None)
        if slug:
            context.labels["slug"] = slug
        step = Step(caller=caller, body=body, team=team, slug="slug" if slug else None, expect=expect)
        return self._send(context, step, rule, what or name_body(values))

    def read(self, kind: str = "deployed") -> Mapping[str, Any]:
        """Return the read-back of a shared service; raise CannotSee if there is none."""
        self.require_readback()
        self.require_budget()
        context, shared = self._open_context(), self.find_shared(kind)
        context.service_slugs["service"] = shared.slug
        response = self.executor.sender.send_step(context, Step("readContainer", self._owner().role))
        shown = parse_json_object(response) if is_success(response) else None
        if shown is None:
            raise CannotSee("the read-back failed")
        return shown

    def require_stored(self, rule: str, values: Mapping[str, Any]) -> None:
        """Raise CannotSee if the read-back of the deployed service shows other values, which breaks a rule."""
        self.require_budget()
        context, shared = self._open_context(), self.find_shared("deployed")
        context.service_slugs["service"] = shared.slug
        step = Step("readContainer", self._owner().role, shows=tuple(values.items()))
        response = self.executor.sender.send_step(context, step)
        judgement = judge_readback(self.executor.catalogue[rule], values.items(), response, shared.id)
        if judgement.outcome != "passed":
            if self._is_violation(judgement):
                self._record(judgement, step, context)
            raise CannotSee(f"the read-back shows another value, which breaks the rule {rule}")

    def require_readback(self) -> None:
        """Raise CannotSee if the target offers no read-back."""
        if not self.executor.readback:
            raise CannotSee("the target offers no read-back")

    def set_status(self, identifier: str, status: str) -> None:
        """Set the status of a service by the control hook; raise CannotSee if that fails."""
        if self.executor.hook is None:
            raise CannotSee("needs --control-hook to set a service's status")
        self.require_budget()
        self._hook_calls += 1
        problem = self.executor.hook.set_status(identifier, status)
        if problem:
            raise CannotSee(f"the control hook failed: {problem}")

    def find_shared(self, kind: str, caller: str = "red") -> SharedService:
        """Return the service of this type that the probes share; raise CannotSee if it cannot be created."""
        self.require_budget(_RESERVE)
        shared = self.executor.controls.open_shared(kind, self._owner(caller))
        if shared is None or shared.id is None:
            raise CannotSee(f"a plain {kind} service cannot be created here")
        return shared

    def find_base(self, kind: str) -> Any:
        """Return what an update must hold to be accepted, which is nothing; raise CannotSee if none is accepted."""
        key = (kind, self._owner().role)
        if key not in self._bases:
            shared = self.find_shared(kind)
            self._bases[key] = {}  # for the control itself
            plain = self.update(
                "with {}", raw="{}", service=kind, rule="update-partial", expect="accept"
            )
            if plain.reaction != "accepted":
                self._bases[key] = self.executor.controls.find_base(kind, self._owner())
        if self._bases[key] is None:
            raise CannotSee(f"a plain {kind} service cannot be updated here")
        return self._bases[key]

    def create_service(self) -> str:
        """Create a plain service that no other probe uses, and return its id."""
        self.require_budget()
        context = self._open_context()
        body = self.executor.controls.bodies["deployed"]
        self.executor.sender.send_step(context, Step(caller=self._owner().role, body=body))
        if "service" not in context.services:
            raise CannotSee("a plain deployed service cannot be created here")
        return context.services["service"]

    def can_read(self, caller: str) -> bool:
        """Return whether a listed caller can read a shared service back."""
        if not self.executor.readback:
            return False
        self.require_budget()
        shared = self.find_shared("deployed")
        context = CaseContext(self.listed, self.executor.controls.slugs)
        context.service_slugs["service"] = shared.slug
        response = self.executor.sender.send_step(context, Step("readContainer", caller))
        return isinstance(response, Response) and response.status != 401

    def remember(self, name: str, value: str) -> str:
        """Return the value that was given first under a name."""
        return self._values.setdefault(name, value)

    def require_plain_update(self, caller: str, service: str = "deployed") -> Answer:
        """Return the accepted update of a shared service by a caller; raise CannotSee if it is not accepted."""
        answer = self.update("with {}" + _name_caller(caller), service=service, caller=caller)
        return require_reaction(answer, "accepted")

    def require_budget(self, reserve: int = 0) -> None:
        """Raise CannotSee if the limit of requests is reached."""
        if self.requests + reserve >= MAX_REQUESTS:
            raise CannotSee(f"the limit of {MAX_REQUESTS} requests is reached")

    def _owner(self, caller: str = "red") -> Owner:
        return self.executor.controls.choose_owner(Step(caller=caller), self._open_context())

    def _open_context(self) -> CaseContext:
        return CaseContext(self.pool, self.executor.controls.slugs)

    def _send(self, context: CaseContext, step: Step, rule: str, what: str, service: str = "") -> Answer:
        key = hashlib.sha256(f"{what} {step!r} {service}".encode()).hexdigest()  # a body may have megabytes
        if key not in self._answers:
            self.require_budget()
            response = self.executor.sender.send_step(context, step)
            identifier = context.services.get("service") if step.operation == "updateContainer" else None
            judgement = judge_response(
                self.executor.catalogue[rule], step.expect or "accept", step.operation, response, identifier
            )
            self._answers[key] = self._read_answer(step, context, judgement, response, what)
        return self._answers[key]

    def _read_answer(
        self,
        step: Step,
        context: CaseContext,
        judgement: Judgement,
        response: Response | NoResponse,
        what: str,
    ) -> Answer:
        operation = self.executor.sender.spec.operations[step.operation]
        sent = f"{operation.method} {operation.path} {what}"
        broken_rule = judgement.rule if self._is_violation(judgement) else ""
        if broken_rule:
            self._record(judgement, step, context)
        if isinstance(response, NoResponse):
            return Answer(sent, "", reason=response.reason)
        headers = {name.lower(): value for name, value in response.headers}
        is_clear = judgement.outcome != "inconclusive" and judgement.reaction != "error"
        answer = Answer(
            sent,
            judgement.reaction if is_clear else "",  # type: ignore[arg-type]
            response.status,
            headers.get("content-type", ""),
            response.body.decode("utf-8", "replace"),
            "" if is_clear else judgement.reason,
            broken_rule,
        )
        if answer.reaction == "refused" and not broken_rule:
            self.refusals.append(answer)
        return answer

    def _record(self, judgement: Judgement, step: Step, context: CaseContext) -> None:
        case = Case(f"calibration/{len(self.observations) + 1}", judgement.rule, "cases", (step,))
        self.observations.append(Observation(case, judgement, tuple(context.exchanges)))

    def _is_violation(self, judgement: Judgement) -> bool:
        """Return whether an answer breaks what a page documents, or is a server error."""
        grade = self.executor.catalogue[judgement.rule].grade
        return judgement.outcome == "violated" and (judgement.server_error or grade != "assumed")


def name_body(body: Mapping[str, Any] | None) -> str:
    """Return a body in words."""
    text = json.dumps(body or {})
    return f"with {text if len(text) <= _MAX_BODY else text[:_MAX_BODY] + '…'}"


def _name_service(service: str) -> str:
    return " on an external service" if service == "external" else ""


def _name_caller(caller: str) -> str:
    return "" if caller == "red" else f" as {caller.partition('-')[0]}"
