"""The mock without its web framework: a request goes through the stages, and becomes a response."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from mock_server.contract.model import Contract, Operation, Violation
from mock_server.contract.property_names import UnknownProperty
from mock_server.services import lifecycle
from mock_server.services.model import Service, SlugTakenError, Store
from mock_server.services.readback import service_to_json
from mock_server.validation import authentication, body, ignored, schema, state, team
from mock_server.validation.body import BodyReader
from mock_server.validation.callers import Caller, CallerDirectory
from mock_server.validation.request import Request
from mock_server.validation.state import Update, Values
from mock_server.web import responses
from mock_server.web.redaction import Redactor, hide_values
from mock_server.web.responses import HandledResponse, Response


@dataclass(frozen=True, slots=True)
class Mock:
    """One contract being served, with everything that a request needs."""

    contract: Contract
    callers: CallerDirectory
    redactor: Redactor
    store: Store
    body_reader: BodyReader
    clock: Callable[[], datetime]
    new_id: Callable[[], str]

    def handle(self, operation: Operation, request: Request) -> HandledResponse:
        """Return the response to a request; the first stage with violations decides."""
        caller = authentication.identify_caller(self.contract, self.callers, operation, request)
        if isinstance(caller, list):
            return HandledResponse(self._refuse(request, caller))
        return HandledResponse(self._handle_for_caller(operation, request, caller), caller.name)

    def _handle_for_caller(self, operation: Operation, request: Request, caller: Caller) -> Response:
        team_id = team.find_team(self.contract, operation, request, caller)
        if isinstance(team_id, list):
            return self._refuse(request, team_id)
        handler = OPERATIONS.get(operation.id)
        if handler is None:
            return responses.problem_response(501, f"{operation.id}: the mock has no such operation")
        return handler(self, operation, request, team_id)

    def create(self, operation: Operation, request: Request, team_id: str) -> Response:
        """Store a new service."""
        return self._write(operation, request, team_id, self._create)

    def _create(self, operation: Operation, request: Request, team_id: str, values: Values) -> Response:
        refused = self._check_permissions(operation, values, values.get("service_type"))
        if refused:
            return self._refuse(request, refused)
        stored = state.values_after_create(self.contract, values, dict(operation.defaults))
        now, service_id = self.clock(), self.new_id()
        service = Service(service_id, team_id, values.get("service_slug"), "created", now, now, stored)
        try:
            with self.store.transaction() as transaction:
                transaction.add(service, unique=self.contract.rule_enabled("slug-unique"))
        except SlugTakenError:
            return self._refuse(request, [Violation(self.contract.rule("slug-unique"), state.slug_unique())])
        unused = ignored.remark_unused(stored.get("service_type"), values)
        return self._success(operation, "created", state.created(service_id), unused)

    def update(self, operation: Operation, request: Request, team_id: str) -> Response:
        """Change a service of the team."""
        return self._write(operation, request, team_id, self._update)

    def _update(self, operation: Operation, request: Request, team_id: str, values: Values) -> Response:
        service_id = request.path_values.get("serviceId", "").lower()
        with self.store.transaction() as transaction:
            service = lifecycle.with_current_status(transaction.get(service_id), self.clock)
            stored_type = service.values.get("service_type") if service else None
            refused = state.check_update(
                self.contract, Update(service_id, team_id, values, service)
            ) or self._check_permissions(operation, values, stored_type)
            if refused:
                return self._refuse(request, refused)
            if service is not None:
                transaction.replace(self._update_service(service, values))
        unused = ignored.remark_unused(stored_type, values)
        return self._success(operation, "updated", state.updated(service_id), unused)

    def read(self, operation: Operation, request: Request, team_id: str) -> Response:
        """Return a service of the team as it is stored."""
        with self.store.transaction() as transaction:
            found = transaction.by_slug(team_id, request.path_values.get("serviceSlug", ""))
        service = lifecycle.with_current_status(found, self.clock)
        if service is None:
            return responses.problem_response(404, "serviceSlug: no service of the team has this slug")
        return responses.json_response(operation.success, service_to_json(service))

    def _write(
        self, operation: Operation, request: Request, team_id: str, change: Callable[..., Response]
    ) -> Response:
        """Make a change with the valid values of the body, and remark its properties that have no effect."""
        refused = schema.check_path_parameters(
            self.contract, operation, request.path_values
        ) or self.body_reader.check_headers(operation, request)
        if refused:
            return self._refuse(request, refused)
        value, refused, _ = self.body_reader.parse(operation, request.raw_body)
        if not refused and operation.body:
            refused = schema.check_value(self.contract, operation.body, value, "body")
        unknown = [*operation.properties.iter_unknown(value)]
        if refused:
            response = self._refuse(request, refused)
        else:
            values = _known_values(operation, value if isinstance(value, dict) else {})
            response = change(operation, request, team_id, values)
        return self._with_remarks(request, response, unknown) if unknown or response.ignored else response

    def _with_remarks(
        self, request: Request, response: Response, unknown: Sequence[UnknownProperty]
    ) -> Response:
        """Return the response with a header that lists the properties without effect."""

        def redact(text: str) -> str:
            return self.redactor.redact(text, request.headers.get("Authorization"))

        remarks = (*ignored.remark_unknown(self.contract, unknown, redact), *response.ignored)
        headers = (
            {**response.headers, ignored.IGNORED_HEADER: ", ".join(remarks)} if remarks else response.headers
        )
        return response._replace(headers=headers, ignored=remarks)

    def _check_permissions(
        self, operation: Operation, values: dict[str, Any], service_type: object
    ) -> list[Violation]:
        kind = service_type or operation.defaults.get("service_type")
        return state.check_permissions(self.contract, kind, values)

    def _update_service(self, service: Service, values: dict[str, Any]) -> Service:
        changed = state.values_after_update(self.contract, dict(service.values), values)
        return replace(service, values=changed, slug=changed.get("service_slug"), updated_at=self.clock())

    def _success(self, operation: Operation, rule: str, value: Values, unused: Sequence[str]) -> Response:
        shown = value if self.contract.rule_enabled(rule) else {}
        return responses.json_response(operation.success, shown)._replace(ignored=tuple(unused))

    def _refuse(self, request: Request, violations: list[Violation]) -> Response:
        """Return the refusal; it shows no value of a request that repeats a token, since values are cut."""
        header, text = request.headers.get("Authorization"), _request_text(request)
        if self.redactor.redact(text, header) == text:
            return responses.refusal_response(violations)
        return responses.refusal_response(map(hide_values, violations))


def _request_text(request: Request) -> str:
    """Return all that a request says outside `Authorization`."""
    texts = [value for name, value in request.headers.items() if name != "Authorization"]
    body = request.raw_body.decode("utf-8", "replace")
    return "\n".join((*texts, *request.path_values.values(), body))


def _known_values(operation: Operation, values: Values) -> Values:
    """Return the values that the operation knows, with 8080.0 as the integer 8080.

    The two properties that no update changes stay, for the rules about them.
    """
    inner = operation.properties.inner
    names = operation.properties.known | state.IMMUTABLE_PROPERTIES.keys()
    known = {
        name: inner[name].without_unknown(value) if name in inner else value
        for name, value in values.items()
        if name in names
    }
    for name in operation.integers:
        if type(known.get(name)) is float and known[name].is_integer():
            known[name] = int(known[name])
    return known


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

Handler = Callable[[Mock, Operation, Request, str], Response]
OPERATIONS: dict[str, Handler] = {
    "createContainer": Mock.create,
    "updateContainer": Mock.update,
    "readContainer": Mock.read,
}
