"""Responses: a result or violations become status, headers and body. A refusal is an RFC 9457 problem document."""

import functools
import json
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, NamedTuple

import orjson

from mock_server.contract.model import Mismatch, Violation

JSON_TYPE = "application/json"
PROBLEM_TYPE = "application/problem+json"
_PHRASES = {413: "Content Too Large", 422: "Unprocessable Content"}


class Response(NamedTuple):
    """A response, and the violations that it reports.

    `ignored` are remarks about properties of the request without effect. `injected` is the source of a fault:
    `script`, `prefer`, `random`, or empty. `detail` is the reason of a problem document without violations.
    """

    status: int
    body: bytes
    media_type: str = JSON_TYPE
    headers: Mapping[str, str] = MappingProxyType({})
    violations: tuple[Violation, ...] = ()
    ignored: tuple[str, ...] = ()
    injected: str = ""
    detail: str = ""


class HandledResponse(NamedTuple):
    """A response, and the name of the caller if it is known."""

    response: Response
    caller: str = ""


def json_response(status: int, value: object) -> Response:
    """Return a JSON response."""
    return Response(status, encode_json(value))


def encode_json(value: object) -> bytes:
    """Return the value as JSON in UTF-8."""
    try:
        return orjson.dumps(value)
    except TypeError:  # half a surrogate pair, or an integer of more than 64 bits
        return json.dumps(value).encode()


def refusal_response(
    violations: Iterable[Violation], status: int | None = None, form: str = "problem"
) -> Response:
    """Return the refusal for the violations of one stage; the first one decides the status, if none is given.

    `form` is an option of the choice `error-body`.
    """
    found = tuple(violations)
    status = status or (found[0].rule.status or (400,))[0]
    sentences = [_violation_sentence(violation.mismatch) for violation in found]
    refusal = problem_response(status, "; ".join(sentences), found)
    if form == "problem":
        return refusal
    media_type, encode = _OTHER_FORMS[form]
    return refusal._replace(body=encode(sentences), media_type=media_type)


_OTHER_FORMS: dict[str, tuple[str, Callable[[list[str]], bytes]]] = {
    "json": (JSON_TYPE, lambda sentences: encode_json({"errors": sentences})),
    "text": ("text/plain; charset=utf-8", lambda sentences: "\n".join(sentences).encode("utf-8", "replace")),
    "empty": ("text/plain; charset=utf-8", lambda _: b""),
}


def problem_response(
    status: int, detail: str, violations: tuple[Violation, ...] = (), headers: Mapping[str, str] | None = None
) -> Response:
    """Return a problem document."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": reason_phrase(status),
        "status": status,
        "detail": detail,
    }
    if violations:
        body["violations"] = [violation_to_json(violation) for violation in violations]
    challenge = {"WWW-Authenticate": "Bearer"} if status == HTTPStatus.UNAUTHORIZED else {}
    named = {**challenge, **(headers or {})}
    reason = "" if violations else detail
    return Response(status, encode_json(body), PROBLEM_TYPE, named, violations, detail=reason)


@functools.cache
def reason_phrase(status: int) -> str:
    """Return the phrase of a status, or `Error` for an unknown one."""
    try:
        return _PHRASES.get(status) or HTTPStatus(status).phrase
    except ValueError:
        return "Error"


def violation_to_json(violation: Violation) -> dict[str, str]:
    """Return the violation as it stands in a problem document and in the journal."""
    rule, (location, pointer, actual, expected) = violation
    return {
        "rule": rule.id,
        "grade": rule.grade,
        "in": location,
        "pointer": pointer,
        "actual": actual,
        "expected": expected,
    }


def response_headers(response: Response) -> list[tuple[str, str]]:
    """Return the header fields of a response."""
    named = {"Content-Type": response.media_type, "Content-Length": str(len(response.body))}
    return list({**named, **response.headers}.items())


def _violation_sentence(mismatch: Mismatch) -> str:
    location, pointer, actual, expected = mismatch
    name = pointer[1:].replace("~1", "/").replace("~0", "~")
    place = name or ("the body" if location == "body" else "the service")
    return f"{place}: got {actual}, expected {expected}"
