"""Which rules a request and its response break, as far as that shows without what is stored."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from mock_server.contract import document, loader
from mock_server.contract.model import Contract, Mismatch, Operation, Rule, Schema, Violation
from mock_server.proxy import leniency
from mock_server.validation import authentication, choices, open_values, schema, team
from mock_server.validation.body import MAX_DEPTH, BodyReader
from mock_server.validation.callers import Caller, CallerDirectory
from mock_server.validation.request import Request
from mock_server.validation.schema_messages import format_value
from mock_server.web import responses

_OPERATIONS = ("createContainer", "updateContainer")
#: Rules of responses, beside those of `rules.yaml`.
STATUS_RULE = Rule(
    "response-status", "effect", "The status of a response is one that the contract declares.", "assumed",
    "both pages, Response: the statuses are not written there", _OPERATIONS,
)  # fmt: skip
MEDIA_TYPE_RULE = Rule(
    "response-media-type", "effect", "The body of a success is declared as JSON.", "assumed",
    "both pages, Response: the header is not written there", _OPERATIONS,
)  # fmt: skip
SERVER_ERROR_RULE = Rule(
    "response-server-error", "effect", "A response is not a server error.", "documented",
    "both pages, Response: a success is all that they promise", _OPERATIONS,
)  # fmt: skip
RESPONSE_RULES = {rule.id: rule for rule in (STATUS_RULE, MEDIA_TYPE_RULE, SERVER_ERROR_RULE)}
#: An upstream that is too busy is not faulty.
_BUSY_STATUS = 503
#: Statuses that a deployment may send before it checks anything else.
_PRIOR_STATUSES = (401, 403, 429)
#: By operation: the rule that the response names the service of the path, and the path parameter.
_ID_RULES = {"updateContainer": ("updated", "serviceId")}


@dataclass(frozen=True, slots=True)
class ReceivedResponse:
    """A response of the upstream. `body` is decoded; None if it is incomplete or in an unknown encoding."""

    status: int
    media_type: str
    body: bytes | None


class Verifier:
    """Checks requests and responses against a contract, and the caller if a directory is given."""

    def __init__(self, contract: Contract, callers: CallerDirectory | None, max_body: int) -> None:
        self.contract = contract
        self._callers, self._max_body = callers, max_body
        known, teams = (callers.callers, callers.teams) if callers else ({}, {})
        self._any_caller = CallerDirectory(known, teams, any_token=True)
        self._any_token_contract = replace(contract, disabled_rules=contract.disabled_rules | {"auth-known"})
        self._readings = tuple(
            (each, BodyReader(each, max_body)) for each in (contract, leniency.choose_leniently(contract))
        )
        self._schemas = {
            operation.id: dict(_response_schemas(operation)) for operation in contract.operations
        }

    def check_request(
        self, operation: Operation, request: Request, *, readable: bool = True
    ) -> tuple[str, list[Violation]]:
        """Return the name of the caller, and the violations of all stages.

        Later stages are checked too, since an assumed violation must hide no other. A body in an unknown encoding is
        not `readable`, and not checked.
        """
        caller = authentication.identify_caller(
            self._any_token_contract, self._any_caller, operation, request
        )
        if isinstance(caller, list):
            name, found = self.caller_name(request.headers.get("Authorization")), caller
        else:
            name = caller.name
            found = [*self._check_token(operation, request), *self._check_team(operation, request, caller)]
        found += self._relax(lambda contract, _: _check_path(contract, operation, request))
        return name, found + (self._check_body(operation, request) if readable else [])

    def _relax(self, check: Callable[[Contract, BodyReader], list[Violation]]) -> list[Violation]:
        """Return the violations of a check as the mock makes it, relaxed by the lenient options."""
        usual, lenient = self._readings
        found = check(*usual)
        return leniency.relax(found, check(*lenient)) if found else []

    def caller_name(self, header: str | None) -> str:
        """Return the name of the caller of an `Authorization` header, or an empty text."""
        caller = self._any_caller.find(authentication.bearer_token(header))
        return caller.name if caller else ""

    def _check_token(self, operation: Operation, request: Request) -> list[Violation]:
        if self._callers is None or not operation.secured or not self.contract.rule_enabled("auth-known"):
            return []
        mismatch = authentication.auth_known(request.headers.get("Authorization"), self._callers)
        return [Violation(self.contract.rule("auth-known"), mismatch)] if mismatch else []

    def _check_team(self, operation: Operation, request: Request, caller: Caller) -> list[Violation]:
        return self._relax(lambda contract, _: _check_team(contract, operation, request, caller))

    def _check_body(self, operation: Operation, request: Request) -> list[Violation]:
        found = self._relax(lambda _, reader: reader.check_headers(operation, request))
        if request.body_size > self._max_body or any(v.rule.grade != "assumed" for v in found):
            return found
        return found + self._relax(lambda contract, reader: _read_body(contract, reader, operation, request))

    def check_response(
        self, operation: Operation, request: Request, broken: list[Violation], received: ReceivedResponse
    ) -> list[Violation]:
        """Return the violations of a response; `broken` are those of its request."""
        found = self._check_status(operation, received.status)
        if 200 <= received.status < 300:
            found += _unenforced_rules(broken, received.status)
        elif 400 <= received.status < 500:
            found += _check_refusal_status(broken, received.status)
        found += self._check_response_body(operation, request, received)
        return [violation for violation in found if self.contract.rule_enabled(violation.rule.id)]

    def _check_status(self, operation: Operation, status: int) -> list[Violation]:
        actual = f"{status} {responses.reason_phrase(status)}"
        if status >= 500 and status != _BUSY_STATUS:
            expected = "a response that is not a server error"
            return [Violation(SERVER_ERROR_RULE, Mismatch("response", "", actual, expected))]
        if _declared_key(operation, status) is not None:
            return []
        expected = f"a declared status: {', '.join(map(str, operation.responses))}"
        return [Violation(STATUS_RULE, Mismatch("response", "", actual, expected))]

    def _check_response_body(
        self, operation: Operation, request: Request, received: ReceivedResponse
    ) -> list[Violation]:
        key = _declared_key(operation, received.status)
        key = str(operation.success) if key is None and 200 <= received.status < 300 else key
        declared = self._schemas[operation.id].get(key or "")
        if declared is None or received.body is None:
            return []
        found = []
        if received.media_type.partition(";")[0].strip().lower() != responses.JSON_TYPE:
            actual = format_value(received.media_type) if received.media_type else "no such header"
            mismatch = Mismatch("response", "/Content-Type", actual, responses.JSON_TYPE)
            found.append(Violation(MEDIA_TYPE_RULE, mismatch))
        try:
            value = json.loads(received.body)
        except (ValueError, RecursionError) as error:
            rule = self.contract.rule((declared.node.get("x-rules") or {}).get("type", ""))
            too_deep = isinstance(error, RecursionError)  # then it may be JSON
            actual = "too many levels of nesting" if too_deep else "not JSON"
            violation = Violation(rule, Mismatch("response", "", actual, "a JSON object"))
            return [*found, leniency.assume(violation) if too_deep else violation]
        return found + _check_readable(
            lambda readable: self._check_response_value(operation, request, declared, readable), value
        )

    def _check_response_value(
        self, operation: Operation, request: Request, declared: Schema, value: Any
    ) -> list[Violation]:
        found = schema.check_value(self.contract, declared, value, "response")
        if found or operation.id not in _ID_RULES:
            return found
        rule, parameter = _ID_RULES[operation.id]
        path_id = open_values.read_uuid(request.path_values.get(parameter, ""))
        response_id = str(value.get("id"))
        if path_id.lower() == response_id.lower():
            return []
        mismatch = Mismatch("response", "/id", format_value(response_id), "the id of the path")
        return [Violation(self.contract.rule(rule), mismatch)]


def _check_path(contract: Contract, operation: Operation, request: Request) -> list[Violation]:
    values = choices.read_ids(contract, request).path_values
    return schema.check_path_parameters(contract, operation, values)


def _check_team(
    contract: Contract, operation: Operation, request: Request, caller: Caller
) -> list[Violation]:
    found = team.find_team(contract, operation, choices.read_ids(contract, request), caller)
    return found if isinstance(found, list) else []


def _read_body(
    contract: Contract, reader: BodyReader, operation: Operation, request: Request
) -> list[Violation]:
    value, invalid, readable = reader.parse(operation, request.raw_body)
    if not readable:
        return invalid
    value = choices.change_body(contract, operation, value)
    return invalid + choices.check_body(contract, operation, value)


def _check_readable(check: Callable[[Any], list[Violation]], value: Any) -> list[Violation]:
    """Return the violations of a value, or of a copy that jsonschema_rs can read.

    It raises an error on a value of more than 255 levels and on half a surrogate pair.
    """
    try:
        return check(value)
    except (ValueError, RecursionError):
        return check(_copy_readable(value, MAX_DEPTH))


def _copy_readable(value: Any, levels: int) -> Any:
    """Return a copy with `?` for each half of a surrogate pair, and empty below the last level."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [_copy_readable(item, levels - 1) for item in value] if levels else []
    if isinstance(value, dict):
        items = value.items() if levels else ()
        return {_copy_readable(name, levels): _copy_readable(item, levels - 1) for name, item in items}
    return value


