"""The whole mock without its web framework: a call goes in, an answer comes out."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from mock_server.contract.loader import Contract, Operation, Violation
from mock_server.services import lifecycle
from mock_server.services.memory import Service, SlugTakenError, Store
from mock_server.validation import authentication, body, schema, state
from mock_server.validation.body import BodyReader, Call
from mock_server.validation.callers import Caller, Directory
from mock_server.validation.state import Update
from mock_server.web import responses
from mock_server.web.redaction import Tokens
from mock_server.web.responses import Answer

#: Shown by the read-back in this order; what is absent is left out.
SHOWN = (
    "service_desc",
    "service_type",
    "docker_image",
    "exposed_port",
    "health_path",
    "env_config",
    "volume_config",
    "required_labels",
    "gpu_count",
    "replica_count",
    "usage_prompt",
    "openapi_url",
    "external_url",
    "external_auth_credential_id",
)


class Handled(NamedTuple):
    """An answer, and who it is for where that is known."""

    answer: Answer
    caller: str = ""


@dataclass(frozen=True, slots=True)
class Mock:
    """A contract that is being served: its parts, and nothing global."""

    contract: Contract
    directory: Directory
    tokens: Tokens
    store: Store
    reader: BodyReader
    clock: Callable[[], datetime]
    new_id: Callable[[], str]

    def handle(self, operation: Operation, got: Call) -> Handled:
        """The answer to a call; the first stage with violations decides."""
        who = authentication.identify(self.contract, self.directory, operation, got)
        if isinstance(who, list):
            return Handled(self._refused(got, who))
        return Handled(self._within_team(operation, got, who), who.name)

    def _within_team(self, operation: Operation, got: Call, who: Caller) -> Answer:
        team = authentication.team_of(self.contract, operation, got, who)
        if isinstance(team, list):
            return self._refused(got, team)
        perform = PERFORM.get(operation.id)
        if perform is None:
            return responses.problem(501, f"{operation.id}: the mock knows no such operation")
        return perform(self, operation, got, team)

    def create(self, operation: Operation, got: Call, team: str) -> Answer:
        """Stores a new service."""
        sent = self._sent(operation, got)
        if isinstance(sent, Answer):
            return sent
        stored = state.applied(self.contract, state.ON_CREATE, {}, sent)
        values = {**operation.defaults, **stored}
        now, service_id = self.clock(), self.new_id()
        service = Service(service_id, team, sent.get("service_slug"), "created", now, now, values)
        try:
            with self.store.transaction() as step:
                step.add(service, unique="slug-unique" not in self.contract.off)
        except SlugTakenError as taken:
            fault = state.slug_unique(taken)
            return self._refused(got, [Violation(self.contract.rule("slug-unique"), fault)])
        holds = "created" not in self.contract.off
        return responses.success(operation.success, state.created(service_id, self.new_id, holds))

    def update(self, operation: Operation, got: Call, team: str) -> Answer:
        """Changes a service of the team."""
        sent = self._sent(operation, got)
        if isinstance(sent, Answer):
            return sent
        service_id = got.values.get("serviceId", "").lower()
        with self.store.transaction() as step:
            stored = lifecycle.settled(step.get(service_id), self.clock)
            update = Update(service_id, team, sent, stored)
            refused = self._refusals(update)
            if refused:
                return self._refused(got, refused)
            if update.service is not None:
                step.replace(self._changed(update.service, sent))
        holds = "updated" not in self.contract.off
        return responses.success(operation.success, state.updated(service_id, self.new_id, holds))

    def read(self, operation: Operation, got: Call, team: str) -> Answer:
        """Shows a service of the team as it is stored."""
        with self.store.transaction() as step:
            found = step.by_slug(team, got.values.get("serviceSlug", ""))
        service = lifecycle.settled(found, self.clock)
        if service is None:
            return responses.problem(404, "serviceSlug: seen a slug that no service of the team has")
        return responses.success(operation.success, shown(service))

    def _sent(self, operation: Operation, got: Call) -> dict[str, Any] | Answer:
        """The well-formed values of a call, or the refusal of the first stage that it fails."""
        malformed = schema.parameters(self.contract, operation, got.values)
        refused = malformed or self.reader.declared(operation, got)
        if refused:
            return self._refused(got, refused)
        value, refused = self.reader.parsed(operation, got.raw)
        if refused:
            return self._refused(got, refused)
        refused = schema.check(self.contract, operation.body, value, "body") if operation.body else []
        values = value if isinstance(value, dict) else {}
        refused = refused or self._withdrawn(operation, got, values)
        return self._refused(got, refused) if refused else _taken(operation, values)

    def _refused(self, got: Call, violations: list[Violation]) -> Answer:
        """The refusal, which repeats what was sent but for tokens."""
        header = got.headers.get("Authorization")
        repeated = "\n".join(violation.fault.seen for violation in violations)
        if self.tokens.hidden(repeated, header) == repeated:
            return responses.refusal(violations)
        return responses.refusal(self._cleaned(violation, header) for violation in violations)

    def _cleaned(self, violation: Violation, header: str | None) -> Violation:
        seen = self.tokens.hidden(violation.fault.seen, header)
        return violation._replace(fault=violation.fault._replace(seen=seen))

    def _withdrawn(self, operation: Operation, got: Call, values: dict[str, Any]) -> list[Violation]:
        """What a server without the permission for unused properties refuses."""
        if "unused-properties-accepted" not in self.contract.off:
            return []
        kind = values.get("service_type", operation.defaults.get("service_type"))
        if operation.id == "updateContainer":
            with self.store.transaction() as step:
                service = step.get(got.values.get("serviceId", "").lower())
            kind = service.values.get("service_type") if service else None
        rule = self.contract.rule("unused-properties-accepted")
        return [Violation(rule, fault) for fault in state.unused_properties_accepted(kind, values)]

    def _refusals(self, update: Update) -> list[Violation]:
        found = state.refusals(self.contract, state.IDENTITY, update)
        return found or state.refusals(self.contract, state.CONDITIONS, update)

    def _changed(self, service: Service, sent: dict[str, Any]) -> Service:
        values = state.applied(self.contract, state.ON_UPDATE, dict(service.values), sent)
        return state.renamed(service, values, self.clock())


def _taken(operation: Operation, values: dict[str, Any]) -> dict[str, Any]:
    """What the operation knows of the values: 8080.0 is the integer 8080, and an unknown name has no effect.

    The two names that never change are kept for the rules that say so.
    """
    known = operation.properties
    taken = {n: v for n, v in values.items() if n in known or n in {"service_slug", "service_type"}}
    for name in operation.integers:
        if type(taken.get(name)) is float and taken[name].is_integer():
            taken[name] = int(taken[name])
    return taken


def shown(service: Service) -> dict[str, Any]:
    """A service as the read-back shows it: without what its type does not use."""
    kind = service.values.get("service_type")
    unused = state.UNUSED.get(kind, ()) if isinstance(kind, str) else ()
    values = {name: service.values[name] for name in SHOWN if name in service.values and name not in unused}
    return {
        "id": service.id,
        "service_slug": service.slug,
        "display_name": service.values.get("display_name"),
        "created_at": _rfc3339(service.created_at),
        "updated_at": _rfc3339(service.updated_at),
        **values,
        "service_status": service.status,
    }


def _rfc3339(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


#: The rules that are enforced by a function of their name, and by no keyword.
IN_CODE = tuple(
    rule
    for table in (
        *(authentication.AUTHENTICATION, authentication.TEAM, authentication.PERMISSIONS, body.CHECKS),
        *(state.IDENTITY, state.CONDITIONS, state.CONFLICTS, state.PERMISSIONS),
        *(state.ON_CREATE, state.ON_UPDATE, state.ANSWERS),
    )
    for rule, _ in table
)

Perform = Callable[[Mock, Operation, Call, str], Answer]
PERFORM: dict[str, Perform] = {
    "createContainer": Mock.create,
    "updateContainer": Mock.update,
    "readContainer": Mock.read,
}
