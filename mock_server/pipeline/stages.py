"""The stages before the operation: caller, team, path, body, and for some orders the stored service."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from mock_server.contract.model import Contract, Operation, Violation
from mock_server.contract.property_names import UnknownProperty
from mock_server.services import lifecycle
from mock_server.services.model import Store
from mock_server.validation import authentication, choices, schema, state, team
from mock_server.validation.body import BodyReader
from mock_server.validation.callers import Caller, CallerDirectory
from mock_server.validation.request import Request
from mock_server.validation.state import Update, Values

_OPERATIONS_WITH_BODY = frozenset({"createContainer", "updateContainer"})


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
class Stages:
    """The stages of one contract being served, and what they need."""

    contract: Contract
    callers: CallerDirectory
    store: Store
    body_reader: BodyReader
    clock: Callable[[], datetime]

    def check(self, call: Call) -> list[Violation]:
        """Return the violations of the first stage that has any, in the order of the choice `check-order`."""
        for stage in ORDERS[str(self.contract.options["check-order"])]:
            refused = stage(self, call)
            if refused:
                return refused
        return []

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
        if operation.id not in _OPERATIONS_WITH_BODY:
            return []
        return schema.check_path_parameters(self.contract, operation, call.request.path_values)

    def check_body(self, call: Call) -> list[Violation]:
        """Read the values of the body; the first stage of its reading with violations decides."""
        operation, request = call.operation, call.request
        if operation.id not in _OPERATIONS_WITH_BODY:
            return []
        refused = self.body_reader.check_headers(operation, request)
        if refused:
            return refused
        value, refused, _ = self.body_reader.parse(operation, request.raw_body)
        call.unknown = [*operation.properties.iter_unknown(value)]
        value = choices.change_body(self.contract, operation, value)
        refused = refused or choices.check_body(self.contract, operation, value)
        if self.contract.chosen("unknown-properties", "refused"):
            call.unknown = ()  # refused, not ignored
        call.values = _known_values(operation, value if isinstance(value, dict) else {})
        return refused

    def check_service(self, call: Call) -> list[Violation]:
        """Check the stored service of an update before its body is read."""
        if call.operation.id != "updateContainer":
            return []
        with self.store.transaction() as transaction:
            service = lifecycle.with_current_status(transaction.get(call.service_id), self.clock)
        return state.check_update(self.contract, Update(call.service_id, call.team_id, {}, service))


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


Stage = Callable[[Stages, Call], list[Violation]]
_CALLER: tuple[Stage, ...] = (Stages.check_caller, Stages.check_team)
#: By option of the choice `check-order`. The stored service of an update is checked again when it is changed.
ORDERS: dict[str, tuple[Stage, ...]] = {
    "shape-first": (*_CALLER, Stages.check_path, Stages.check_body),
    "state-first": (
        Stages.check_caller,
        Stages.check_team,
        Stages.check_path,
        Stages.check_service,
        Stages.check_body,
    ),
    "path-first": (Stages.check_path, Stages.check_caller, Stages.check_body, Stages.check_team),
    "body-first": (Stages.check_body, Stages.check_path, Stages.check_caller, Stages.check_team),
}
