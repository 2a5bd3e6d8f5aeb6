"""Rules that are not enforced always: at first only, every other time, for some callers, in some places."""

import itertools
from collections.abc import Callable

from tests.support.gate.gate import catalogue
from tests.support.gate.messages import Request, Response, Send
from tests.support.gate.planting import (
    Fault,
    fault,
    unenforced,
)

When = Callable[[], Callable[[Request], bool]]

_ROTATED = "not every case is played by every kind of caller"


def after(count: int) -> When:
    """Requests that come after the first ones."""

    def when() -> Callable[[Request], bool]:
        number = itertools.count()
        return lambda _request: next(number) >= count

    return when


def every_other() -> Callable[[Request], bool]:
    """Every second request, as where one of two instances is out of date."""
    number = itertools.count()
    return lambda _request: next(number) % 2 == 1


def by(kind: str, operation: str = "") -> When:
    """Requests of one kind of caller."""
    return lambda: (
        lambda request: request.kind == kind and request.operation in (operation or request.operation)
    )


def on(operation: str) -> When:
    """Requests of one operation."""
    return lambda: lambda request: request.operation == operation


def shape_rules(operation: str) -> list[str]:
    """The rules of what the body of an operation may hold."""
    return [
        rule.id
        for rule in catalogue().values()
        if rule.kind == "constraint" and rule.stage == "shape" and operation in rule.operations
    ]


def partly(name: str, must: str, rules: list[str], when: When) -> Fault:
    """Rules that are not enforced for some, of which a few must be found and all may be."""
    made = unenforced(name, " ".join(rules), when)
    also = dict.fromkeys(made.breaks - set(must.split()), _ROTATED)
    return Fault(name, frozenset(must.split()), made.intercept, also=also)


def _first_three(request: Request, send: Send) -> Response:
    """Looks at no property of an update after the third."""
    if request.operation == "update" and len(request.body) > 3:
        return send(request.with_body(dict(list(request.body.items())[:3])))
    return send(request)


AT_FIRST = (
    "exposed-port-range",
    "display-name-length",
    "docker-image-required",
    "slug-unique",
    "team-scope",
    "auth-required",
    "team-required-for-jwt",
    "body-json",
    "service-id-format",
    "not-while-busy",
    "external-url-on-external-only",
)
EVERY_OTHER = (
    "replica-count-range",
    "display-name-required",
    "docker-image-required",
    "external-url-required",
    "service-exists",
    "slug-unique",
    "team-scope",
    "auth-required",
    "auth-agent",
    "body-media-type",
    "body-keys",
    "not-while-busy",
    "external-credential-on-external-only",
)

TIMES: tuple[Fault, ...] = (
    *(unenforced(f"{rule}-at-first-only", rule, after(100)) for rule in AT_FIRST),
    *(unenforced(f"{rule}-every-other-time", rule, lambda: every_other()) for rule in EVERY_OTHER),
    unenforced("create-validated-not-at-all", " ".join(shape_rules("createContainer")), on("create")),
    unenforced("update-validated-not-at-all", " ".join(shape_rules("updateContainer")), on("update")),
    partly("update-not-validated-for-dk", "service-desc-type external-url-pattern",
           shape_rules("updateContainer"), by("dk", "update")),
    partly("create-not-validated-for-jwt", "service-slug-pattern service-type-enum external-url-pattern",
           shape_rules("createContainer"), by("jwt", "create")),
    unenforced("slug-unique-not-for-dk", "slug-unique", by("dk")),
    unenforced("not-while-busy-not-for-jwt", "not-while-busy", by("jwt", "update")),
    unenforced("service-exists-not-for-sk", "service-exists", by("sk")),
    fault("update-stores-three-properties", "updated-stored", _first_three),
)  # fmt: skip
