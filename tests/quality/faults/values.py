"""Faults in what the body may hold: bounds, lengths, patterns, types, items, requirements."""

import re
from typing import Any
from uuid import uuid4

from tests.support.gate.messages import (
    REFUSED,
    Interceptor,
    Request,
    Response,
    Send,
)
from tests.support.gate.planting import (
    Fault,
    Test,
    fault,
    refuses,
    takes,
)

_URL = "https://taken.example.com/"
_UUID = "3c90c3cc-0d44-4b50-8888-8dd25736052a"
_INNER = "[a-z0-9][a-z0-9-]{1,98}[a-z0-9]"


def is_(*values: Any) -> Test:
    """Passes some values, and nothing that only equals one, as True equals 1."""
    return lambda value: any(type(value) is type(v) and value == v for v in values)


def long(length: int) -> Test:
    """Passes text of a length."""
    return lambda value: isinstance(value, str) and len(value) == length


def a_slug(_old: Any = None) -> str:
    """A slug that nobody has."""
    return f"taken-{uuid4().hex}"


def matches(loose: str, strict: str) -> Test:
    """Passes text in which the loose pattern is found and which the strict one does not match as a whole."""
    return lambda value: (
        isinstance(value, str) and bool(re.search(loose, value)) and not re.fullmatch(strict, value)
    )


def text(test: Test) -> Test:
    """Passes text that passes the test."""
    return lambda value: isinstance(value, str) and test(value)


def bytes_over(most: int) -> Test:
    """Passes text of too many bytes."""
    return text(lambda value: len(value.encode("utf-8", "surrogatepass")) > most >= len(value))


def units_over(most: int) -> Test:
    """Passes text of too many UTF-16 units."""
    return text(lambda value: len(value.encode("utf-16-le", "surrogatepass")) > 2 * most >= 2 * len(value))


BOUNDS: tuple[Fault, ...] = (
    fault("port-0-taken-on-create", "exposed-port-range", takes("create", "exposed_port", is_(0), 1)),
    fault("port-0-taken-on-update", "exposed-port-range", takes("update", "exposed_port", is_(0), 1)),
    fault("port-65536-taken-on-create", "exposed-port-range", takes("create", "exposed_port", is_(65536), 1)),
    fault("port-65536-taken-on-update", "exposed-port-range", takes("update", "exposed_port", is_(65536), 1)),
    fault("port-cut-to-16-bits", "exposed-port-range",
          takes("", "exposed_port", lambda v: type(v) is int and v > 65535 and v % 65536 > 0, lambda v: v % 65536)),
    fault("port-1-refused-on-update", "exposed-port-range", refuses("update", "exposed_port", is_(1))),
    fault("port-65535-refused-on-create", "exposed-port-range", refuses("create", "exposed_port", is_(65535))),
    fault("replicas-0-taken-on-update", "replica-count-range", takes("update", "replica_count", is_(0), 1)),
    fault("replicas-11-taken-on-create", "replica-count-range", takes("create", "replica_count", is_(11), 1)),
    fault("replicas-1-refused-on-create", "replica-count-range", refuses("create", "replica_count", is_(1)),
          also={"unused-properties-accepted": "the example of the create page has one replica"}),
    fault("replicas-10-refused-on-update", "replica-count-range", refuses("update", "replica_count", is_(10))),
    fault("gpus-minus-2-taken-on-update", "gpu-count-range", takes("update", "gpu_count", is_(-2), -1)),
    fault("gpus-minus-1-refused-on-create", "gpu-count-type", refuses("create", "gpu_count", is_(-1))),
    fault("name-256-taken-on-update", "display-name-length", takes("update", "display_name", long(256), "n")),
    fault("name-256-taken-on-create", "display-name-length", takes("create", "display_name", long(256), "n")),
    fault("name-255-refused-on-create", "display-name-length", refuses("create", "display_name", long(255))),
    fault("name-empty-refused-on-update", "display-name-type", refuses("update", "display_name", is_(""))),
    fault("openapi-501-taken-on-create", "openapi-url-length", takes("create", "openapi_url", long(501), "/")),
    fault("openapi-500-refused-on-update", "openapi-url-length", refuses("update", "openapi_url", long(500))),
    fault("url-2049-taken-on-update", "external-url-length", takes("update", "external_url", long(2049), _URL)),
    fault("url-2048-refused-on-create", "external-url-length", refuses("create", "external_url", long(2048))),
    fault("slug-2-taken", "service-slug-pattern", takes("create", "service_slug", long(2), a_slug)),
    fault("slug-101-taken", "service-slug-pattern", takes("create", "service_slug", long(101), a_slug)),
    fault("slug-3-refused", "service-slug-pattern", refuses("create", "service_slug", long(3))),
    fault("slug-100-refused", "service-slug-pattern", refuses("create", "service_slug", long(100))),
    fault("name-counted-in-bytes", "display-name-length", refuses("create", "display_name", bytes_over(255))),
    fault("name-counted-in-utf-16", "display-name-length", refuses("update", "display_name", units_over(255))),
    fault("openapi-counted-in-bytes", "openapi-url-length", refuses("update", "openapi_url", bytes_over(500))),
    fault("openapi-counted-in-utf-16", "openapi-url-length", refuses("create", "openapi_url", units_over(500))),
)  # fmt: skip

