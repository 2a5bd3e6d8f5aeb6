"""Mutants of a recorded response: its status, its headers and its body, with the place of each change."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from benchmarks.audit.json_operators import Pointer, mutate_body
from benchmarks.audit.model import Entry, Mutant, Place, RecordedCase, is_success

#: The statuses of HTTPMutator.
_STATUSES = {
    "R2XX": (200, 201, 202, 204),
    "R4XX": (400, 401, 403, 404, 409),
    "R5XX": (500, 501, 502, 503, 504),
}
_MEDIA_TYPES = (
    "application/xml",
    "text/plain",
    "text/html",
    "text/css",
    "text/javascript",
    "application/x-www-form-urlencoded",
)
_CHARSETS = ("UTF-8", "UTF-16", "UTF-32", "ISO-8859-15", "Latin-9")
_ANOTHER_ID = "0192f0c9-5b6c-7d8e-9fa0-b1c2d3e4f506"


Changed = tuple[str, str, Place, Mapping[str, Any]]


def iterate_mutants(cases: Iterable[RecordedCase]) -> Iterator[Mutant]:
    """Yield the mutants of recorded cases: of each the status, and once per kind of response all other parts.

    A success has one kind per operation, status, stage and expectation; a refusal has one per operation.
    """
    known = set()
    for recorded in cases:
        success = is_success(recorded.response)
        kind = (recorded.response["status"], recorded.stage, recorded.expect) if success else ()
        key = (recorded.method, *kind)
        changes = _mutate_status(recorded) if key in known else _mutate_response(recorded)
        known.add(key)
        for operator, variant, place, changed in changes:
            entries = recorded.with_response(changed)
            yield Mutant(operator, variant, place, recorded.own, recorded.case, entries)
        if success and recorded.method == "POST" and (second := _create_again(recorded)):
            entries = (*recorded.entries, second)
            yield Mutant(
                "+ID", "of an earlier create", "id of a create", recorded.own, recorded.case, entries
            )


def _mutate_response(recorded: RecordedCase) -> Iterator[Changed]:
    yield from _mutate_status(recorded)
    yield from _mutate_headers(recorded.response)
    yield from _mutate_content(recorded)


def _mutate_status(recorded: RecordedCase) -> Iterator[Changed]:
    response = recorded.response
    place: Place = "status of a success"
    if not is_success(response):
        exact = _lacks_required_team(recorded.entry)
        place = "documented status of a refusal" if exact else "status of a refusal"
    for operator, statuses in _STATUSES.items():
        for status in statuses:
            if status != response["status"]:
                yield operator, str(status), place, {**response, "status": status, "statusText": ""}


def _lacks_required_team(entry: Mapping[str, Any]) -> bool:
    """Return whether a user session names no team: the one refusal whose status a page documents."""
    names = {header["name"].lower() for header in entry["request"]["headers"]}
    return entry["request"].get("_callerKind") == "jwt" and "x-team-id" not in names


def _mutate_headers(response: Mapping[str, Any]) -> Iterator[Changed]:
    content_type = _find_header(response, "content-type")
    if content_type is not None:
        media_type, _, _ = content_type.partition(";")
        for other in _MEDIA_TYPES:
            if other != media_type:
                yield "CTC", other, "header", _with_header(response, "content-type", other)
        yield "CTD", "", "header", _with_header(response, "content-type", None)
        for charset in _CHARSETS:
            value = f"{media_type}; charset={charset}"
            yield "CPC", charset, "header", _with_header(response, "content-type", value)
        if "charset" in content_type:
            yield "CPD", "", "header", _with_header(response, "content-type", media_type)
    location = _find_header(response, "location")
    if location is not None:
        yield "LHC", "", "header", _with_header(response, "location", f"{location}/1764000000000")
        yield "LHD", "", "header", _with_header(response, "location", None)


def _mutate_content(recorded: RecordedCase) -> Iterator[Changed]:
    response = recorded.response
    text = response["content"].get("text", "")
    whole: Place = "body of a success" if is_success(response) else "body of a refusal"
    try:
        body = json.loads(text)
    except ValueError:
        body = None
    if body is not None:
        for change in mutate_body(body):
            place = _find_place(recorded, change.pointer)
            yield change.operator, change.variant, place, _with_text(response, json.dumps(change.body))
    yield "+BODY", "left out", whole, _with_text(response, "")
    if text:
        yield "+BODY", "cut in the middle", whole, _with_text(response, text[: len(text) // 2])
        yield "+BODY", "in an array", whole, _with_text(response, f"[{text}]")
        yield "+BODY", "with white space", whole, _with_text(response, f"\n  {text} \n")
    if is_success(response):
        place = _find_place(recorded, ("id",))
        yield "+ID", "other letter case", place, _with_id(response, body, body["id"].swapcase())
        yield "+ID", "another", place, _with_id(response, body, _ANOTHER_ID)


def _create_again(recorded: RecordedCase) -> Entry | None:
    """Return a create of another slug that has the same response, so the same id."""
    entry = recorded.entry
    data = entry["request"]["postData"]
    try:
        body = json.loads(data["text"])
    except ValueError:
        return None
    text = json.dumps({**body, "service_slug": "ck-another-slug"})
    request = {**entry["request"], "postData": {**data, "text": text}, "bodySize": len(text.encode())}
    return {**entry, "request": request}


def _find_place(recorded: RecordedCase, pointer: Pointer) -> Place:
    if not is_success(recorded.response):
        return "body of a refusal"
    if not pointer:
        return "body of a success"
    if pointer != ("id",):
        return "another property of a success"
    return "id of a create" if recorded.method == "POST" else "id of an update"


def _with_id(response: Mapping[str, Any], body: Any, identifier: str) -> Mapping[str, Any]:
    return _with_text(response, json.dumps({**body, "id": identifier}))


def _with_text(response: Mapping[str, Any], text: str) -> Mapping[str, Any]:
    """Return a response with another body, all of which is recorded."""
    size = len(text.encode())
    content = {**response["content"], "text": text, "size": size}
    return _with_header({**response, "content": content, "bodySize": size}, "content-length", str(size))


def _with_header(response: Mapping[str, Any], name: str, value: str | None) -> Mapping[str, Any]:
    """Return a response with another value of a header that it has, or without it."""
    kept = [header for header in response["headers"] if header["name"].lower() != name]
    changed = [{"name": name, "value": value}] if value is not None else []
    return {**response, "headers": [*kept, *changed]}


def _find_header(response: Mapping[str, Any], name: str) -> str | None:
    return next((one["value"] for one in response["headers"] if one["name"].lower() == name), None)
