"""Judge: decides what a response proves about one rule. Pure functions that send nothing."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Literal
from uuid import UUID

from contract_tests.cases.model import Expect
from contract_tests.contract.files.json_text import TooDeepError, parse_json
from contract_tests.contract.rules import Rule
from contract_tests.targets.base import BUSY_STATUSES, NoResponse, Response, is_success

Outcome = Literal["passed", "violated", "inconclusive", "not observed"]
Difference = tuple[str, str, str]  # property, value received, value expected

SUCCESS_RULES = {"createContainer": "created", "updateContainer": "updated"}
REPEATED_ID = "the response has the id of another service"
ANOTHER_ID = "the create returned another id"
NO_ID = "the response has no id that is a UUID"
#: Reasons after which requests by id prove nothing.
ID_ERRORS = (REPEATED_ID, ANOTHER_ID, NO_ID)
SETUP_FAILED = "an earlier request of this case got an unexpected response"
HOOK_FAILED = "the control hook failed"
REDIRECTED = "a valid request was redirected"
SERVER_ERROR = "a server error is never correct"
_UNSUPPORTED_STATUS = 405
#: A response with one of these has no content, whatever was recorded as such (RFC 9110, 15.3.5 and 15.3.6).
_STATUSES_WITHOUT_CONTENT = (204, 205)
_MAX_DIGITS = 1000
_MAX_ID = 255  # a longer one is no part of a path
_MAX_VALUE = 200  # characters of a value that is shown


@dataclass(frozen=True, slots=True)
class Judgement:
    """The outcome of one case.

    ``rule`` is usually the case's own, but ``created`` or ``updated`` where the response to an accepted request
    is wrong. ``reaction`` is ``accepted``, ``refused`` or ``error``, where that is known. ``differences`` are
    the wrong properties of a read-back.
    """

    outcome: Outcome
    rule: str
    reason: str = ""
    received: str = ""
    expected: str = ""
    reaction: str = ""
    server_error: bool = False
    differences: tuple[Difference, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the judgement as plain JSON values."""
        return {
            "outcome": self.outcome,
            "rule": self.rule,
            "reason": self.reason,
            "received": self.received,
            "expected": self.expected,
            "answer": self.reaction,
            "server_error": self.server_error,
            "differences": [list(difference) for difference in self.differences],
        }


def judgement_from_json(data: Mapping[str, Any]) -> Judgement:
    """Return the judgement that ``to_json`` wrote; raise TypeError for anything else."""
    fields = {"reaction" if key == "answer" else key: value for key, value in data.items()}
    fields["differences"] = tuple((name, got, wanted) for name, got, wanted in fields.get("differences", ()))
    return Judgement(**fields)


def judge_response(
    rule: Rule, expect: Expect, operation: str, response: Response | NoResponse, service: str | None = None
) -> Judgement:
    """Judge the response to a request; ``service`` is the id in the path of an update."""
    received, expected = describe_response(response), describe_expectation(rule, expect)
    if isinstance(response, NoResponse):
        return Judgement("inconclusive", rule.id, response.reason, received, expected)
    if response.status in BUSY_STATUSES:
        return Judgement("inconclusive", rule.id, "the target was too busy to respond", received, expected)
    if response.status >= 500:
        return Judgement("violated", rule.id, SERVER_ERROR, received, expected, "error", server_error=True)
    if expect == "accept" and 300 <= response.status < 400:
        return Judgement("violated", SUCCESS_RULES[operation], REDIRECTED, received, expected, "error")
    if response.status == _UNSUPPORTED_STATUS or 300 <= response.status < 400 or response.status < 200:
        return Judgement("inconclusive", rule.id, "neither accepted nor refused", received, expected)
    if response.status < 300:
        error = find_success_error(operation, response, service, any_form=expect == "open")
        # A deployment may accept what an assumed rule refuses, but then answers as to every accepted request.
        if error and (expect != "refuse" or rule.grade == "assumed"):
            correct = 'a JSON object {"id": UUID}' + (f" with the id {service}" if service else "")
            return Judgement("violated", SUCCESS_RULES[operation], error, received, correct, "accepted")
        if expect == "refuse":
            reason = "accepted a request that breaks this rule"
            return Judgement("violated", rule.id, reason, received, expected, "accepted")
        return Judgement("passed", rule.id, "", received, expected, "accepted")
    return _judge_refusal(rule, expect, operation, response)


