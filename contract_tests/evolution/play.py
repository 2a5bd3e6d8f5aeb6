"""Plays one case on apps that serve different documents, step by step, and compares the responses."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from contract_tests.cases.callers import CallerPool
from contract_tests.cases.model import Case, OperationId, Step
from contract_tests.cases.value_templates import SlugFactory
from contract_tests.contract.spec import Operation
from contract_tests.execution.sending.context import CannotRun, CaseContext
from contract_tests.results.judge import find_success_error, parse_json_object, read_id
from contract_tests.targets.base import Response, is_success
from contract_tests.targets.exchange import Exchange, Redactor
from contract_tests.targets.wsgi import WsgiTarget

Kind = Literal["breaking", "relaxed", "response changed"]
#: Property, or part of the response, with the old and the new value.
Difference = tuple[str, Any, Any]

READ: OperationId = "readContainer"
#: Where `mock-server --spec FILE` serves a document; the commands of a report are sent there.
_ADDRESS = "http://127.0.0.1:4010/api/v1"
#: Properties of a read-back that differ between any two services.
_OWN = ("id", "created_at", "updated_at")


class Budget:
    """The requests and the time that a search may take."""

    def __init__(self, max_requests: int, seconds: float, clock: Callable[[], float]) -> None:
        """Set the limits; ``clock`` returns seconds."""
        self.requests = 0
        self._max_requests, self._clock, self._end = max_requests, clock, clock() + seconds

    @property
    def is_spent(self) -> bool:
        """True once a limit is reached."""
        return self.requests >= self._max_requests or self._clock() >= self._end


@dataclass(frozen=True, slots=True)
class Served:
    """A document as an app serves it: how to open a new app with an empty store, and the operations."""

    open_app: Callable[[], Any]
    operations: Mapping[str, Operation]


@dataclass(frozen=True, slots=True)
class Played:
    """The results of a case: the exchanges on each app, and how each app differs from the first one.

    ``kinds`` and ``differences`` have an entry for each app but the first.
    """

    case: Case
    kinds: tuple[Kind | None, ...]
    differences: tuple[tuple[Difference, ...], ...]
    exchanges: tuple[tuple[Exchange, ...], ...]


@dataclass(slots=True)
class _Side:
    """One app while a case is played on it."""

    target: WsgiTarget
    operations: Mapping[str, Operation]
    context: CaseContext


@dataclass(slots=True)
class Player:
    """Plays cases on several apps with the same requests; the first app is the one to compare with."""

    served: Sequence[Served]
    caller_pool: CallerPool
    redactor: Redactor
    budget: Budget
    seed: int = 0
    _targets: list[WsgiTarget] = field(default_factory=list)
    _slugs: list[SlugFactory] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Open the apps."""
        for served in self.served:
            target = WsgiTarget(served.open_app())
            target.url = _ADDRESS
            self._targets.append(target)
            self._slugs.append(SlugFactory("ck-", seed=self.seed))

    def play(self, case: Case) -> Played:
        """Play a case up to a step that some apps accept and others refuse, else compare the last step.

        What an accepted last step has stored is compared too.
        """
        sides = [
            _Side(target, served.operations, CaseContext(self.caller_pool, slugs, lenient=True))
            for target, served, slugs in zip(self._targets, self.served, self._slugs, strict=True)
        ]
        found: list[tuple[Difference, ...]] = [()] * (len(sides) - 1)
        for number, step in enumerate(case.steps, 1):
            try:
                responded = self._compare_responses(step, sides)
                if {*map(_find_kind, responded)} & {"breaking", "relaxed"}:
                    found = responded
                    break
                if number == len(case.steps):
                    stored = self._compare_stored(step, sides)
                    found = [(*a, *b) for a, b in zip(responded, stored, strict=True)]
            except CannotRun:
                break
        exchanges = tuple(tuple(side.context.exchanges) for side in sides)
        return Played(case, tuple(map(_find_kind, found)), tuple(found), exchanges)

    def _compare_responses(self, step: Step, sides: Sequence[_Side]) -> list[tuple[Difference, ...]]:
        responses = [self._send(step, side) for side in sides]
        services = [side.context.services.get(step.service) for side in sides]
        first, *others = (_describe_response(step, *pair) for pair in zip(responses, services, strict=True))
        return [_list_differences(first, other) for other in others]

    def _compare_stored(self, step: Step, sides: Sequence[_Side]) -> list[tuple[Difference, ...]]:
        """Return the differences of the read-backs after a step, where all apps have the service."""
        label = step.as_ if step.operation == "createContainer" else step.service
        if not all(label in side.context.service_slugs for side in sides):
            return [()] * (len(sides) - 1)
        sent = [len(side.context.exchanges) for side in sides]
        read = Step(READ, step.caller, service=label)
        first, *others = (_read_stored(self._send(read, side)) for side in sides)
        found = [_list_differences(first, other) for other in others]
        if not any(found):
            for side, number in zip(sides, sent, strict=True):
                del side.context.exchanges[number:]
        return found

    def _send(self, step: Step, side: _Side) -> Response:
        context = side.context
        caller = context.find_caller(step.caller)
        request, body = context.build_request(side.operations[step.operation], step, caller)
        self.budget.requests += 1
        response = side.target.send(request)
        shown = self.redactor.redact_response(response)
        exchange = self.redactor.record_exchange(caller.name, _ADDRESS, request, shown)
        context.exchanges.append(replace(exchange, token_env=caller.token_env))
        if step.operation == "createContainer" and (identifier := read_id(response)):
            context.services[step.as_] = identifier
            if isinstance(body, dict) and isinstance(slug := body.get("service_slug"), str):
                context.service_slugs[step.as_] = slug
        return response


def _find_kind(differences: Sequence[Difference]) -> Kind | None:
    for name, old, new in differences:
        if name == "status" and _is_accepted(old) != _is_accepted(new):
            return "breaking" if _is_accepted(old) else "relaxed"
    return "response changed" if differences else None


def _is_accepted(status: int) -> bool:
    return 200 <= status < 300


def _describe_response(step: Step, response: Response, service: str | None) -> dict[str, Any]:
    """Return what a client relies on in a response: the status, and in a success the id and the other properties."""
    if not is_success(response) or step.operation == READ:
        return {"status": response.status}
    updated = service if step.operation == "updateContainer" else None
    body = parse_json_object(response) or {}
    error = find_success_error(step.operation, response, updated)
    return {"status": response.status, "id": error or "a UUID", "response properties": sorted(body)}


def _read_stored(response: Response) -> dict[str, Any]:
    """Return the values that a read-back shows, none if the app offers no read-back."""
    stored = parse_json_object(response) if is_success(response) else None
    return {f"stored {name}": value for name, value in (stored or {}).items() if name not in _OWN}


def _list_differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[Difference, ...]:
    """Return the differences of two responses; if one is accepted and the other refused, that alone."""
    names = dict.fromkeys([*old, *new])
    if "status" in names and _is_accepted(old["status"]) != _is_accepted(new["status"]):
        names = {"status": None}
    pairs = ((name, old.get(name), new.get(name)) for name in names)
    return tuple((name, a, b) for name, a, b in pairs if (type(a), a) != (type(b), b))
