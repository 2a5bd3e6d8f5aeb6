"""What of a call, and of its answer, breaks the contract, as far as it can be told without what is stored."""

import json
from dataclasses import dataclass, replace
from typing import Any

from mock_server.contract import document, loader
from mock_server.contract.loader import Contract, Fault, Operation, Rule, Schema, Violation
from mock_server.proxy import leniency
from mock_server.validation import authentication
from mock_server.validation import schema as shape
from mock_server.validation.body import BodyReader, Call
from mock_server.validation.callers import Caller, Directory
from mock_server.web import responses

_EVERY = ("createContainer", "updateContainer")
#: What an answer can break beside the rules of the catalogue.
STATUS = Rule(
    "answer-status", "effect", "The status of an answer is one that the contract declares.", "assumed",
    "both pages, Response: the statuses are not written there", _EVERY,
)  # fmt: skip
MEDIA_TYPE = Rule(
    "answer-media-type", "effect", "The body of a success is declared as JSON.", "assumed",
    "both pages, Response: the header is not written there", _EVERY,
)  # fmt: skip
SERVER_ERROR = Rule(
    "answer-server-error", "effect", "An answer is no server error.", "documented",
    "both pages, Response: a success is all that they promise", _EVERY,
)  # fmt: skip
OF_ANSWERS = {rule.id: rule for rule in (STATUS, MEDIA_TYPE, SERVER_ERROR)}
#: Too busy to answer; that is no error.
_BUSY = 503
#: What a caller or a rate may be refused with before anything else is looked at.
_FIRST = (401, 403, 429)
#: The rule that an answer names the service of the path.
_SAME = {"updateContainer": ("updated", "serviceId")}


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: `body` is decoded, and None where it has not come as a whole or cannot be decoded."""

    status: int
    media_type: str
    body: bytes | None


class Verifier:
    """Checks calls and answers against a contract; with a directory also who calls."""

    def __init__(self, served: Contract, known: Directory | None, max_body: int) -> None:
        self._contract = served
        self._known = known
        callers, teams = (known.callers, known.teams) if known else ({}, {})
        self._anyone = Directory(callers, teams, any_token=True)
        self._by_form = replace(served, off=served.off | {"auth-known"})
        self._reader = BodyReader(served, max_body)
        bounds = frozenset({"body-depth", "body-keys", "body-text"})
        self._unbounded = BodyReader(replace(served, off=served.off | bounds), max_body)
        self._max_body = max_body
        self._schemas = {operation.id: dict(_schemas(operation)) for operation in served.operations}

    def request(
        self, operation: Operation, call: Call, *, readable: bool = True
    ) -> tuple[str, list[Violation]]:
        """The name of the caller, and the violations of all stages: an assumed one hides no other.

        What is not `readable`, since it is encoded in a way that is not known here, is not looked at.
        """
        who = authentication.identify(self._by_form, self._anyone, operation, call)
        if isinstance(who, list):
            name, found = "", who
        else:
            name, found = who.name, [*self._unknown(operation, call), *self._team(operation, call, who)]
        given = call.values
        path = shape.parameters(self._contract, operation, given)
        found += [leniency.of_text(v, given.get(v.fault.pointer.removeprefix("/"))) for v in path]
        return name, found + (self._content(operation, call) if readable else [])

    def _unknown(self, operation: Operation, call: Call) -> list[Violation]:
        if self._known is None or not operation.secured or "auth-known" in self._contract.off:
            return []
        fault = authentication.auth_known(call.headers.get("Authorization"), self._known)
        return [Violation(self._contract.rule("auth-known"), fault)] if fault else []

    def _team(self, operation: Operation, call: Call, who: Caller) -> list[Violation]:
        team = authentication.team_of(self._contract, operation, call, who)
        given = call.headers.get(authentication.TEAM_FIELD, "")
        return [leniency.of_text(v, given) for v in team] if isinstance(team, list) else []

    def _content(self, operation: Operation, call: Call) -> list[Violation]:
        declared = leniency.media_type(call.headers.get("Content-Type"))
        found = [
            leniency.graded(violation, violation.rule.id == "body-media-type" and declared)
            for violation in self._reader.declared(operation, call)
        ]
        if call.size > self._max_body or any(violation.rule.grade != "assumed" for violation in found):
            return found
        value, wrong = self._reader.parsed(operation, call.raw)
        if wrong and wrong[0].rule.id != "body-json":
            found += wrong
            value, wrong = self._unbounded.parsed(operation, call.raw)
        if wrong:
            is_open = leniency.text(self._contract, operation, call)
            return found + [leniency.graded(violation, is_open) for violation in wrong]
        broken = shape.check(self._contract, operation.body, value, "body") if operation.body else []
        return found + leniency.of_values(self._contract, operation, value, broken)

    def answer(
        self, operation: Operation, call: Call, broken: list[Violation], reply: Reply
    ) -> list[Violation]:
        """What the answer to a call breaks; `broken` is what the call breaks."""
        found = self._status(operation, reply.status)
        if 200 <= reply.status < 300:
            found += _accepted(broken, reply.status)
        elif 400 <= reply.status < 500:
            found += _refused(broken, reply.status)
        return [v for v in found + self._body(operation, call, reply) if v.rule.id not in self._contract.off]

    def _status(self, operation: Operation, status: int) -> list[Violation]:
        seen = f"{status} {responses.phrase(status)}"
        if status >= 500 and status != _BUSY:
            return [Violation(SERVER_ERROR, Fault("answer", "", seen, "an answer that is no server error"))]
        if _declared(operation, status) is not None:
            return []
        there = ", ".join(map(str, operation.responses))
        return [Violation(STATUS, Fault("answer", "", seen, f"a declared status: {there}"))]

    def _body(self, operation: Operation, call: Call, reply: Reply) -> list[Violation]:
        key = _declared(operation, reply.status)
        key = str(operation.success) if key is None and 200 <= reply.status < 300 else key
        schema = self._schemas[operation.id].get(key or "")
        if schema is None or reply.body is None:
            return []
        found = []
        if reply.media_type.partition(";")[0].strip().lower() != responses.JSON:
            seen = shape.shown(reply.media_type) if reply.media_type else "no such header"
            found.append(Violation(MEDIA_TYPE, Fault("answer", "/Content-Type", seen, responses.JSON)))
        try:
            value = json.loads(reply.body)
        except (ValueError, RecursionError):
            rule = self._contract.rule((schema.node.get("x-rules") or {}).get("type", ""))
            return [*found, Violation(rule, Fault("answer", "", "no JSON", "a JSON object"))]
        return found + self._value(operation, call, schema, value)

    def _value(self, operation: Operation, call: Call, schema: Schema, value: Any) -> list[Violation]:
        found = shape.check(self._contract, schema, value, "answer")
        if found or operation.id not in _SAME:
            return found
        rule, parameter = _SAME[operation.id]
        asked, answered = call.values.get(parameter, ""), str(value.get("id"))
        if asked.lower() == answered.lower():
            return []
        fault = Fault("answer", "/id", shape.shown(answered), f"the id of the path, {shape.shown(asked)}")
        return [Violation(self._contract.rule(rule), fault)]


def _schemas(operation: Operation) -> list[tuple[str, Schema]]:
    """The schema of the JSON that is declared for a status, where a rule says it."""
    found = []
    for status, response in operation.responses.items():
        content = (response.get("content") or {}).get(responses.JSON) or {}
        node = content.get("schema") or {}
        if any(document.named_rules(node)):
            found.append((str(status), loader.schema(node, f"the answer {status} of {operation.id}")))
    return found


def _declared(operation: Operation, status: int) -> str | None:
    """The key under which the contract declares a status."""
    codes = {str(code).upper(): str(code) for code in operation.responses}
    return next((codes[key] for key in (str(status), f"{status // 100}XX", "DEFAULT") if key in codes), None)


def _accepted(broken: list[Violation], status: int) -> list[Violation]:
    """The rules that the call breaks and the deployment does not enforce."""
    seen = f"accepted with {status}"
    unenforced = {violation.rule.id: violation.rule for violation in broken}
    return [Violation(rule, Fault("answer", "", seen, "a refusal (4xx)")) for rule in unenforced.values()]


def _refused(broken: list[Violation], status: int) -> list[Violation]:
    """The one rule that the call breaks, where its status is documented and another was answered."""
    rules = {violation.rule.id: violation.rule for violation in broken}
    rule = next(iter(rules.values())) if len(rules) == 1 else STATUS
    if rule.status_grade in {"", "assumed"} or status in rule.status or status in _FIRST:
        return []
    wanted = " or ".join(map(str, rule.status))
    return [Violation(rule, Fault("answer", "", f"refused with {status}", f"refused with {wanted}"))]
