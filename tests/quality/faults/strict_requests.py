"""Faults of servers that are too strict: they refuse forms of a request that are the same by the standards."""

import json
import re
from collections.abc import Mapping
from typing import Any

from tests.support.gate.messages import (
    Interceptor,
    Request,
    Response,
    Send,
    When,
)
from tests.support.gate.planting import (
    Fault,
    crashes,
    fault,
    turns_away,
)

_FORMS = "request-forms"
_TEXT = re.compile(rb'"(?:[^"\\]|\\.)*"')


def on(operation: str, when: When) -> When:
    """Requests of an operation, or of either, that a condition holds for."""
    return lambda request: (
        request.operation != "" and request.operation in (operation or request.operation) and when(request)
    )


def by(kind: str, when: When) -> When:
    """Requests of a kind of caller that a condition holds for."""
    return lambda request: request.kind == kind and when(request)


def form(
    name: str, when: When, status: int = 400, operation: str = "", also: Mapping[str, str] | None = None
) -> Fault:
    """A form of a request that is refused."""
    return fault(name, _FORMS, turns_away(on(operation, when), status), also=also)


def header(name: str, pattern: str) -> When:
    """Requests with a header in which a pattern is found."""
    return lambda request: bool(re.search(pattern, request.header(name) or ""))


def raw(pattern: bytes) -> When:
    """Requests with a body in which a pattern is found."""
    return lambda request: bool(re.search(pattern, request.raw))


def between(pattern: bytes) -> When:
    """Requests with a body in which a pattern is found outside its texts, each of which is put as ``""``."""
    return lambda request: bool(re.search(pattern, _TEXT.sub(b'""', request.raw)))


def order(first: str, second: str) -> When:
    """Requests in whose body a property comes before another."""

    def when(request: Request) -> bool:
        names = list(request.body)
        return first in names and second in names and names.index(first) < names.index(second)

    return when


def item_order(name: str, first: str, second: str) -> When:
    """Requests in which an item of an array has a key before another."""

    def reversed_in(item: Any) -> bool:
        return isinstance(item, dict) and [key for key in item if key in (first, second)] == [first, second]

    def when(request: Request) -> bool:
        items = request.body.get(name)
        return isinstance(items, list) and any(map(reversed_in, items))

    return when


def bigger(most: int) -> When:
    """Requests with a body of more bytes, but of 16 KiB at most, which every server reads."""
    return lambda request: most < len(request.raw) <= 16 * 1024


def _unlisted(request: Request) -> bool:
    """Whether there is a header of an X- name that the pages do not list."""
    return any(key.startswith("HTTP_X_") and key != "HTTP_X_TEAM_ID" for key in request.environ)


def _in_capitals(request: Request) -> bool:
    declared = request.header("Content-Type") or ""
    return declared != declared.lower() and declared.lower() == "application/json"


HEADERS: tuple[Fault, ...] = (
    form("accept-list-refused-on-create", header("Accept", ","), 406, "create"),
    form("accept-with-weights-refused", header("Accept", ";"), 406),
    form("accept-anything-refused-on-update", header("Accept", r"\A\s*\*/\*\s*\Z"), 406, "update"),
    form("accept-any-application-type-refused", header("Accept", r"\A\s*application/\*"), 406),
    form("accept-of-json-second-refused-for-jwt",
         by("jwt", header("Accept", r"\A\s*(?!application/json)[^,]*,.*application/json")), 406),
    form("media-type-in-capitals-refused", _in_capitals, 415,
         also={"body-media-type": "the media type is application/json, in capitals"}),
    form("unlisted-headers-refused-on-create", _unlisted, 400, "create"),
    form("cookies-refused", lambda r: r.header("Cookie") is not None),
    form("trace-header-crashes-on-update", lambda r: r.header("traceparent") is not None, 500, "update"),
    form("other-coding-refused", header("Accept-Encoding", r"\A(?!.*(?:gzip|identity|\*))."), 406),
    form("closed-connection-refused", header("Connection", "(?i)close")),
)  # fmt: skip


def _empty_where_chunked(request: Request, send: Send) -> Response:
    """Reads as much of an update's body as its length says, which is nothing where it says none."""
    if request.operation == "update" and request.chunked:
        return send(request.with_body({}))
    return send(request)


def _cut(most: int) -> Interceptor:
    """Reads no more of a body than a buffer holds."""
    return lambda request, send: send(
        request.with_raw(request.raw[:most]) if bigger(most)(request) and request.operation else request
    )