def _response_schemas(operation: Operation) -> list[tuple[str, Schema]]:
    """Return the schemas of the JSON responses that rules describe, by status."""
    found = []
    for status, response in operation.responses.items():
        content = (response.get("content") or {}).get(responses.JSON_TYPE) or {}
        node = content.get("schema") or {}
        if any(document.iter_rule_ids(node)):
            found.append(
                (str(status), loader.compile_schema(node, f"the response {status} of {operation.id}"))
            )
    return found


def _declared_key(operation: Operation, status: int) -> str | None:
    """Return the key under which the contract declares a status, such as `200` or `4XX`."""
    codes = {str(code).upper(): str(code) for code in operation.responses}
    return next((codes[key] for key in (str(status), f"{status // 100}XX", "DEFAULT") if key in codes), None)


def _unenforced_rules(broken: list[Violation], status: int) -> list[Violation]:
    """Return a violation for each rule that the request breaks and the deployment does not enforce."""
    mismatch = Mismatch("response", "", f"accepted with {status}", "a refusal (4xx)")
    unenforced = {violation.rule.id: violation.rule for violation in broken}
    return [Violation(rule, mismatch) for rule in unenforced.values()]


def _check_refusal_status(broken: list[Violation], status: int) -> list[Violation]:
    """Return the only rule that the request breaks, if its documented status is another one."""
    rules = {violation.rule.id: violation.rule for violation in broken}
    rule = next(iter(rules.values())) if len(rules) == 1 else STATUS_RULE
    if rule.status_grade in {"", "assumed"} or status in rule.status or status in _PRIOR_STATUSES:
        return []
    expected = f"refused with {' or '.join(map(str, rule.status))}"
    return [Violation(rule, Mismatch("response", "", f"refused with {status}", expected))]
