"""Leniency: a violation of a point that the reference pages leave open gets the grade `assumed`.

The mock decides each of these points (see docs/architecture.md); a deployment may decide otherwise.
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
    """Return the violation, with the grade `assumed` if its point is open."""
    return violation._replace(rule=replace(violation.rule, grade="assumed")) if is_open else violation


def is_open_media_type(header: str | None) -> bool:
    """Return whether a deployment may read a body with this `Content-Type` as JSON."""
    essence = (header or "").partition(";")[0].strip().lower()
    return not essence or essence == "application/json" or essence.endswith("+json")


def is_open_text(contract: Contract, operation: Operation, request: Request) -> bool:
    """Return whether a deployment may read a body as JSON: an empty one as `{}`, or in another encoding."""
    if not request.raw_body:
        return operation.body is None or not schema.check_value(contract, operation.body, {}, "body")
    return _is_json(request.raw_body) or _is_json(request.raw_body.decode("latin-1"))


def _is_json(text: bytes | str) -> bool:
    try:
        json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return False
    return True


def _refuse_constant(constant: str) -> None:
    raise ValueError(constant)


def relax_body(
    contract: Contract, operation: Operation, value: Any, found: list[Violation]
) -> list[Violation]:
    """Return the violations of a body, relaxed: a deployment may ignore a property that is null."""
    if operation.body is None:
        return found
    without_nulls = schema.check_value(contract, operation.body, _without_nulls(value), "body")
    certain = {v.mismatch.pointer for v in without_nulls if v.rule.grade != "assumed"}
    return [
        downgrade_if_open(v, _is_open(v, _resolve_pointer(value, v.mismatch.pointer), certain)) for v in found
    ]


def relax_parameter(violation: Violation, value: object) -> Violation:
    """Return the violation of a parameter, relaxed."""
    return downgrade_if_open(violation, _is_open(violation, value, set()))


def _is_open(violation: Violation, value: object, certain: set[str]) -> bool:
    """Return whether a violation is open; `certain` are pointers of violations that remain without nulls."""
    pointer = violation.mismatch.pointer
    if value is None:
        return not any(other == pointer or other.startswith(f"{pointer}/") for other in certain)
    accepts = _LENIENT_FORMATS.get(violation.rule.id)
    return accepts is not None and isinstance(value, str) and accepts(value)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(item) for name, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value if item is not None]
    return {} if value is None else value


def _resolve_pointer(value: Any, pointer: str) -> object:
    """Return the value at a pointer, or a value other than None if it is missing."""
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
    """Return whether a text is a UUID in any form: with braces, `urn:uuid:` or no hyphens."""
    try:
        return bool(UUID(value))
    except ValueError:
        return False


def _is_uri(value: str) -> bool:
    """Return whether a text has a scheme and a valid host; parsers differ about the rest."""
    try:
        parts = urlsplit(value)
        return bool(parts.scheme) and parts.port is not False and not {" ", "<"} & set(parts.netloc)
    except ValueError:
        return False


_LENIENT_FORMATS: dict[str, Callable[[str], bool]] = {
    "external-url-format": _is_uri,
    "external-credential-format": _is_uuid,
    "service-id-format": _is_uuid,
    "team-uuid": _is_uuid,
}
