"""The rules that one whole request breaks or concerns: its headers, path and body, without stored state.

Recorders of other programs may leave out or replace ``Authorization``, to keep the token secret. This kit keeps the
header and replaces only the token, so more can be said about its own requests.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from contract_tests.cases.model import Case, Expect, OperationId, Step
from contract_tests.contract.files.json_text import parse_json
from contract_tests.generation.oracle import PROPERTY_NAMES, predict
from contract_tests.generation.rounds import relabel_case
from contract_tests.results.judge import SUCCESS_RULES, is_uuid, read_int
from contract_tests.results.recorded.recording import RecordedCall
from contract_tests.targets.exchange import REDACTED

Remark = tuple[str, str]  # ("broken" or "open", rule id)

#: Levels of nesting: more may be refused; more are not read here; more must be refused.
_USUAL_DEPTH, _READABLE_DEPTH, _MAX_DEPTH = 20, 100, 999
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_ESCAPED_ODD_CHARACTER = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
_ODD_CHARACTER = re.compile("[\x00\ud800-\udfff]")
_NOT_JSON = object()


@dataclass(frozen=True, slots=True)
class RequestReading:
    """What a request shows: ``broken`` rules in the order in which a server checks them, and the parsed body.

    ``concerned`` are the rules in question while none is broken, the likeliest first.
    """

    broken: tuple[str, ...]
    concerned: tuple[str, ...]
    expect: Expect
    body: Any = None


def read_rules(call: RecordedCall, stored_type: str) -> RequestReading:
    """Return the rules that a whole request breaks or concerns; ``stored_type`` is that of the service it updates."""
    raw = call.request.body or b""
    depth = _measure_depth(raw.decode("utf-8", "replace"))
    body = parse_body(raw) if depth <= _READABLE_DEPTH else _NOT_JSON
    remarks = [*_check_around(call), *_check_body(call.operation, raw, body, depth)]
    concerned = [rule for kind, rule in remarks if kind == "open"]
    broken = [rule for kind, rule in remarks if kind == "broken"]
    is_open = bool(concerned)
    if body is not _NOT_JSON:
        prediction = predict(call.operation, body, stored_type)
        broken += sorted(prediction.broken_rules)
        is_open = is_open or prediction.expect == "open"
        concerned += _list_concerned(call.operation, body)
    expect: Expect = "refuse" if broken else "open" if is_open else "accept"
    return RequestReading(
        broken=tuple(dict.fromkeys(broken)),
        concerned=tuple(dict.fromkeys(concerned)),
        expect=expect,
        body=None if body is _NOT_JSON else body,
    )


def parse_body(raw: bytes) -> Any:
    """Return the body as a JSON value, or a value of its own if it is not JSON in UTF-8."""
    try:
        return parse_json(raw.decode(), parse_constant=_refuse_constant, parse_int=read_int)
    except ValueError:
        return _NOT_JSON


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def _check_around(call: RecordedCall) -> Iterator[Remark]:
    """Check everything except the body."""
    headers = {name.lower(): value for name, value in call.request.headers}
    yield from _check_authorization(headers.get("authorization"), call)
    yield from _check_team(headers.get("x-team-id"), call)
    if call.service is not None and not is_uuid(call.service):
        yield ("open" if _is_other_uuid(call.service) else "broken"), "service-id-format"
    yield from _check_media_type(headers.get("content-type"))


def _check_authorization(value: str | None, call: RecordedCall) -> Iterator[Remark]:
    if value is None:
        if call.own:  # other recorders leave the header out, to keep the token secret
            yield "broken", "auth-required"
        return
    scheme, _, token = value.strip().partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        if call.own or scheme.lower() == "basic":
            yield "broken", "auth-bearer"
        return
    if call.own and token.strip() != REDACTED:
        yield "broken", "auth-known"
    elif call.caller_kind == "ak":
        yield "broken", "auth-agent"
    if scheme != "Bearer":
        yield "open", "auth-bearer"


def _check_team(value: str | None, call: RecordedCall) -> Iterator[Remark]:
    if call.caller_kind != "jwt":
        return
    if value is None:
        yield "broken", "team-required-for-jwt"
    elif not is_uuid(value):
        yield ("open" if _is_other_uuid(value) else "broken"), "team-uuid"


def _check_media_type(value: str | None) -> Iterator[Remark]:
    if value is None:
        yield "open", "body-media-type"
        return
    media_type, _, parameters = (part.strip().lower() for part in value.partition(";"))
    if media_type != "application/json" and not media_type.endswith("+json"):
        yield "broken", "body-media-type"
    elif media_type != "application/json" or parameters:
        yield "open", "body-media-type"


def _check_body(operation: OperationId, raw: bytes, body: Any, depth: int) -> Iterator[Remark]:
    """Check the bytes of a body: UTF-8, JSON, nesting, repeated keys, characters."""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        yield "open", "body-json"
        return
    if depth > _USUAL_DEPTH:
        yield ("broken" if depth > _MAX_DEPTH else "open"), "body-depth"
    elif body is _NOT_JSON:
        empty = not raw and operation == "updateContainer"
        yield ("open" if empty else "broken"), "body-json"
    elif _repeats_key(text):
        yield "broken", "body-keys"
    if _ESCAPED_ODD_CHARACTER.search(text) or "\0" in text:
        values = [v for k, v in body.items() if k in PROPERTY_NAMES] if isinstance(body, dict) else []
        odd = any(isinstance(value, str) and _ODD_CHARACTER.search(value) for value in values)
        yield ("broken" if odd else "open"), "body-text"


def _measure_depth(text: str) -> int:
    depth = deepest = 0
    for character in _STRING.sub("", text):
        if character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth -= 1
    return deepest


def _repeats_key(text: str) -> bool:
    repeated: list[bool] = []

    def build_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        built = dict(pairs)
        repeated.append(len(built) < len(pairs))
        return built

    json.loads(text, object_pairs_hook=build_object, parse_int=read_int)
    return any(repeated)


def _list_concerned(operation: OperationId, body: Any) -> list[str]:
    """Return the rules that a body concerns: first the one that generated cases name, then one per property."""
    rules = [_relabel(operation, body)]
    if isinstance(body, dict):
        if rules == [SUCCESS_RULES[operation]] and not body.keys() <= PROPERTY_NAMES:
            rules.insert(0, "unknown-properties-ignored")
        single = [_relabel("updateContainer", {name: None}) for name in body if name in PROPERTY_NAMES]
        rules += [rule for rule in single if rule.endswith("-type")]
    return rules


def _relabel(operation: OperationId, body: Any) -> str:
    return relabel_case(Case("", "", "wire", (Step(operation),)), body).rule


def _is_other_uuid(value: str) -> bool:
    """Return whether a text is a UUID in another form than the usual one."""
    try:
        UUID(value)
    except ValueError:
        return False
    return True
