"""Oracle: predicts from the facts, in plain Python, whether a body is valid.

It shares nothing with the contract: no schema, no pattern and no validator. Where the oracle and the spec disagree,
one of them is wrong, and a test fails. ``predict`` names the rules that a body breaks, and the points that the
reference pages leave open.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from string import ascii_lowercase, digits, hexdigits
from typing import Any

from contract_tests.cases.model import Expect

CREDENTIAL_PROPERTY = "external_auth_credential_id"
_SLUG_ENDS = frozenset(ascii_lowercase + digits)
_SLUG_INNER = _SLUG_ENDS | {"-"}
#: Beginnings of IPv4 addresses that are certainly public.
_PUBLIC_ADDRESSES = ("8.", "9.", "11.", "12.")
#: A larger body may be too large for a deployment.
LARGE_BODY_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True)
class Prediction:
    """Ids of the rules that a body breaks, and the open points that it touches, in words."""

    broken_rules: frozenset[str]
    open_points: frozenset[str]

    @property
    def expect(self) -> Expect:
        """The expectation: a broken rule decides, then an open point; else the body is valid."""
        if self.broken_rules:
            return "refuse"
        return "open" if self.open_points else "accept"


Remark = tuple[str, str]  # ("broken", rule id) or ("open", words)
Check = Callable[[Any, str], Iterator[Remark]]


def predict(operation: str, body: Any, service_type: str = "deployed") -> Prediction:
    """Return the prediction for a JSON body; ``service_type`` is the stored type for an update."""
    remarks = list(_check_body(operation, body, service_type))
    return Prediction(
        frozenset(rule for kind, rule in remarks if kind == "broken"),
        frozenset(point for kind, point in remarks if kind == "open"),
    )


def _check_body(operation: str, body: Any, stored: str) -> Iterator[Remark]:
    if not isinstance(body, Mapping):
        # A target may read a null update body as no body, and no body as an empty update.
        yield (
            ("open", "null body")
            if body is None and operation == "updateContainer"
            else ("broken", "body-object")
        )
        return
    creating = operation == "createContainer"
    if creating:
        yield from _check_create(body)
    else:
        yield from _check_update(body, stored)
    for name, value in body.items():
        if name in _PROPERTIES and (creating or name not in ("service_slug", "service_type")):
            yield from _check_property(name, value, nullable=not creating and name == CREDENTIAL_PROPERTY)
        elif name not in _PROPERTIES:
            yield "open", "unknown property"
    yield from _check_characters(body)
    if len(str(body).encode("utf-8", "replace")) > LARGE_BODY_BYTES:  # about the size of its JSON
        yield "open", "a body over 16 KiB"


def _check_create(body: Mapping[str, Any]) -> Iterator[Remark]:
    yield from _check_required(body, "service_slug", "service-slug")
    yield from _check_required(body, "display_name", "display-name")
    kind = body.get("service_type")
    if kind not in (None, "external", "deployed"):
        return  # an unknown type has no required properties
    external = kind == "external"
    yield from _check_required(
        body, *(("external_url", "external-url") if external else ("docker_image", "docker-image"))
    )
    unused = ("docker_image",) if external else ("external_url", "external_auth_credential_id")
    if any(body.get(name) is not None for name in unused):
        yield "open", "a property that only the other type uses"
    if not external and body.get("docker_image") == "":
        yield "open", "empty docker_image"


def _check_required(body: Mapping[str, Any], name: str, rule: str) -> Iterator[Remark]:
    """Yield the rule of a missing or null property: null is not a string, or means that it is absent."""
    if body.get(name) is None:
        yield "broken", f"{rule}-type" if name in body else f"{rule}-required"


def _check_update(body: Mapping[str, Any], stored: str) -> Iterator[Remark]:
    if stored != "external":
        for name in ("external_url", "external_auth_credential_id"):
            if body.get(name) is not None:
                rule = "external-url" if name == "external_url" else "external-credential"
                yield "broken", f"{rule}-on-external-only"
    elif body.get("docker_image") is not None:
        yield "open", "a property that only the other type uses"
    if body.get("docker_image") == "":
        yield "open", "empty docker_image"
    if "service_type" in body or "service_slug" in body:
        yield "open", "a property that never changes"


def _check_property(name: str, value: Any, *, nullable: bool) -> Iterator[Remark]:
    if value is None:
        if not nullable:
            yield "open", f"null {name}"
        return
    yield from _PROPERTIES[name](value, name.replace("_", "-"))


def _check_text(value: Any, rule: str, max_length: int | None = None) -> Iterator[Remark]:
    if not isinstance(value, str):
        yield "broken", f"{rule}-type"
    elif max_length is not None and len(value) > max_length:
        yield "broken", f"{rule}-length"


def _check_slug(value: Any, rule: str) -> Iterator[Remark]:
    yield from _check_text(value, rule)
    if isinstance(value, str) and not (
        3 <= len(value) <= 100
        and value[0] in _SLUG_ENDS
        and value[-1] in _SLUG_ENDS
        and all(character in _SLUG_INNER for character in value)
    ):
        yield "broken", f"{rule}-pattern"


def _check_type(value: Any, rule: str) -> Iterator[Remark]:
    if not isinstance(value, str) or value not in ("deployed", "external"):
        yield "broken", f"{rule}-enum"


def _check_url(value: Any, rule: str) -> Iterator[Remark]:
    yield from _check_text(value, rule, 2048)
    if not isinstance(value, str):
        return
    if not value.startswith("https://"):
        yield "broken", f"{rule}-pattern"
    yield from _check_absolute_uri(value, rule)


def _check_absolute_uri(value: str, rule: str) -> Iterator[Remark]:
    """Check the scheme and host of a URI; parsers differ about its other parts."""
    scheme, colon, rest = value.partition(":")
    letters = scheme.translate(str.maketrans("+-.", "aaa"))
    if not colon or not scheme.isascii() or not scheme[:1].isalpha() or not letters.isalnum():
        yield "broken", f"{rule}-format"
        return
    host = rest.removeprefix("//").partition("/")[0]
    port = host.rpartition("]")[2].rpartition(":")[2] if ":" in host.rpartition("]")[2] else ""
    bad_port = bool(port) and "@" not in host and not (port.isascii() and port.isdigit())
    if " " in host or "<" in host or host.count("[") != host.count("]") or bad_port:
        yield "broken", f"{rule}-format"
    plain = frozenset("/?#:@-._~!$&'()*+,;=%")
    odd = not all(c.isascii() and (c.isalnum() or c in plain) for c in rest)
    escaped = all(
        len(part) > 1 and part[0] in hexdigits and part[1] in hexdigits for part in rest.split("%")[1:]
    )
    if odd or not escaped or "@" in rest or "[" in host or not host or not rest.startswith("//"):
        yield "open", "a URI that parsers read differently"
    name = host.partition(":")[0].rstrip(".")
    private = name.replace(".", "").isdigit() and not name.startswith(_PUBLIC_ADDRESSES)
    if host and ("." not in name or private or name.endswith((".local", ".internal", ".localhost"))):
        yield "open", "a host that no public network has"


def _check_uuid(value: Any, rule: str) -> Iterator[Remark]:
    rule = rule.removesuffix("-auth-credential-id") + "-credential"
    if not isinstance(value, str):
        yield "broken", f"{rule}-type"
        return
    bare = value.removeprefix("urn:uuid:").strip("{}").replace("-", "")
    usual = [len(part) for part in value.split("-")] == [8, 4, 4, 4, 12]
    if len(bare) != 32 or not all(c in hexdigits for c in bare):
        yield "broken", f"{rule}-format"
    elif not usual or value != value.lower() or value[14] not in "1234567" or value[19] not in "89ab":
        yield "open", "a UUID of another form, case or version"


def _integer_check(low: int | None, high: int | None) -> Check:
    def check(value: Any, rule: str) -> Iterator[Remark]:
        if isinstance(value, bool) or not isinstance(value, int | float) or not _is_whole(value):
            yield "broken", f"{rule}-type"
            return
        if isinstance(value, float):
            yield "open", "an integer written with a point"
        if (low is not None and value < low) or (high is not None and value > high):
            yield "broken", f"{rule}-range"
        elif high is None and value > 2**31 - 1:
            yield "open", "a number beyond 32 bits"

    return check


def _is_whole(value: float) -> bool:
    """Return whether a number is whole; JSON has no infinite ones, which are read from too many digits."""
    return abs(value) == float("inf") or value == value // 1


def _items_check(*names: str) -> Check:
    """Return a check of an array of objects whose properties ``names`` are strings."""
    return _array_check(Mapping, lambda item, _rule: _check_item(item, names))


def _array_check(item_type: type, check_item: Check) -> Check:
    """Return a check of an array whose items are of one type and pass a check of their own."""

    def check(value: Any, rule: str) -> Iterator[Remark]:
        if not isinstance(value, list):
            yield "broken", f"{rule}-type"
            return
        yield from _check_repeats(value)
        for item in value:
            if item is None:
                yield "open", "null item"
            elif not isinstance(item, item_type):
                yield "broken", f"{rule}-item-type"
            else:
                yield from check_item(item, rule)

    return check


def _check_item(item: Mapping[str, Any], names: tuple[str, ...]) -> Iterator[Remark]:
    for name in names:
        rule = name.replace("_", "-")
        if name not in item:
            yield "broken", f"{rule}-required"
        elif item[name] is None:
            yield "open", f"null {name}"
        elif not isinstance(item[name], str):
            yield "broken", f"{rule}-type"
        elif not item[name] and name == "env_name":
            yield "open", "empty env_name"
    if set(item) - set(names):
        yield "open", "unknown property"


def _check_repeats(items: list[Any]) -> Iterator[Remark]:
    """Yield an open point for repeated items, and for two variables of one name: kept, merged or refused."""
    names = [item["env_name"] if isinstance(item, Mapping) and "env_name" in item else item for item in items]
    if any(name in names[:number] for number, name in enumerate(names)):
        yield "open", "a repeated item"


def _check_characters(value: Any) -> Iterator[Remark]:
    """Yield an open point for NUL, half a surrogate pair, and control characters other than tab and line ends."""
    if isinstance(value, str):
        if not value.isprintable() and any(
            c not in "\t\n\r" and (ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or 0xD800 <= ord(c) < 0xE000)
            for c in value
        ):
            yield "open", "characters that a server may refuse"
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _check_characters(key)
            yield from _check_characters(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _check_characters(inner)


_PROPERTIES: dict[str, Check] = {
    "service_slug": _check_slug,
    "display_name": lambda value, rule: _check_text(value, rule, 255),
    "service_desc": _check_text,
    "service_type": _check_type,
    "docker_image": _check_text,
    "external_url": _check_url,
    "external_auth_credential_id": _check_uuid,
    "exposed_port": _integer_check(1, 65535),
    "health_path": _check_text,
    "env_config": _items_check("env_name", "env_value"),
    "volume_config": _items_check("host_path", "container_path"),
    "required_labels": _array_check(str, lambda _item, _rule: iter(())),
    "gpu_count": _integer_check(-1, None),
    "replica_count": _integer_check(1, 10),
    "usage_prompt": _check_text,
    "openapi_url": lambda value, rule: _check_text(value, rule, 500),
}

#: The properties that the facts mention.
PROPERTY_NAMES = frozenset(_PROPERTIES)
