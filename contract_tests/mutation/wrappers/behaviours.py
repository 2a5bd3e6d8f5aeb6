"""Behaviours: faults of any app, made by a wrapper that changes its requests and responses; the contract stays."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from contract_tests.mutation.wrappers.wsgi import (
    App,
    RequestReader,
    WsgiRequest,
    WsgiResponse,
    send_request,
    serve_requests,
)

Handler = Callable[[WsgiRequest], WsgiResponse]
Wrap = Callable[[App, RequestReader], Handler]


@dataclass(frozen=True, slots=True)
class Behaviour:
    """A fault with the interface of a mutant; ``wrap`` returns the handler of all requests to a new app."""

    id: str
    operator: str
    rules: tuple[str, ...]
    wrap: Wrap = field(repr=False)
    needs: str = ""

    def build_app(self, app: App, reader: RequestReader) -> App:
        """Return the app with the fault."""
        return serve_requests(self.wrap(app, reader))

    def diff(self, _document: Mapping[str, Any]) -> str:
        """Return the fault in words."""
        return f"the target behaves as if: {self.id.partition(':')[2].replace('-', ' ')}"


Refused = Callable[[WsgiRequest, RequestReader], bool]

_USUAL_HEADERS = frozenset({"authorization", "x-team-id", "host", "user-agent", "accept", "connection"})
_OPERATIONS = {"createContainer": ("create", "created"), "updateContainer": ("update", "updated")}


def _is_from(kind: str) -> Refused:
    return lambda request, reader: reader.find_kind(request) == kind


def _accepts_a_list(request: WsgiRequest, _reader: RequestReader) -> bool:
    return "," in (request.find_header("Accept") or "")


def _has_further_header(request: WsgiRequest, _reader: RequestReader) -> bool:
    return bool(request.header_names - _USUAL_HEADERS)


def _has_capital_media_type(request: WsgiRequest, _reader: RequestReader) -> bool:
    media_type = (request.find_header("Content-Type") or "").partition(";")[0]
    return media_type != media_type.lower() == "application/json"


def _is_closing(request: WsgiRequest, _reader: RequestReader) -> bool:
    return (request.find_header("Connection") or "").lower() == "close"


def _has_space_around(request: WsgiRequest, _reader: RequestReader) -> bool:
    return request.raw_body != request.raw_body.strip() and bool(request.body)


def _has_lines(request: WsgiRequest, _reader: RequestReader) -> bool:
    return b"\n" in request.raw_body.strip() and bool(request.body)


def _has_unicode_escape(request: WsgiRequest, _reader: RequestReader) -> bool:
    return b"\\u" in request.raw_body and bool(request.body)


def _has_solidus_escape(request: WsgiRequest, _reader: RequestReader) -> bool:
    return b"\\/" in request.raw_body and bool(request.body)


def _has_raw_unicode(request: WsgiRequest, _reader: RequestReader) -> bool:
    return not request.raw_body.isascii() and bool(request.body)


def _is_larger_than(size: int) -> Refused:
    return lambda request, _reader: len(request.raw_body) > size and bool(request.body)


#: Requests that a careless server refuses although they are valid: name, requests, status.
_FORMS: tuple[tuple[str, Refused, int], ...] = (
    ("an-accept-list", _accepts_a_list, 406),
    ("a-further-header", _has_further_header, 400),
    ("a-media-type-in-capitals", _has_capital_media_type, 415),
    ("a-closing-connection", _is_closing, 400),
    ("space-around-the-body", _has_space_around, 400),
    ("a-body-of-several-lines", _has_lines, 400),
    ("a-unicode-escape", _has_unicode_escape, 400),
    ("an-escaped-solidus", _has_solidus_escape, 400),
    ("a-body-not-in-ascii", _has_raw_unicode, 400),
    ("a-body-over-4-kib", _is_larger_than(4 * 1024), 413),
    ("a-body-over-15-kib", _is_larger_than(15 * 1024), 413),
)
#: No page lets a deployment refuse these callers; it may refuse every sk- request.
_KINDS: tuple[tuple[str, int], ...] = (("dk", 401), ("dk", 403), ("jwt", 401), ("jwt", 403))


def list_refusals() -> tuple[Behaviour, ...]:
    """Return every behaviour that refuses valid requests of one operation."""
    found: list[Behaviour] = []
    for operation, (name, success) in _OPERATIONS.items():
        for form, refused, status in _FORMS:
            wrap = _refuse_requests(operation, refused, status)
            found.append(Behaviour(f"refusal:{form}-refused-on-{name}", "refusal", ("request-forms",), wrap))
        for kind, status in _KINDS:
            rules = (success, "team-optional-for-credentials") if kind == "dk" else (success,)
            wrap = _refuse_requests(operation, _is_from(kind), status)
            found.append(Behaviour(f"refusal:{kind}-answered-{status}-on-{name}", "caller", rules, wrap))
    return tuple(found)


def _refuse_requests(operation: str, refused: Refused, status: int) -> Wrap:
    """Refuse some requests of an operation."""

    def wrap(app: App, reader: RequestReader) -> Handler:
        def handle(request: WsgiRequest) -> WsgiResponse:
            if reader.find_operation(request)[0] == operation and refused(request, reader):
                return WsgiResponse(status)
            return send_request(app, request)

        return handle

    return wrap
