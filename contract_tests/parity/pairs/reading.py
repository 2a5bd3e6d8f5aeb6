"""Reads one request as the contract does, with what is known of the callers and the stored services."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from contract_tests.cases.callers import CREDENTIAL_KINDS, Caller
from contract_tests.cases.model import OperationId
from contract_tests.contract.choices import Choice
from contract_tests.contract.rules import Catalogue
from contract_tests.contract.spec import Spec
from contract_tests.parity.pairs.openness import list_body_choices, list_rule_choices
from contract_tests.parity.pairs.services import KnownService, Services
from contract_tests.results.judge import is_uuid
from contract_tests.results.recorded.recording import RecordedCall
from contract_tests.results.recorded.request_rules import read_rules
from contract_tests.targets.base import Request, Response
from contract_tests.targets.exchange import Redactor, read_caller_kind

#: A body of which no page says that it is too large, and one that every server refuses.
_USUAL_BYTES, _REFUSED_BYTES = 16 * 1024, 2 * 1024 * 1024
_BUSY = ("deploying", "stopping")
#: Rules that a request concerns, and does not break, if it has an id in another form.
_ID_RULES = {"service-id-format", "team-uuid"}
_STAGES = ("authentication", "team", "path", "media-type", "json", "shape", "state")
_NOTHING = Response(0, (), b"", 0.0)


@dataclass(frozen=True, slots=True)
class Reading:
    """What is known of a request before it is sent.

    ``broken`` are the rules that it breaks, in the order of the stages; ``choices`` the open points that it touches;
    ``concerned`` the rules that it uses. ``slug`` and ``service`` are those that it names, ``caller`` is a name.
    """

    operation: OperationId
    caller: str
    kind: str
    team: str
    broken: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    concerned: tuple[str, ...] = ()
    body: Any = None
    slug: str = ""
    service: KnownService | None = None

    @property
    def properties(self) -> Mapping[str, Any]:
        """The body if it is an object, else an empty one."""
        return self.body if isinstance(self.body, dict) else {}


class RequestReader:
    """Reads requests to the operations of one contract."""

    def __init__(
        self, spec: Spec, catalogue: Catalogue, choices: Mapping[str, Choice], callers: Iterable[Caller]
    ) -> None:
        self._catalogue, self._choices = catalogue, choices
        self._callers = {caller.token: caller for caller in callers}
        self._redactor = Redactor(self._callers)
        self._operations = [
            (operation.id, operation.method, re.compile(re.sub(r"\{[^}]*\}", "([^/]*)", operation.path)))
            for operation in spec.operations.values()
        ]

    def read(self, request: Request, services: Services) -> Reading | None:
        """Return what a request is about; None if it is for no operation."""
        found = self._find_operation(request)
        if found is None:
            return None
        operation, segment = found
        headers = {name.lower(): value for name, value in request.headers}
        caller = self._callers.get(headers.get("authorization", "").partition(" ")[2])
        kind = caller.kind if caller else read_caller_kind(request.headers)
        team = self._find_team(caller, headers)
        if operation == "readContainer":
            service = services.find_slug(team, unquote(segment))
            return Reading(operation, caller.name if caller else "", kind, team, service=service)
        service = services.find(unquote(segment)) if operation == "updateContainer" else None
        call = self._record(operation, segment, request, kind)
        reading = read_rules(call, service.type if service else "deployed")
        slug = reading.body.get("service_slug") if isinstance(reading.body, dict) else None
        known = Reading(
            operation, caller.name if caller else "", kind, team, reading.broken, (), reading.concerned,
            reading.body, slug if isinstance(slug, str) else "", service,
        )  # fmt: skip
        return self._complete(known, request, headers, caller, services)

    def _find_operation(self, request: Request) -> tuple[OperationId, str] | None:
        for name, method, pattern in self._operations:
            if method == request.method and (found := pattern.fullmatch(request.path)):
                return name, "".join(found.groups())  # type: ignore[return-value]
        return None

    def _find_team(self, caller: Caller | None, headers: Mapping[str, str]) -> str:
        if caller is None:
            return ""
        if caller.kind in CREDENTIAL_KINDS:
            return caller.teams[0].lower() if caller.teams else caller.name
        return headers.get("x-team-id", "").lower()

    def _record(self, operation: OperationId, segment: str, request: Request, kind: str) -> RecordedCall:
        """Return the request as a call of this kit, whose valid tokens are redacted."""
        headers = tuple(
            (name, self._redactor.redact_text(value) if name.lower() == "authorization" else value)
            for name, value in request.headers
        )
        service = unquote(segment) if operation == "updateContainer" else None
        redacted = Request(request.method, request.path, headers, request.body)
        return RecordedCall(0, operation, service, redacted, _NOTHING, "", kind, True, "", True, True)

    def _complete(
        self,
        known: Reading,
        request: Request,
        headers: Mapping[str, str],
        caller: Caller | None,
        services: Services,
    ) -> Reading:
        """Add the rules about callers, sizes and stored services, and the choices."""
        raw = request.body or b""
        broken = {*known.broken, *self._list_stored(known, services, request)}
        if (
            caller
            and caller.kind == "jwt"
            and is_uuid(known.team)
            and known.team not in map(str.lower, caller.teams)
        ):
            broken.add("team-member")
        if len(raw) >= _REFUSED_BYTES:
            broken.add("body-size")
        ordered = tuple(sorted(broken, key=self._place))
        stored_type = known.service.type if known.service else "deployed"
        choices = [
            choice
            for rule in dict.fromkeys((*ordered, *known.concerned))
            for choice in list_rule_choices(rule, headers, raw, self._choices.values())
            if known.operation in self._choices[choice].operations
        ]
        choices += list_body_choices(known.operation, raw, known.body, stored_type) if raw else ()
        choices += ["largest-body"] if len(raw) > _USUAL_BYTES else []
        choices += ["id-forms"] if _ID_RULES & {*known.concerned} else []
        return Reading(
            known.operation, known.caller, known.kind, known.team, ordered, tuple(dict.fromkeys(choices)),
            known.concerned, known.body, known.slug, known.service,
        )  # fmt: skip

    def _list_stored(self, known: Reading, services: Services, request: Request) -> Iterator[str]:
        """Yield the rules about stored services that a request breaks."""
        if known.operation == "createContainer":
            if services.find_slug(known.team, known.slug):
                yield "slug-unique"
            return
        if known.service is None:
            if is_uuid(unquote(request.path.rpartition("/")[2])):
                yield "service-exists"
        elif known.team and known.service.team != known.team:
            yield "team-scope"
        elif known.service.status in _BUSY:
            yield "not-while-busy"

    def _place(self, rule: str) -> tuple[int, str]:
        stage = self._catalogue[rule].stage if rule in self._catalogue else None
        return (_STAGES.index(stage) if stage in _STAGES else len(_STAGES), rule)