PATTERNS: tuple[Fault, ...] = (
    fault("slug-start-unanchored", "service-slug-pattern",
          takes("create", "service_slug", matches(_INNER + r"\Z", _INNER), a_slug)),
    fault("slug-end-unanchored", "service-slug-pattern",
          takes("create", "service_slug", matches(r"\A" + _INNER, _INNER), a_slug)),
    fault("slug-newline-at-the-end", "service-slug-pattern",
          takes("create", "service_slug", matches(f"^{_INNER}$", _INNER), a_slug)),
    fault("slug-line-by-line", "service-slug-pattern",
          takes("create", "service_slug", matches(f"(?m)^{_INNER}$", _INNER), a_slug)),
    fault("slug-in-any-case", "service-slug-pattern",
          takes("create", "service_slug", matches(rf"(?i)\A{_INNER}\Z", _INNER), a_slug)),
    fault("slug-with-underscore", "service-slug-pattern",
          takes("create", "service_slug", text(lambda v: "_" in v[1:-1]), a_slug)),
    fault("slug-hyphen-first", "service-slug-pattern",
          takes("create", "service_slug", matches(r"\A-[a-z0-9-]{1,98}[a-z0-9]\Z", _INNER), a_slug)),
    fault("slug-hyphen-last", "service-slug-pattern",
          takes("create", "service_slug", matches(r"\A[a-z0-9][a-z0-9-]{1,98}-\Z", _INNER), a_slug)),
    fault("slug-unicode-digits", "service-slug-pattern",
          takes("create", "service_slug", matches(r"\A[a-z\d][a-z\d-]{1,98}[a-z\d]\Z", _INNER), a_slug)),
    fault("type-in-any-case", "service-type-enum",
          takes("create", "service_type", text(lambda v: v != v.lower() and v.lower() == "deployed"), "deployed")),
    fault("type-trimmed", "service-type-enum",
          takes("create", "service_type", text(lambda v: v != v.strip() == "deployed"), "deployed")),
    fault("type-empty-is-the-default", "service-type-enum", takes("create", "service_type", is_(""), "deployed")),
    fault("https-in-any-case", "external-url-pattern",
          takes("", "external_url", text(lambda v: v.startswith("HTTPS://")), _URL)),
    fault("https-anywhere", "external-url-pattern",
          takes("", "external_url", text(lambda v: "https://" in v[1:] and not v.startswith("https://")), _URL)),
    fault("http-taken-on-update", "external-url-pattern",
          takes("update", "external_url", text(lambda v: v.startswith("http://")), _URL)),
    fault("url-with-a-blank-taken", "external-url-format",
          takes("create", "external_url", text(lambda v: v.startswith("https://") and " " in v), _URL)),
    fault("credential-newline-at-the-end", "external-credential-format",
          takes("", "external_auth_credential_id", text(lambda v: v.endswith("\n")), _UUID)),
    fault("credential-no-hex-taken-on-update", "external-credential-format",
          takes("update", "external_auth_credential_id", text(lambda v: len(v) == 36 and v.endswith("g")), _UUID)),
    fault("credential-empty-is-none", "external-credential-format",
          takes("", "external_auth_credential_id", is_(""), _UUID)),
)  # fmt: skip


def numeric(value: Any) -> bool:
    """Passes text that int() reads."""
    return isinstance(value, str) and value.isdigit()


def _dropping(name: str, broken: Test) -> Interceptor:
    """Looks at no item of an array but the first: the others are dropped before the mock sees them."""

    def intercept(request: Request, send: Send) -> Response:
        value = request.body.get(name)
        if isinstance(value, list) and any(map(broken, value[1:])):
            return send(request.setting(**{name: value[:1]}))
        return send(request)

    return intercept


def _texts_wrong(item: Any) -> bool:
    return isinstance(item, dict) and any(not isinstance(value, str) for value in item.values())


