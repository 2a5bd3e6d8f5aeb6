"""Sender: sends one step at a time, and logs, counts and redacts what goes over the wire."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import TYPE_CHECKING, Any

from contract_tests.cases.callers import Caller
from contract_tests.cases.model import Step
from contract_tests.contract.spec import Spec
from contract_tests.execution.sending.access_watch import AccessWatch
from contract_tests.execution.sending.context import CaseContext
from contract_tests.execution.sending.create_forms import PLAIN, CreateForm
from contract_tests.execution.sending.created_log import CreatedLog
from contract_tests.execution.sending.limits import CreateBudget, RequestBudget, SilenceWatch
from contract_tests.execution.sending.tracing import add_trace, create_span_id, has_tested_headers
from contract_tests.results.judge import read_id
from contract_tests.targets.base import NoResponse, Response, Target, is_success
from contract_tests.targets.exchange import Exchange, Redactor

if TYPE_CHECKING:
    from contract_tests.execution.sending.spans import SpanExport

#: Exchanges kept for the report: the most recent ones.
MAX_TRAFFIC = 10_000


@dataclass(slots=True)
class Sender:
    """Sends steps to one target; safe to use from several threads.

    ``form`` is the form of a create that the target is known to accept. ``plain_body`` is the body of a plain create;
    without one no loss of access is noticed. ``traced`` adds headers that name the trace and the case; ``spans``
    exports each request as a span. ``settling`` is how many seconds the target takes to find a new service.
    """

    target: Target
    spec: Spec
    redactor: Redactor
    created_log: CreatedLog
    budget: CreateBudget
    form: CreateForm = PLAIN
    plain_body: Mapping[str, Any] | None = None
    traced: bool = False
    settling: float = 0.0
    spans: "SpanExport | None" = None
    request_budget: RequestBudget = field(default_factory=RequestBudget)
    requests: int = 0
    traffic: deque[Exchange] = field(default_factory=lambda: deque(maxlen=MAX_TRAFFIC))
    _silence: SilenceWatch = field(default_factory=SilenceWatch)
    _lock: Lock = field(default_factory=Lock)
    _access: AccessWatch = field(default_factory=AccessWatch)

    @property
    def has_lost_access(self) -> bool:
        """True once the target accepts a token, a create, or anything at all no longer."""
        return self._access.is_lost

    def send_step(self, context: CaseContext, step: Step) -> Response | NoResponse:
        """Send one step and record the exchange.

        Raise TargetGone if the target stopped responding, or accepting the caller's token or any request, RunStopped
        if the run is over.
        """
        response = self._send_once(context, step)
        self._silence.check(response, lambda: self._access.is_alive(context, self._send_once))
        if isinstance(response, Response) and self.plain_body is not None:
            self._access.check_refusal(context, step, response.status, self.plain_body, self._send_once)
        if self.settling and step.operation == "createContainer" and is_success(response):
            self.target.clock.wait(self.settling)
        return response

    def _send_once(self, context: CaseContext, step: Step) -> Response | NoResponse:
        self.target.clock.check()
        caller = context.find_caller(step.caller)
        operation = self.spec.operations[step.operation]
        request, body = context.build_request(operation, step, caller, self.form)
        traced, span_id = self.traced and not has_tested_headers(step), create_span_id()
        if traced:
            request = add_trace(request, context.trace_id, span_id, context.case_id)
        slug = _slug_of(body)
        with self.budget.reserve(step):
            self.request_budget.take()
            if step.operation == "createContainer":
                self.created_log.log_sending(caller.name, slug)
            response = self.redactor.redact_response(self.target.send(request))
            exchange = self.redactor.record_exchange(caller.name, self.target.url, request, response)
            trace_id = context.trace_id if traced else ""
            exchange = replace(exchange, trace_id=trace_id, token_env=caller.token_env)
            context.exchanges.append(exchange)
            if self.spans:
                self.spans.record(context, span_id, operation, response)
            if step.operation == "createContainer":
                self._log_create(context, step, caller, slug, response)
        self._count(exchange, response)
        return response

    def _log_create(
        self,
        context: CaseContext,
        step: Step,
        caller: Caller,
        slug: str | None,
        response: Response | NoResponse,
    ) -> None:
        if not is_success(response):
            if isinstance(response, NoResponse) or response.resent:  # what was lost may be stored
                self.created_log.log_lost(caller.name, slug)
            return
        identifier = read_id(response)
        self._access.add_creator(caller, context.caller_pool.name_team(caller, step.caller), identifier)
        self.created_log.log_created(caller.name, slug, identifier)
        if identifier:
            context.services[step.as_] = identifier
        if slug is not None:
            context.service_slugs[step.as_] = slug

    def _count(self, exchange: Exchange, response: Response | NoResponse) -> None:
        with self._lock:
            self.requests += 1
            self.traffic.append(exchange)
        self._silence.observe(response)


def _slug_of(body: Any) -> str | None:
    slug = body.get("service_slug") if isinstance(body, dict) else None
    return slug if isinstance(slug, str) else None
