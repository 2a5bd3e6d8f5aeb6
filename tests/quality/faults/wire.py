"""Faults in what comes over the wire: media types, JSON, paths, answers."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from uuid import uuid4

from mock_server.services.model import Store
from tests.support.gate.messages import (
    CRASHED,
    Interceptor,
    Request,
    Response,
    Send,
)
from tests.support.gate.planting import (
    Fault,
    answers,
    crashes,
    fault,
    remembering,
)

_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def _declared(operation: str, *types: str) -> Interceptor:
    """Takes bodies of other media types for JSON."""

    def intercept(request: Request, send: Send) -> Response:
        if request.operation in (operation or request.operation) and request.header("Content-Type") in types:
            return send(request.with_header("Content-Type", "application/json"))
        return send(request)

    return intercept


def _malformed(request: Request) -> bool:
    if not request.operation or not request.raw:
        return False
    try:
        json.loads(request.raw)
    except ValueError:
        return True
    except RecursionError:
        return False
    return False


def _mended(mend: Callable[[str], str], operation: str = "") -> Interceptor:
    """Reads what is nearly JSON as what was probably meant."""

    def intercept(request: Request, send: Send) -> Response:
        if _malformed(request) and request.operation in (operation or request.operation):
            return send(request.with_raw(mend(request.raw.decode("utf-8", "replace")).encode()))
        return send(request)

    return intercept


def _first_value(text: str) -> str:
    try:
        return json.dumps(json.JSONDecoder().raw_decode(text)[0])
    except ValueError:
        return text


def _without_comments(text: str) -> str:
    return re.sub(r"/\*.*?\*/", "", text)


def _without_last_comma(text: str) -> str:
    return re.sub(r",\s*}", "}", text)


def _closed(text: str) -> str:
    return text + "}" if not text.rstrip().endswith("}") and text.startswith("{") else text


def _nan(request: Request, send: Send) -> Response:
    return send(request.with_raw(request.raw.replace(b": NaN", b": 80")) if request.operation else request)


def _as_object(operation: str, *values: object) -> Interceptor:
    """Takes some bodies that are no objects for one."""

    def intercept(request: Request, send: Send) -> Response:
        if request.operation != operation:
            return send(request)
        if request.value in values:
            return send(request.with_body({}))
        first = request.value[0] if isinstance(request.value, list) and request.value else None
        return send(request.with_body(first)) if isinstance(first, dict) else send(request)

    return intercept


def _depth(request: Request) -> int:
    return request.raw.count(b"[") + request.raw.count(b"{")


def _holds(*parts: bytes) -> Callable[[Request], bool]:
    return lambda request: request.operation != "" and any(part in request.raw for part in parts)


def _on(operation: str, when: Callable[[Request], bool]) -> Callable[[Request], bool]:
    return lambda request: request.operation == operation and when(request)


def _other_type(request: Request) -> bool:
    return request.operation != "" and "json" not in (request.header("Content-Type") or "json")


def _latin(request: Request) -> bool:
    try:
        request.raw.decode("utf-8")
    except UnicodeDecodeError:
        return True
    return False


def _no_object(request: Request) -> bool:
    return request.operation != "" and isinstance(request.value, list | str | int)


MESSAGES: tuple[Fault, ...] = (
    fault("text-plain-taken", "body-media-type", _declared("", "text/plain")),
    fault("form-taken-on-create", "body-media-type", _declared("create", "application/x-www-form-urlencoded")),
    fault("any-type-taken-on-update", "body-media-type", _declared("update", "text/plain", "application/xml")),
    fault("text-after-json-taken", "body-json", _mended(_first_value)),
    fault("text-after-json-taken-on-update", "body-json", _mended(_first_value, "update")),
    fault("comment-taken", "body-json", _mended(_without_comments)),
    fault("trailing-comma-taken", "body-json", _mended(_without_last_comma)),
    fault("cut-off-json-taken-on-update", "body-json", _mended(_closed, "update")),
    fault("nan-taken", "body-json", _nan),
    fault("malformed-is-empty-on-update", "body-json", _mended(lambda _text: "{}", "update")),
    fault("array-of-one-taken-on-create", "body-object", _as_object("create")),
    fault("empty-array-taken-on-update", "body-object", _as_object("update", [])),
    fault("text-taken-on-update", "body-object", _as_object("update", "text")),
    fault("malformed-json-crashes", "body-json", crashes(_malformed)),
    fault("malformed-json-crashes-on-update", "body-json", crashes(_on("update", _malformed))),
    fault("no-utf-8-crashes", "body-json", crashes(_latin)),
    fault("empty-body-crashes", "body-json", crashes(lambda r: r.operation == "create" and not r.raw)),
    fault("deep-nesting-crashes", "body-depth", crashes(lambda r: _depth(r) > 5000)),
    fault("deep-nesting-crashes-on-update", "body-depth", crashes(_on("update", lambda r: _depth(r) > 5000))),
    fault("large-body-crashes", "body-size", crashes(lambda r: len(r.raw) > 1_000_000)),
    fault("nul-crashes", "body-text", crashes(_holds(b"\\u0000"))),
    fault("nul-crashes-on-update", "body-text", crashes(_on("update", _holds(b"\\u0000")))),
    fault("half-a-pair-crashes", "body-text", crashes(_holds(b"\\ud800b"))),
    fault("half-a-pair-crashes-on-update", "body-text", crashes(_on("update", _holds(b"\\ud800b")))),
    fault("half-a-pair-replaced", "body-text",
          lambda r, send: send(r.with_raw(r.raw.replace(b"\\ud800b", b"\\ufffd")))),
    fault("keys-twice-crash", "body-keys", crashes(lambda r: r.raw.count(b'"display_name"') > 1)),
    fault("other-media-type-crashes", "body-media-type", crashes(_other_type)),
    fault("no-object-crashes", "body-object", crashes(_no_object)),
    fault("null-port-crashes-on-update", "exposed-port-type",
          crashes(_on("update", lambda r: r.body.get("exposed_port", 1) is None))),
    fault("huge-port-crashes", "exposed-port-range", crashes(
        lambda r: isinstance(r.body.get("exposed_port"), int) and r.body["exposed_port"] > 2**63)),
    fault("unknown-property-crashes", "unknown-properties-ignored",
          crashes(lambda r: "not_in_the_contract" in r.body)),
    fault("port-as-an-object-crashes", "exposed-port-type",
          crashes(lambda r: isinstance(r.body.get("exposed_port"), dict))),
)  # fmt: skip


def _path(when: Callable[[Request], bool], response: Callable[[Request], Response]) -> Interceptor:
    return lambda request, send: (
        response(request) if request.operation == "update" and when(request) else send(request)
    )


def _no_uuid(request: Request) -> bool:
    return request.kind != "" and not _UUID.fullmatch(request.service)


def _echoed(request: Request) -> Response:
    return Response(200).with_value({"id": request.service})


def _upsert(store: Store) -> Interceptor:
    """Answers an update of an id that no service has as if there were one."""

    def intercept(request: Request, send: Send) -> Response:
        response = send(request)
        with store.transaction() as step:
            nobody = step.get(request.service) is None
        unknown = request.operation == "update" and response.status == 404 and nobody
        return _echoed(request) if unknown and _UUID.fullmatch(request.service) else response

    return intercept


PATHS: tuple[Fault, ...] = (
    fault("malformed-id-answered-200", "service-id-format", _path(_no_uuid, _echoed)),
    fault("malformed-id-crashes", "service-id-format", _path(_no_uuid, lambda _r: CRASHED)),
    fault("id-of-one-digit-more-crashes", "service-id-format",
          _path(lambda r: len(r.service) == 37, lambda _r: CRASHED)),
    remembering("update-of-an-unknown-id-accepted", "service-exists", _upsert),
    fault("unknown-id-crashes", "service-exists", lambda request, send: CRASHED if (
        response := send(request)).status == 404 and _UUID.fullmatch(request.service) else response,
        also={"team-scope": "another team's service is answered as an unknown one is"}),
)  # fmt: skip


def _same_id(_store: Store) -> Interceptor:
    """Answers every create with the id of the first."""
    first: list[Response] = []

    def intercept(request: Request, send: Send) -> Response:
        response = send(request)
        if request.operation != "create" or not response.accepted:
            return response
        first.append(response)
        return first[0]

    return intercept


def _other_id(response: Response) -> Response:
    return response.with_value({"id": str(uuid4())})


def _html(response: Response) -> Response:
    return replace(response, body=b"<!doctype html><p>Done.", media_type="text/html")


def _wrapped(response: Response) -> Response:
    return response.with_value({"data": response.value})


def _id_of(kind: Callable[[str], object]) -> Callable[[Response], Response]:
    return lambda response: response.with_value({"id": kind(response.value["id"])})


ANSWERS: tuple[Fault, ...] = (
    remembering("create-answers-the-same-id", "created", _same_id),
    fault("create-answers-another-id", "created", answers("create", _other_id)),
    fault("create-answers-no-id", "created", answers("create", lambda r: r.with_value({}))),
    fault("create-answers-html", "created", answers("create", _html)),
    fault("create-answers-nothing", "created", answers("create", lambda r: replace(r, status=204, body=b""))),
    fault("create-answers-no-uuid", "created", answers("create", _id_of(lambda i: i.replace("-", "")))),
    fault("create-answers-a-number", "created", answers("create", _id_of(lambda _id: 1234))),
    fault("create-wraps-the-answer", "created", answers("create", _wrapped)),
    fault("create-answers-an-array", "created", answers("create", lambda r: r.with_value([r.value]))),
    fault("update-answers-another-id", "updated", answers("update", _other_id)),
    fault("update-answers-no-id", "updated", answers("update", lambda r: r.with_value({"ok": True}))),
    fault("update-answers-html", "updated", answers("update", _html)),
    fault("update-answers-nothing", "updated", answers("update", lambda r: replace(r, status=204, body=b""))),
    fault("update-answers-null", "updated", answers("update", _id_of(lambda _id: None))),
    fault("update-answers-text", "updated", answers("update", lambda r: replace(r, body=b"updated"))),
)  # fmt: skip

WIRE = (*MESSAGES, *PATHS, *ANSWERS)
