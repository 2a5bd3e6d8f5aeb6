"""Violations, or a result, become status, headers and body; a refusal is RFC 9457 problem details."""

import functools
import json
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, NamedTuple

import orjson

from mock_server.contract.loader import Fault, Violation

JSON = "application/json"
PROBLEM = "application/problem+json"
_PHRASES = {413: "Content Too Large", 422: "Unprocessable Content"}


class Answer(NamedTuple):
    """What goes back over the wire, and the violations that it tells."""

    status: int
    body: bytes
    media_type: str = JSON
    headers: Mapping[str, str] = MappingProxyType({})
    violations: tuple[Violation, ...] = ()


def success(status: int, value: object) -> Answer:
    """A result as JSON."""
    return Answer(status, encoded(value))


def encoded(value: object) -> bytes:
    """A value as JSON in UTF-8."""
    try:
        return orjson.dumps(value)
    except TypeError:  # half a surrogate pair, or an integer of more than 64 bits
        return json.dumps(value).encode()


def refusal(violations: Iterable[Violation]) -> Answer:
    """The violations of one stage; the status is that of the first."""
    found = tuple(violations)
    status = (found[0].rule.status or (400,))[0]
    return problem(status, "; ".join([_sentence(violation.fault) for violation in found]), found)


def problem(
    status: int, detail: str, violations: tuple[Violation, ...] = (), headers: Mapping[str, str] | None = None
) -> Answer:
    """A problem document."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": phrase(status),
        "status": status,
        "detail": detail,
    }
    if violations:
        body["violations"] = [told(violation) for violation in violations]
    challenge = {"WWW-Authenticate": "Bearer"} if status == HTTPStatus.UNAUTHORIZED else {}
    return Answer(status, encoded(body), PROBLEM, {**challenge, **(headers or {})}, violations)


@functools.cache
def phrase(status: int) -> str:
    """The status in words."""
    try:
        return _PHRASES.get(status) or HTTPStatus(status).phrase
    except ValueError:
        return "Error"


def told(violation: Violation) -> dict[str, str]:
    """A violation as JSON."""
    rule, (where, pointer, seen, wanted) = violation
    return {
        "rule": rule.id,
        "grade": rule.grade,
        "in": where,
        "pointer": pointer,
        "seen": seen,
        "wanted": wanted,
    }


def _sentence(fault: Fault) -> str:
    where, pointer, seen, wanted = fault
    name = pointer[1:].replace("~1", "/").replace("~0", "~")
    place = name or ("the body" if where == "body" else "the service")
    return f"{place}: seen {seen}, wanted {wanted}"