BODIES: tuple[Fault, ...] = (
    form("chunked-body-refused-on-create", lambda r: r.chunked, 411, "create"),
    form("chunked-body-crashes-on-update", lambda r: r.chunked, 500, "update"),
    fault("chunked-body-is-empty-on-update", _FORMS, _empty_where_chunked,
          also={"updated-stored": "the body in chunks is accepted, and not stored"}),
    form("body-over-8-kib-refused-on-create", bigger(8192), 413, "create",
         also={"texts-unbounded": "a body of long texts is refused"}),
    form("body-over-10000-bytes-refused-on-update", bigger(10_000), 413, "update",
         also={"texts-unbounded": "a body of long texts is refused"}),
    fault("body-cut-at-12-kib", _FORMS, _cut(12 * 1024),
          also={"texts-unbounded": "a body of long texts is cut, and no JSON then"}),
    fault("body-over-9000-bytes-crashes-for-dk", _FORMS, crashes(on("", by("dk", bigger(9000)))),
          also={"texts-unbounded": "a body of long texts crashes the server"}),
)  # fmt: skip


def _escaped_keys_unknown(request: Request, send: Send) -> Response:
    """Does not know a property of a create whose name is written with an escape."""
    if request.operation != "create" or not request.body:
        return send(request)
    written = {name: json.dumps(name).encode() in request.raw for name in request.body}
    if all(written.values()):
        return send(request)
    return send(request.with_body({name: value for name, value in request.body.items() if written[name]}))


def _halves_apart(request: Request, send: Send) -> Response:
    """Reads an escaped pair as two characters that there are not."""
    if request.operation != "create":
        return send(request)
    return send(request.with_raw(re.sub(rb"(?i)\\ud[89ab]..\\ud[c-f]..", rb"\\ufffd\\ufffd", request.raw)))


_PAIR = rb"(?i)\\ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}"
_OF_TEXT = dict.fromkeys(
    (
        *("created-stored", "updated-stored", "display-name-type", "service-desc-type", "usage-prompt-type"),
        *(
            "docker-image-type",
            "health-path-type",
            "openapi-url-type",
            "required-labels-item-type",
            "env-name-type",
        ),
        *("env-value-type", "host-path-type", "container-path-type"),
    ),
    "a text with these characters is refused",
)

TOKENS: tuple[Fault, ...] = (
    form("url-before-the-type-refused", order("external_url", "service_type"), 400, "create",
         also={"created-stored": "the create is refused, and so not stored"}),
    form("image-before-the-slug-refused", order("docker_image", "service_slug"), 400, "create"),
    form("desc-before-the-name-refused-on-update", order("service_desc", "display_name"), 400, "update"),
    form("env-value-before-its-name-refused", item_order("env_config", "env_value", "env_name")),
    form("container-path-before-host-path-refused-on-update",
         item_order("volume_config", "container_path", "host_path"), 400, "update"),
    form("white-space-before-the-body-refused", raw(rb"\A\s+\S")),
    form("newline-after-the-body-refused-on-create", raw(rb"\S\s*\n\s*\Z"), 400, "create"),
    form("indented-body-refused-on-update", between(rb'[{,]\n\s*"'), 400, "update"),
    form("indented-body-refused-for-dk", by("dk", between(rb"[{,]\n"))),
    form("blank-before-a-colon-refused", between(rb'"\s+:')),
    form("tab-between-tokens-refused-on-create", between(rb"\t"), 400, "create"),
    form("carriage-return-between-tokens-refused", between(rb"\r")),
    form("blank-in-an-empty-object-refused-on-update", raw(rb"\A\s*\{\s+\}\s*\Z"), 400, "update",
         also={"update-partial": "an update of nothing is refused"}),
    form("escaped-slash-refused", raw(rb"(?<!\\)(?:\\\\)*\\/")),
    form("escaped-quote-refused-on-create", raw(rb'(?<!\\)(?:\\\\)*\\"'), 400, "create", also=_OF_TEXT),
    form("escaped-letter-refused-on-update", raw(rb"\\u00[4-7]"), 400, "update"),
    form("escape-in-capitals-refused", raw(rb"\\u(?=[0-9a-fA-F]{4})[0-9a-f]*[A-F]")),
    form("escaped-pair-refused-on-update", raw(_PAIR), 400, "update", also=_OF_TEXT),
    fault("escaped-pair-is-two-characters", "created-stored", _halves_apart,
          also={_FORMS: "an escaped pair is another text than the character itself"}),
    fault("escaped-key-unknown-on-create", _FORMS, _escaped_keys_unknown,
          also={"created-stored": "a property with an escaped name is not stored"}),
    form("not-ascii-refused-unless-escaped", raw(rb"[\x80-\xff]"), also=_OF_TEXT),
)  # fmt: skip

STRICT_REQUESTS = (*HEADERS, *BODIES, *TOKENS)
