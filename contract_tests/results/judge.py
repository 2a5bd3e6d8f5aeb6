"""What an answer proves about one rule. Pure functions: no request is made here."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Literal
from uuid import UUID

from contract_tests.cases.model import Expect
from contract_tests.contract.rules import Rule
from contract_tests.targets.base import Reply, Unanswered

Outcome = Literal["passed", "violated", "inconclusive", "not observed"]

ANSWER_RULES = {"createContainer": "created", "updateContainer": "updated"}
SAME_ID = "the id is one that another create was answered"
_BUSY = (429, 503)
_NOT_THERE = (405, 501)


@dataclass(frozen=True, slots=True)
class Judgement:
    """The outcome of one case.

    ``rule`` is the rule it speaks of: mostly the case's own, but ``created`` or ``updated`` where an accepted
    request was answered wrongly. ``answer`` is what the target did, for rules where it may choose.
    """

    outcome: Outcome
    rule: str
    reason: str = ""
    received: str = ""
    expected: str = ""
    answer: str = ""
    server_error: bool = False


def judge(
    rule: Rule, expect: Expect, operation: str, reply: Reply | Unanswered, service: str | None = None
) -> Judgement:
    """Judge the answer to a request; ``service`` is the id of the path of an update."""
    received, expected = describe(reply), expectation(rule, expect)
    if isinstance(reply, Unanswered):
        return Judgement("inconclusive", rule.id, reply.reason, received, expected)
    if reply.status in _BUSY:
        return Judgement("inconclusive", rule.id, "the target was too busy to answer", received, expected)
    if reply.status >= 500:
        text = "a server error is never right"
        return Judgement("violated", rule.id, text, received, expected, "error", server_error=True)
    if reply.status in _NOT_THERE or 300 <= reply.status < 400 or reply.status < 200:
        return Judgement("inconclusive", rule.id, "neither accepted nor refused", received, expected)
    if reply.status < 300:
        wrong = wrong_answer(operation, reply, service)
        if wrong and expect != "refuse":
            right = 'a JSON object {"id": UUID}' + (f" with the id {service}" if service else "")
            return Judgement("violated", ANSWER_RULES[operation], wrong, received, right, "accepted")
        outcome: Outcome = "violated" if expect == "refuse" else "passed"
        return Judgement(outcome, rule.id, "accepted what the rule refuses", received, expected, "accepted")
    return _refused(rule, expect, operation, reply)


def _refused(rule: Rule, expect: Expect, operation: str, reply: Reply) -> Judgement:
    received, expected = describe(reply), expectation(rule, expect)

    def result(outcome: Outcome, reason: str = "") -> Judgement:
        return Judgement(outcome, rule.id, reason, received, expected, "refused")

    if expect == "open":
        return result("passed")
    if expect == "accept":
        if reply.status == 409 and operation == "createContainer" and reply.resent:
            return result(
                "inconclusive", "sent twice after a dropped connection; the first may have been stored"
            )
        return result("violated", "refused what the rule allows")
    if reply.status == 409 and operation == "createContainer" and rule.stage != "state":
        return result("inconclusive", "a 409 may be about the slug and proves no other refusal")
    if rule.exact_status and reply.status not in rule.exact_status:
        return result("violated", "refused with another status than the documented one")
    return result("passed")


def judge_reading(
    rule: Rule, shows: Iterable[tuple[str, Any]], reply: Reply | Unanswered, service: str | None = None
) -> Judgement:
    """Judge a read-back: every property of ``shows`` must have its value, and the id be that of the service."""
    wanted = dict(shows)
    expected = f"a read-back with {_short(json.dumps(wanted))}: {rule.statement}"
    if isinstance(reply, Unanswered) or not 200 <= reply.status < 300:
        return Judgement("inconclusive", rule.id, "the read-back did not answer", describe(reply), expected)
    stored = json_object(reply)
    if stored is None:
        return Judgement(
            "inconclusive", rule.id, "the read-back is no JSON object", describe(reply), expected
        )
    identifier = stored.get("id")
    if service is not None and isinstance(identifier, str) and identifier.lower() != service.lower():
        seen, right = f"a read-back with the id {identifier}", f"the id that the create answered, {service}"
        return Judgement("violated", "created", "the create answered another id", seen, right)
    different = [name for name, value in wanted.items() if not _same(stored.get(name), value)]
    seen = "a read-back with " + _short(json.dumps({name: stored.get(name) for name in different}))
    if different:
        return Judgement("violated", rule.id, f"{', '.join(different)} is not as it must be", seen, expected)
    return Judgement("passed", rule.id, received=seen, expected=expected)


def wrong_answer(operation: str, reply: Reply, service: str | None) -> str:
    """Say what is wrong with the body of a success, empty where nothing is."""
    if operation not in ANSWER_RULES:
        return ""
    body = json_object(reply)
    if body is None:
        return "the body is no JSON object"
    if not is_uuid(body.get("id")):
        return "the answer has no id that is a UUID"
    if service is not None and body["id"].lower() != service.lower():
        return "the id is not the one of the path"
    return ""


def answered_id(reply: Reply | Unanswered) -> str | None:
    """Return the id of a successful answer, None where it has none that can be used."""
    if isinstance(reply, Unanswered) or not 200 <= reply.status < 300:
        return None
    identifier = (json_object(reply) or {}).get("id")
    return identifier if isinstance(identifier, str) and identifier and identifier.isprintable() else None


def json_object(reply: Reply) -> dict[str, Any] | None:
    """Return the body as a JSON object, None where it is none."""
    try:
        body = json.loads(reply.body)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def is_uuid(value: object) -> bool:
    """Say whether a value is a UUID in the usual form of 36 characters, of whatever case and version."""
    try:
        return isinstance(value, str) and str(UUID(value)) == value.lower()
    except ValueError:
        return False


def describe(reply: Reply | Unanswered) -> str:
    """Return the answer in one line."""
    if isinstance(reply, Unanswered):
        return f"no answer: {reply.reason}"
    try:
        name = f"{reply.status} {HTTPStatus(reply.status).phrase}"
    except ValueError:
        name = str(reply.status)
    body = _short(" ".join(reply.body[:400].decode("utf-8", "replace").split()))
    return f"{name}, {body}" if body else f"{name}, no body"


def expectation(rule: Rule, expect: Expect) -> str:
    """Return in words what would have been right."""
    if expect == "open":
        return "accepted or refused as the deployment likes, but no server error"
    if expect == "accept":
        return f"accepted (2xx): {rule.statement}"
    statuses = " or ".join(map(str, rule.exact_status)) or "any 4xx"
    return f"refused ({statuses}): {rule.statement}"


def _same(stored: Any, wanted: Any) -> bool:
    if wanted is None:
        return stored in (None, "", [])
    if isinstance(wanted, str) and isinstance(stored, str) and is_uuid(wanted):
        return stored.lower() == wanted.lower()
    return type(stored) is type(wanted) and bool(stored == wanted)


def _short(text: str, most: int = 200) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
