"""The mock without its web framework: a request goes through the stages, and becomes a response."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from mock_server.contract.model import Contract, Operation, Violation
from mock_server.contract.property_names import UnknownProperty
from mock_server.services import lifecycle
from mock_server.services.model import Service, SlugTakenError, Store
from mock_server.services.readback import service_to_json
from mock_server.validation import authentication, body, choices, ignored, schema, state, team
from mock_server.validation.body import BodyReader
from mock_server.validation.callers import Caller, CallerDirectory
from mock_server.validation.request import Request
from mock_server.validation.state import Update, Values
from mock_server.web import responses
from mock_server.web.redaction import Redactor, hide_values
from mock_server.web.responses import HandledResponse, Response


@dataclass(slots=True)
class Call:
    """A request on its way through the stages, and what they have found: caller, team and values of the body.

    `unknown` are properties that the contract does not know; `unused` remarks properties that the type does not use.
    """

    operation: Operation
    request: Request
    caller: Caller | None = None
    team_id: str = ""
    values: Values = field(default_factory=dict)
    unknown: Sequence[UnknownProperty] = ()
    unused: Sequence[str] = ()

    @property
    def caller_name(self) -> str:
        """The name of the caller, empty while it is unknown."""
        return self.caller.name if self.caller else ""

    @property
    def service_id(self) -> str:
        """The id in the path, in lower case."""
        return self.request.path_values.get("serviceId", "").lower()


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
        call = Call(operation, request)
        response = self._with_remarks(call, self._handle(call))
        return HandledResponse(response, call.caller_name)

    def _handle(self, call: Call) -> Response:
        for stage in ORDERS[str(self.contract.options["check-order"])]:
            refused = stage(self, call)
            if refused:
                return self._refuse(call.request, refused)
        handler = OPERATIONS.get(call.operation.id)
        if handler is None:
            return responses.problem_response(501, f"{call.operation.id}: the mock has no such operation")
        return handler(self, call)

    def check_caller(self, call: Call) -> list[Violation]:
        """Find the caller."""
        found = authentication.identify_caller(self.contract, self.callers, call.operation, call.request)
        if isinstance(found, list):
            return found
        call.caller = found
        return []

    def check_team(self, call: Call) -> list[Violation]:
        """Find the team; the caller is known."""
        caller = call.caller or self.callers.default_caller()
        found = team.find_team(self.contract, call.operation, call.request, caller)
        if isinstance(found, list):
            return found
        call.team_id = found
        return []

    def check_path(self, call: Call) -> list[Violation]:
        """Check the path parameters of an operation that takes a body."""
        operation = call.operation
        if operation.id not in OPERATIONS_WITH_BODY:
            return []
        return schema.check_path_parameters(self.contract, operation, call.request.path_values)

    def check_body(self, call: Call) -> list[Violation]:
        """Read the values of the body; the first stage of its reading with violations decides."""
        operation, request = call.operation, call.request
        if operation.id not in OPERATIONS_WITH_BODY:
            return []
        refused = self.body_reader.check_headers(operation, request)
        if refused:
            return refused
        value, refused, _ = self.body_reader.parse(operation, request.raw_body)
        call.unknown = [*operation.properties.iter_unknown(value)]
        value = choices.change_body(self.contract, operation, value)
        if not refused and operation.body:
            refused = schema.check_value(self.contract, operation.body, value, "body")
            refused += choices.check_body(self.contract, operation, value)
        call.values = _known_values(operation, value if isinstance(value, dict) else {})
        return refused

    def check_service(self, call: Call) -> list[Violation]:
        """Check the stored service of an update before its body is read."""
        if call.operation.id != "updateContainer":
            return []
        with self.store.transaction() as transaction:
            service = lifecycle.with_current_status(transaction.get(call.service_id), self.clock)
        return state.check_update(self.contract, Update(call.service_id, call.team_id, {}, service))

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

Stage = Callable[[Mock, Call], list[Violation]]
#: By option of the choice `check-order`. The stored service of an update is checked again when it is changed.
ORDERS: dict[str, tuple[Stage, ...]] = {
    "shape-first": (Mock.check_caller, Mock.check_team, Mock.check_path, Mock.check_body),
    "state-first": (Mock.check_caller, Mock.check_team, Mock.check_path, Mock.check_service, Mock.check_body),
    "path-first": (Mock.check_path, Mock.check_caller, Mock.check_body, Mock.check_team),
    "body-first": (Mock.check_body, Mock.check_path, Mock.check_caller, Mock.check_team),
}
Handler = Callable[[Mock, Call], Response]
OPERATIONS: dict[str, Handler] = {
    "createContainer": Mock.create,
    "updateContainer": Mock.update,
    "readContainer": Mock.read,
}
OPERATIONS_WITH_BODY = frozenset({"createContainer", "updateContainer"})