def _judge_refusal(rule: Rule, expect: Expect, operation: str, response: Response) -> Judgement:
    received, expected = describe_response(response), describe_expectation(rule, expect)

    def build_judgement(outcome: Outcome, reason: str = "") -> Judgement:
        return Judgement(outcome, rule.id, reason, received, expected, "refused")

    if expect == "open":
        return build_judgement("passed")
    if expect == "accept":
        if operation == "createContainer" and response.resent:  # no page says how a taken slug is refused
            return build_judgement(
                "inconclusive",
                "sent again after a lost connection or a 503; the first request may have been stored",
            )
        return build_judgement("violated", "refused a request that this rule allows")
    if rule.exact_status and response.status not in rule.exact_status:
        return build_judgement("violated", "refused with another status than the documented one")
    about_the_slug = rule.stage == "state" or rule.kind == "effect"
    if response.status == 409 and operation == "createContainer" and not about_the_slug:
        return build_judgement("inconclusive", "a 409 may be about the slug and proves no other refusal")
    return build_judgement("passed")


def judge_readback(
    rule: Rule, shows: Iterable[tuple[str, Any]], response: Response | NoResponse, service: str | None = None
) -> Judgement:
    """Judge a read-back: each property of ``shows`` must have its value, and the id must be the service's."""
    wanted = dict(shows)
    expected = f"a read-back with {_shorten(json.dumps(wanted))}: {rule.statement}"
    received = describe_response(response)
    if not is_success(response):
        return Judgement("inconclusive", rule.id, "the read-back failed", received, expected)
    stored = parse_json_object(response)
    if stored is None:
        reason = f"the read-back is {_explain_unreadable(response)}"
        return Judgement("inconclusive", rule.id, reason, received, expected)
    identifier = stored.get("id")
    if service is not None and isinstance(identifier, str) and identifier.lower() != service.lower():
        about_the_slug = rule.id in ("slug-immutable", "slug-unique")
        return Judgement(
            "violated",
            rule.id if about_the_slug else "created",
            "the slug shows another service" if about_the_slug else ANOTHER_ID,
            f"a read-back with the id {identifier}",
            f"the id that the create returned, {service}",
            differences=(("id", identifier, service),),
        )
    different = [name for name, value in wanted.items() if not _is_same_value(stored.get(name), value)]
    found = "a read-back with " + _shorten(json.dumps({name: stored.get(name) for name in different}))
    if different:
        differences = tuple((n, _describe_stored(stored, n), _describe_value(wanted[n])) for n in different)
        reason = _describe_difference(rule)
        return Judgement("violated", rule.id, reason, found, expected, differences=differences)
    return Judgement("passed", rule.id, received="the expected read-back", expected=expected)


def _describe_difference(rule: Rule) -> str:
    """Return the reason of a wrong read-back, the same for all properties, so that one cause is one finding."""
    if rule.id == "update-keeps-omitted":
        return "changed although the update left it out"
    return "the read-back shows another value"


def _describe_stored(stored: Mapping[str, Any], name: str) -> str:
    return _describe_value(stored[name]) if name in stored else "absent"


def _describe_value(value: Any) -> str:
    """Return a value as JSON; a long one is cut, with the length that it has."""
    text = json.dumps(value, ensure_ascii=False)
    size = len(value if isinstance(value, str) else text)
    return text if len(text) <= _MAX_VALUE else f"{text[:_MAX_VALUE]}… ({size:,} characters)"


