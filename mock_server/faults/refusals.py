"""The refusals of the mock, for faults that look like them: one violation for each rule that an operation can break.

The violations are those of the real checks, which get examples of broken requests.
"""

import threading
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from mock_server.contract import loader
from mock_server.contract.model import Contract, Node, Operation, Schema, Violation
from mock_server.services.model import Service
from mock_server.validation import authentication, schema, state, team
from mock_server.validation.body import MAX_DEPTH, BodyReader
from mock_server.validation.callers import Caller, CallerDirectory
from mock_server.validation.request import Request
from mock_server.validation.state import Update
from mock_server.web import responses
from mock_server.web.responses import Response

_TEAM, _OTHER_TEAM = "00000000-0000-7000-8000-000000000001", "00000000-0000-7000-8000-000000000002"
_JWT = Caller("jwt", "jwt", (_TEAM,))
_CALLERS = CallerDirectory({"jwt": _JWT}, {})
_AUTHORIZATIONS: tuple[dict[str, str], ...] = (
    {},
    {"Authorization": "Basic x"},
    {"Authorization": "Bearer ak-x"},
    {"Authorization": "Bearer x"},
)
_TEAM_HEADERS: tuple[dict[str, str], ...] = ({}, {team.TEAM_FIELD: "red"}, {team.TEAM_FIELD: _OTHER_TEAM})
#: No JSON, a key twice, too many levels, and text that is none.
_TEXTS = (b"{", b'{"a": 1, "a": 2}', b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), b'"\\u0000"')
#: Each is wrong for some types or formats.
_VALUES: tuple[Any, ...] = ("My Value", 8080, [8080], [{}], "http://example.com")
#: The limits that further values exceed.
_LIMITS = ("minimum", "maximum", "maxLength")


class Refusals:
    """The refusals of one contract, also those of its disabled rules. They are made when the first one is needed."""

    def __init__(self, contract: Contract, max_body: int) -> None:
        self._contract, self._max_body = contract, max_body
        self._by_operation: dict[str, Mapping[str, Violation]] = {}
        self._lock = threading.Lock()

    def for_rule(self, operation: Operation, rule_id: str, status: int | None = None) -> Response | None:
        """Return the refusal of a request that breaks the rule, or None if none can break it.

        `status` is another one than the first status of the rule.
        """
        violation = self._violations(operation).get(rule_id)
        return None if violation is None else responses.refusal_response([violation], status)

    def for_status(self, operation: Operation, status: int, preferred_rule: str = "") -> Response | None:
        """Return a refusal with that status, or None if no rule has it.

        It is that of `preferred_rule` if possible, else of the first rule whose first status it is.
        """
        found = [
            v
            for v in self._violations(operation).values()
            if status in (v.rule.status if operation.id in v.rule.operations else v.rule.status[:1])
        ]
        found.sort(key=lambda v: (v.rule.id != preferred_rule, v.rule.status[0] != status))
        return responses.refusal_response(found[:1], status) if found else None

    def _violations(self, operation: Operation) -> Mapping[str, Violation]:
        """Return a violation of each rule that requests to the operation can break, in the order of the stages."""
        with self._lock:
            if operation.id not in self._by_operation:
                found: dict[str, Violation] = {}
                for violation in _find_violations(self._contract, operation, self._max_body):
                    found.setdefault(violation.rule.id, violation)
                self._by_operation[operation.id] = found
            return self._by_operation[operation.id]


def _find_violations(contract: Contract, operation: Operation, max_body: int) -> Iterator[Violation]:
    if contract.disabled_rules:
        contract = loader.build_contract(contract.document, contract.rules)
        operation = next((each for each in contract.operations if each.id == operation.id), operation)
    for headers in _AUTHORIZATIONS:
        caller = authentication.identify_caller(contract, _CALLERS, operation, _request(headers))
        yield from caller if isinstance(caller, list) else ()
    for headers in _TEAM_HEADERS:
        found = team.find_team(contract, operation, _request(headers), _JWT)
        yield from found if isinstance(found, list) else ()
    path_values = {parameter.name: "not-a-uuid" for parameter in operation.parameters}
    yield from schema.check_path_parameters(contract, operation, path_values)
    if operation.body is not None:
        yield from _find_body_violations(contract, operation, operation.body, max_body)
    yield from (each for each in _find_state_violations(contract) if operation.id in each.rule.operations)


def _find_body_violations(
    contract: Contract, operation: Operation, body: Schema, max_body: int
) -> Iterator[Violation]:
    reader = BodyReader(contract, max_body)
    for request in (
        _request({"Content-Type": "text/plain"}),
        _request({"Content-Type": operation.media_types[0]}, max_body + 1),
    ):
        yield from reader.check_headers(operation, request)
    for text in _TEXTS:
        yield from reader.parse(operation, text).violations
    for value in _broken_bodies(body.node):
        yield from schema.check_value(contract, body, value, "body")


def _find_state_violations(contract: Contract) -> Iterator[Violation]:
    yield Violation(contract.rule("slug-unique"), state.slug_unique())
    external: dict[str, Any] = {"external_url": "https://example.com", "external_auth_credential_id": _TEAM}
    services = (None, _service(_OTHER_TEAM), _service(_TEAM, "deploying"), _service(_TEAM))
    for service in services:
        yield from state.check_update(contract, Update(_TEAM, _TEAM, external, service))


def _service(owner: str, status: str = "created") -> Service:
    now = datetime.now(UTC)
    return Service(_TEAM, owner, "a-slug", status, now, now, {"service_type": "deployed"})


def _request(headers: Mapping[str, str], size: int = 0) -> Request:
    return Request(headers, b"{}", size, {})


def _broken_bodies(node: Node) -> Iterator[Any]:
    """Yield bodies that break each keyword of a schema for objects."""
    properties: Node = node.get("properties") or {}
    yield from ([], {})
    yield {name: each["const"] for name, each in _condition(node).items() if "const" in each}
    for value in _VALUES:
        yield dict.fromkeys(properties, value)
    for number in range(len(_VALUES) + len(_LIMITS)):
        yield {name: _broken_value(each, number) for name, each in properties.items()}


def _condition(node: Node) -> Node:
    condition: Node = (node.get("if") or {}).get("properties") or {}
    return condition


def _broken_value(node: Node, number: int) -> Any:
    """Return one of the values to try for a schema; those of arrays and objects are broken within."""
    if isinstance(node.get("items"), dict):
        return [_broken_value(node["items"], number)]
    if node.get("properties"):
        return {name: _broken_value(each, number) for name, each in node["properties"].items()}
    return [*_VALUES, *_beyond_limits(node)][number]


def _beyond_limits(node: Node) -> Iterable[Any]:
    url = "https://example.com/"
    minimum, maximum, longest = (node.get(limit, 0) for limit in _LIMITS)
    return (minimum - 1, maximum + 1, url + "x" * max(0, longest + 1 - len(url)))
