"""What the reference pages leave open: a violation that touches such a point is no more than assumed.

The mock decides each of these points (see docs/architecture.md); a deployment may rightly decide otherwise.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from mock_server.contract.model import Contract, Operation, Violation
from mock_server.validation import schema
from mock_server.validation.request import Request


def downgrade_if_open(violation: Violation, is_open: bool) -> Violation:
    """The violation, with the grade `assumed` where it touches what is open."""
    return violation._replace(rule=replace(violation.rule, grade="assumed")) if is_open else violation


def is_open_media_type(given: str | None) -> bool:
    """Whether a type is read as JSON that is not declared, is another kind of JSON, or names a charset."""
    essence = (given or "").partition(";")[0].strip().lower()
    return not essence or essence == "application/json" or essence.endswith("+json")


def is_open_text(contract: Contract, operation: Operation, request: Request) -> bool:
    """Whether an empty body is read as `{}`, and JSON in another encoding as JSON."""
    if not request.raw_body:
        return operation.body is None or not schema.check_value(contract, operation.body, {}, "body")
    return _is_json(request.raw_body) or _is_json(request.raw_body.decode("latin-1"))


def _is_json(source: bytes | str) -> bool:
    try:
        json.loads(source, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return False
    return True


def _refuse_constant(constant: str) -> None:
    raise ValueError(constant)


def relax_body(
    contract: Contract, operation: Operation, value: Any, found: list[Violation]
) -> list[Violation]:
    """The violations of a body; a null may be read as if it were not there, and what is needed then is not."""
    if operation.body is None:
        return found
    rest = schema.check_value(contract, operation.body, _without_nulls(value), "body")
    needed = {violation.mismatch.pointer for violation in rest if violation.rule.grade != "assumed"}
    return [
        downgrade_if_open(v, _is_open(v, _resolve_pointer(value, v.mismatch.pointer), needed)) for v in found
    ]


def relax_parameter(violation: Violation, value: object) -> Violation:
    """The violation of a parameter."""
    return downgrade_if_open(violation, _is_open(violation, value, set()))


def _is_open(violation: Violation, value: object, needed: set[str]) -> bool:
    pointer = violation.mismatch.pointer
    if value is None:
        return not any(place == pointer or place.startswith(f"{pointer}/") for place in needed)
    reading = _READINGS.get(violation.rule.id)
    return reading is not None and isinstance(value, str) and reading(value)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(item) for name, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value if item is not None]
    return {} if value is None else value


def _resolve_pointer(value: Any, pointer: str) -> object:
    """The value at a pointer; what is not there is no null."""
    for part in pointer.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(value, list):
            value = value[int(name)]
        elif isinstance(value, dict) and name in value:
            value = value[name]
        else:
            return _resolve_pointer
    return value


def _is_uuid(value: str) -> bool:
    """A UUID in whatever form: braces, `urn:uuid:`, no hyphens."""
    try:
        return bool(UUID(value))
    except ValueError:
        return False


def _is_uri(value: str) -> bool:
    """A scheme and a host that anyone can tell apart; parsers differ about the rest."""
    try:
        parts = urlsplit(value)
        return bool(parts.scheme) and parts.port is not False and not {" ", "<"} & set(parts.netloc)
    except ValueError:
        return False


_READINGS: dict[str, Callable[[str], bool]] = {
    "external-url-format": _is_uri,
    "external-credential-format": _is_uuid,
    "service-id-format": _is_uuid,
    "team-uuid": _is_uuid,
}
