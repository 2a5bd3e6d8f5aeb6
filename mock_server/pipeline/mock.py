"""The mock without its web framework: a request goes through the stages, and becomes a response."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from mock_server.contract.model import Contract, Operation, Violation
from mock_server.pipeline.stages import Call, Stages
from mock_server.services import lifecycle
from mock_server.services.model import Service, SlugTakenError, Store
from mock_server.services.readback import service_to_json
from mock_server.validation import authentication, body, choices, ignored, state, team
from mock_server.validation.request import Request
from mock_server.validation.state import Update, Values
from mock_server.web import responses
from mock_server.web.redaction import Redactor, hide_values
from mock_server.web.responses import HandledResponse, Response


@dataclass(frozen=True, slots=True)
class Mock:
    """One contract being served, with everything that a request needs."""

    contract: Contract
    stages: Stages
    redactor: Redactor
    store: Store
    clock: Callable[[], datetime]
    new_id: Callable[[], str]

    def handle(self, operation: Operation, request: Request) -> HandledResponse:
        """Return the response to a request; the first stage with violations decides."""
        call = Call(operation, choices.read_ids(self.contract, request))
        response = self._with_remarks(call, self._handle(call))
        return HandledResponse(response, call.caller_name)

    def _handle(self, call: Call) -> Response:
        refused = self.stages.check(call)
        if refused:
            return self._refuse(call.request, refused)
        handler = OPERATIONS.get(call.operation.id)
        if handler is None:
            return responses.problem_response(501, f"{call.operation.id}: the mock has no such operation")
        return handler(self, call)

    def create(self, call: Call) -> Response:
        """Store a new service."""
        operation, values = call.operation, call.values
        refused = self._check_permissions(operation, values, values.get("service_type"))
        if refused:
            return self._refuse(call.request, refused)
        stored = state.values_after_create(self.contract, values, dict(operation.defaults))
        now, service_id = self.clock(), self.new_id()
        service = Service(service_id, call.team_id, values.get("service_slug"), "created", now, now, stored)
        try:
            with self.store.transaction() as transaction:
                transaction.add(service, unique=self.contract.rule_enabled("slug-unique"))
        except SlugTakenError:
            refused = [Violation(self.contract.rule("slug-unique"), state.slug_unique())]
            return self._refuse(call.request, refused)
        call.unused = ignored.remark_unused(stored.get("service_type"), values)
        return self._success(operation, "created", state.created(service_id), service)

    def update(self, call: Call) -> Response:
        """Change a service of the team."""
        operation, values = call.operation, call.values
        with self.store.transaction() as transaction:
            service = lifecycle.with_current_status(transaction.get(call.service_id), self.clock)
            stored_type = service.values.get("service_type") if service else None
            refused = state.check_update(
                self.contract, Update(call.service_id, call.team_id, values, service)
            ) or self._check_permissions(operation, values, stored_type)
            if refused:
                return self._refuse(call.request, refused)
            if service is not None:
                transaction.replace(self._update_service(service, values))
        call.unused = ignored.remark_unused(stored_type, values)
        return self._success(operation, "updated", state.updated(call.service_id), service)

    def read(self, call: Call) -> Response:
        """Return a service of the team as it is stored."""
        with self.store.transaction() as transaction:
            found = transaction.by_slug(call.team_id, call.request.path_values.get("serviceSlug", ""))
        service = lifecycle.with_current_status(found, self.clock)
        if service is None:
            return responses.problem_response(404, "serviceSlug: no service of the team has this slug")
        unused_image = self.contract.chosen("unused-docker-image", "shown")
        absent = str(self.contract.options["absent-values"])
        shown = service_to_json(service, absent, unused_image=unused_image)
        return responses.json_response(call.operation.success, self._with_id_case(shown))

    def _with_remarks(self, call: Call, response: Response) -> Response:
        """Return the response with a header that lists the properties of the body without effect."""
        if not call.unknown and not call.unused:
            return response

        def redact(text: str) -> str:
            return self.redactor.redact(text, call.request.headers.get("Authorization"))

        remarks = (*ignored.remark_unknown(self.contract, call.unknown, redact), *call.unused)
        header = {ignored.IGNORED_HEADER: ", ".join(remarks)} if remarks else {}
        return response._replace(headers={**response.headers, **header}, ignored=remarks)

    def _check_permissions(
        self, operation: Operation, values: Values, service_type: object
    ) -> list[Violation]:
        kind = service_type or operation.defaults.get("service_type")
        return state.check_permissions(self.contract, kind, values)

    def _update_service(self, service: Service, values: Values) -> Service:
        changed = state.values_after_update(self.contract, dict(service.values), values)
        return replace(service, values=changed, slug=changed.get("service_slug"), updated_at=self.clock())

    def _success(
        self, operation: Operation, rule: str, value: dict[str, Any], service: Service | None
    ) -> Response:
        if self.contract.chosen("extra-answer-properties", "present") and service is not None:
            value = {**value, "service_slug": service.slug}
        shown = self._with_id_case(value) if self.contract.rule_enabled(rule) else {}
        return responses.json_response(operation.success, shown)

    def _with_id_case(self, value: dict[str, Any]) -> dict[str, Any]:
        return {**value, "id": value["id"].upper()} if self.contract.chosen("id-case", "upper") else value

    def _refuse(self, request: Request, violations: list[Violation]) -> Response:
        """Return the refusal; it shows no value of a request that repeats a token, since values are cut."""
        if self.contract.chosen("reported-violations", "first"):
            violations = violations[:1]
        header, text = request.headers.get("Authorization"), _request_text(request)
        if self.redactor.redact(text, header) != text:
            violations = list(map(hide_values, violations))
        return responses.refusal_response(violations, form=str(self.contract.options["error-body"]))


def _request_text(request: Request) -> str:
    """Return all that a request says outside `Authorization`."""
    texts = [value for name, value in request.headers.items() if name != "Authorization"]
    body = request.raw_body.decode("utf-8", "replace")
    return "\n".join((*texts, *request.path_values.values(), body))


#: The rules that a function of their name enforces, and no keyword.
RULES_IN_CODE = tuple(
    rule
    for table in (
        *(authentication.AUTHENTICATION_CHECKS, team.TEAM_CHECKS, team.TEAM_PERMISSIONS, body.BODY_CHECKS),
        body.BODY_PERMISSIONS,
        *(state.IDENTITY_CHECKS, state.CONDITION_CHECKS, state.CONFLICT_CHECKS, state.STATE_PERMISSIONS),
        *(state.UPDATE_BODY_EFFECTS, state.CREATE_STORE_EFFECTS, state.UPDATE_STORE_EFFECTS),
        state.RESPONSE_EFFECTS,
    )
    for rule, _ in table
)

Handler = Callable[[Mock, Call], Response]
OPERATIONS: dict[str, Handler] = {
    "createContainer": Mock.create,
    "updateContainer": Mock.update,
    "readContainer": Mock.read,
}