def _first_only(most: int) -> Interceptor:
    """Looks at no property of the body after the first few."""

    def intercept(request: Request, send: Send) -> Response:
        response = send(request)
        if response.status != 400 or not request.operation or len(request.body) <= most:
            return response
        seen = dict(list(request.body.items())[:most])
        if request.operation == "create":
            seen = {"display_name": "Seen", "docker_image": "seen", **seen, "service_slug": a_slug()}
        again = send(request.with_body(seen))
        return again if again.accepted else response

    return intercept


TYPES: tuple[Fault, ...] = (
    fault("port-true-is-1-on-create", "exposed-port-type", takes("create", "exposed_port", is_(True), 1)),
    fault("replicas-true-is-1-on-update", "replica-count-type", takes("update", "replica_count", is_(True), 1)),
    fault("gpus-false-is-0", "gpu-count-type", takes("", "gpu_count", is_(False, True), 0)),
    fault("port-text-taken-on-update", "exposed-port-type", takes("update", "exposed_port", numeric, int)),
    fault("replicas-text-taken-on-create", "replica-count-type", takes("create", "replica_count", numeric, 1)),
    fault("gpus-cut-off-on-create", "gpu-count-type",
          takes("create", "gpu_count", lambda v: type(v) is float and not v.is_integer(), int)),
    fault("port-cut-off-on-update", "exposed-port-type",
          takes("update", "exposed_port", lambda v: type(v) is float and not v.is_integer(), int)),
    fault("name-number-as-text-on-update", "display-name-type",
          takes("update", "display_name", lambda v: type(v) in (int, float), str)),
    fault("image-true-as-text-on-create", "docker-image-type", takes("create", "docker_image", is_(True), "true")),
    fault("health-path-array-taken", "health-path-type",
          takes("create", "health_path", lambda v: isinstance(v, list), "/")),
    fault("desc-object-taken-on-update", "service-desc-type",
          takes("update", "service_desc", lambda v: isinstance(v, dict), "d")),
    fault("prompt-false-is-empty", "usage-prompt-type", takes("", "usage_prompt", lambda v: type(v) is bool, "")),
    fault("labels-text-is-one-label", "required-labels-type",
          takes("", "required_labels", lambda v: isinstance(v, str), lambda v: [v])),
    fault("env-object-is-one-item", "env-config-type",
          takes("update", "env_config", lambda v: isinstance(v, dict), [])),
    fault("text-number-refused-as-name", "display-name-type", refuses("create", "display_name", is_("8080"))),
    fault("labels-empty-refused-on-update", "required-labels-type", refuses("update", "required_labels", is_([]))),
    fault("env-after-the-first-item-unchecked", "env-name-type env-value-type",
          _dropping("env_config", _texts_wrong)),
    fault("volume-after-the-first-item-unchecked", "host-path-type container-path-type",
          _dropping("volume_config", _texts_wrong)),
    fault("label-after-the-first-unchecked", "required-labels-item-type",
          _dropping("required_labels", lambda item: not isinstance(item, str))),
    fault("env-value-number-as-text-on-create", "env-value-type",
          takes("create", "env_config", lambda v: isinstance(v, list) and any(map(_texts_wrong, v)) and
                all(isinstance(i, dict) and isinstance(i.get("env_name"), str) for i in v), [])),
)  # fmt: skip


def _without_image(request: Request, send: Send) -> Response:
    body = request.body
    if request.operation == "create" and "docker_image" not in body and "service_type" not in body:
        return send(request.setting(docker_image="none"))
    return send(request)


def _without_url(request: Request, send: Send) -> Response:
    body = request.body
    if (
        request.operation == "create"
        and body.get("service_type") == "external"
        and "external_url" not in body
    ):
        return send(request.setting(external_url=_URL))
    return send(request)


def _always_image(request: Request, send: Send) -> Response:
    external = request.operation == "create" and request.body.get("service_type") == "external"
    return REFUSED if external and "docker_image" not in request.body else send(request)


def _named_after_the_slug(request: Request, send: Send) -> Response:
    slug = request.body.get("service_slug")
    if request.operation == "create" and isinstance(slug, str) and "display_name" not in request.body:
        return send(request.setting(display_name=slug))
    return send(request)


REQUIRED: tuple[Fault, ...] = (
    fault("image-not-required-without-a-type", "docker-image-required", _without_image),
    fault("url-not-required", "external-url-required", _without_url),
    fault("name-is-the-slug-where-left-out", "display-name-required", _named_after_the_slug),
)  # fmt: skip

VALUES = (*BOUNDS, *PATTERNS, *TYPES, *REQUIRED)