def find_success_error(
    operation: str, response: Response, service: str | None, *, any_form: bool = False
) -> str:
    """Return the error in the body of a success, or an empty string.

    With ``any_form``, the id may have any form of a UUID: a target that takes one in a path may repeat it.
    """
    if operation not in SUCCESS_RULES:
        return ""
    body = parse_json_object(response)
    if body is None:
        return f"the body is {_explain_unreadable(response)}"
    normalize = _normalize_uuid if any_form else str
    identifier = normalize(str(body.get("id")))
    if not is_uuid(identifier):
        return NO_ID
    if service is not None and identifier.lower() != normalize(service).lower():
        return "the id is not the one in the path"
    return ""


def read_id(response: Response | NoResponse) -> str | None:
    """Return the id in a successful response, or None if it has no usable one."""
    if not is_success(response):
        return None
    identifier = (parse_json_object(response) or {}).get("id")
    usable = isinstance(identifier, str) and 0 < len(identifier) <= _MAX_ID and identifier.isprintable()
    return identifier if usable else None


def parse_json_object(response: Response) -> dict[str, Any] | None:
    """Return the body as a JSON object, or None if it is something else."""
    try:
        body = _load_json(response)
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _explain_unreadable(response: Response) -> str:
    """Return why ``parse_json_object`` has no object."""
    try:
        _load_json(response)
    except TooDeepError:
        return "nested too deeply to read"
    except ValueError:
        pass
    return "not a JSON object"


def _load_json(response: Response) -> Any:
    content = b"" if response.status in _STATUSES_WITHOUT_CONTENT else response.body
    text = content.decode("utf-8-sig")  # a reader may ignore the mark (RFC 8259, 8.1)
    return parse_json(text, parse_constant=_refuse_constant, parse_int=read_int)


def _refuse_constant(name: str) -> None:
    """Raise ValueError for NaN and Infinity, which Python reads, and which are not JSON."""
    raise ValueError(f"{name} is not JSON")


def read_int(digits: str) -> int | float:
    """Return an integer, infinite if it is long; Python refuses those of thousands of digits, which JSON allows."""
    return int(digits) if len(digits) < _MAX_DIGITS else float(digits)


def is_uuid(value: object) -> bool:
    """Return whether a value is a UUID in its usual form of 36 characters, in any case and version."""
    try:
        return isinstance(value, str) and str(UUID(value)) == value.lower()
    except ValueError:
        return False


def _normalize_uuid(text: str) -> str:
    """Return a UUID in another form, as in braces or after ``urn:uuid:``, in its usual form; else the text."""
    try:
        return str(UUID(text))
    except ValueError:
        return text


def describe_response(response: Response | NoResponse) -> str:
    """Return the response in one line."""
    if isinstance(response, NoResponse):
        return f"no response: {response.reason}"
    try:
        name = f"{response.status} {HTTPStatus(response.status).phrase}"
    except ValueError:
        name = str(response.status)
    body = _shorten(" ".join(response.body[:400].decode("utf-8", "replace").split()))
    return f"{name}, {body}" if body else f"{name}, no body"


def describe_expectation(rule: Rule, expect: Expect) -> str:
    """Return the correct reaction in words."""
    if expect == "open":
        return "accepted or refused, as the deployment chooses, but no server error"
    if expect == "accept":
        return f"accepted (2xx): {rule.statement}"
    statuses = " or ".join(map(str, rule.exact_status)) or "any 4xx"
    return f"refused ({statuses}): {rule.statement}"


def _is_same_value(stored: Any, wanted: Any) -> bool:
    """Return whether a read-back shows a value: an empty one may look absent, and 8080 like 8080.0."""
    if wanted in (None, "", []):
        return stored in (None, "", [])
    if isinstance(wanted, dict) and isinstance(stored, dict):
        return all(_is_same_value(stored.get(name), value) for name, value in wanted.items())
    if isinstance(wanted, list) and isinstance(stored, list):
        return len(wanted) == len(stored) and all(map(_is_same_value, stored, wanted))
    if isinstance(wanted, str) and isinstance(stored, str) and is_uuid(wanted):
        return stored.lower() == wanted.lower()
    return isinstance(stored, bool) == isinstance(wanted, bool) and bool(stored == wanted)


def _shorten(text: str, limit: int = 200) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
