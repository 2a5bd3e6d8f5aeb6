"""The fault injector: scripts, preferences of the caller and random faults change what happens to a request."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from mock_server.contract.model import Operation, Rule
from mock_server.faults.fault import InjectedFault
from mock_server.faults.prefer import find_misspelt, preferred_fault
from mock_server.faults.random_faults import RandomFaults
from mock_server.faults.refusals import Refusals
from mock_server.faults.script import Script
from mock_server.services.model import Store
from mock_server.validation.authentication import bearer_token
from mock_server.validation.callers import UUID_PATTERN, CallerDirectory
from mock_server.validation.ignored import IGNORED_HEADER
from mock_server.validation.request import Request
from mock_server.web.redaction import Redactor
from mock_server.web.responses import HandledResponse, Response
from mock_server.web.truncated_body import TRUNCATE_AT
from mock_server.web.wsgi import DELAY_SECONDS

#: The injector calls it for a request that is carried out.
Handler = Callable[[Operation, Request], HandledResponse]
#: Never sent: granian closes the connection rather than send a response that is framed in two ways.
_NO_RESPONSE = Response(0, b" ", headers={"Content-Length": "1", "Transfer-Encoding": "chunked"})


@dataclass(frozen=True, slots=True)
class FaultInjector:
    """Stands before the mock; without a fault to inject, a request goes straight through.

    `operations` are the ids of the operations that honour `Prefer`.
    """

    handle_request: Handler
    callers: CallerDirectory
    store: Store
    random_faults: RandomFaults
    script: Script
    operations: frozenset[str]
    refusals: Refusals
    rules: Mapping[str, Rule]

    def handle(self, operation: Operation, request: Request, environ: dict[str, Any]) -> HandledResponse:
        """Return the response to a request; its delay and truncation are set in the environ."""
        if not (self.script.steps or "HTTP_PREFER" in environ or self.random_faults.enabled):
            return self.handle_request(operation, request)
        latency, random_fault = self.random_faults.draw() if self.random_faults.enabled else (0.0, None)
        requested = self._requested_fault(operation, request, environ.get("HTTP_PREFER"))
        fault = requested or random_fault or InjectedFault()
        handled = _remark_misspelt(self._handle_with(fault, operation, request), environ.get("HTTP_PREFER"))
        handled = handled._replace(response=handled.response._replace(injected=fault.source))
        environ[DELAY_SECONDS] = latency + fault.delay
        if fault.drop:
            environ[TRUNCATE_AT] = -1
            return handled._replace(response=_NO_RESPONSE._replace(injected=fault.source))
        if fault.truncate_at is not None:
            environ[TRUNCATE_AT] = fault.truncated_size(len(handled.response.body))
        if fault.preference_applied:
            headers = {**handled.response.headers, "Preference-Applied": fault.preference_applied}
            return handled._replace(response=handled.response._replace(headers=headers))
        return handled

    def _requested_fault(
        self, operation: Operation, request: Request, prefer: str | None
    ) -> InjectedFault | None:
        step = None
        if self.script.steps:
            step = self.script.take(operation, self._caller_name(request), lambda: self._slug(request))
        if step is not None:
            return step.fault(operation, self.refusals)
        if prefer is None or operation.id not in self.operations:
            return None
        redact = partial(
            Redactor(self.callers.callers).redact, authorization=request.headers.get("Authorization")
        )
        return preferred_fault(operation, prefer, self.refusals, self.rules, redact)

    def _handle_with(self, fault: InjectedFault, operation: Operation, request: Request) -> HandledResponse:
        if fault.response is not None or fault.drop == "before":
            return HandledResponse(fault.response or _NO_RESPONSE, self._caller_name(request))
        return self.handle_request(operation, request)

    def _caller_name(self, request: Request) -> str:
        caller = self.callers.find(bearer_token(request.headers.get("Authorization")))
        return caller.name if caller else ""

    def _slug(self, request: Request) -> object:
        """Return the slug that a request is about: from its path, its service or its body."""
        path_values = request.path_values
        if "serviceSlug" in path_values:
            return path_values["serviceSlug"]
        if "serviceId" in path_values:
            if not UUID_PATTERN.fullmatch(path_values["serviceId"]):
                return None
            with self.store.transaction() as transaction:
                service = transaction.get(path_values["serviceId"].lower())
            return service.slug if service else None
        try:
            body = json.loads(request.raw_body)
        except (ValueError, RecursionError):
            return None
        return body.get("service_slug") if isinstance(body, dict) else None


def _remark_misspelt(handled: HandledResponse, prefer: str | None) -> HandledResponse:
    """Return the response with remarks about misspelt preferences, in the header of other remarks and in the log."""
    remarks = find_misspelt(prefer) if prefer is not None else ()
    if not remarks:
        return handled
    response = handled.response
    ignored = (*response.ignored, *remarks)
    headers = {**response.headers, IGNORED_HEADER: ", ".join(ignored)}
    return handled._replace(response=response._replace(headers=headers, ignored=ignored))
