"""What the contract says of a request: the rules that it breaks, and the choices that it touches."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from contract_tests.cases.model import OperationId
from contract_tests.contract.choices import Choice
from contract_tests.generation.oracle import CREDENTIAL_PROPERTY, PROPERTY_NAMES, predict

_CREATE: OperationId = "createContainer"
#: The choice of each open point of the oracle that needs no look at the body.
_CHOICES_OF_POINTS: Mapping[str, str] = {
    "null body": "null-on-update",
    "a body over 16 KiB": "largest-body",
    "empty docker_image": "empty-docker-image",
    "a property that never changes": "immutable-properties",
    "a host that no public network has": "private-hosts",
    "an integer written with a point": "integral-floats",
    "a repeated item": "repeated-items",
}
#: The choice about each property that the type of the service does not use.
UNUSED: Mapping[tuple[str, str], str] = {
    ("deployed", "external_url"): "external-url-on-deployed",
    ("deployed", CREDENTIAL_PROPERTY): "credential-on-deployed",
    ("external", "docker_image"): "docker-image-on-external",
}
_ITEM_PROPERTIES = {
    "env_config": {"env_name", "env_value"},
    "volume_config": {"host_path", "container_path"},
}
_NUL = re.compile(rb"\\u0000|\x00")


def list_body_choices(operation: OperationId, raw: bytes, body: Any, stored_type: str) -> Iterator[str]:
    """Yield the choices that a body touches; ``stored_type`` is that of the service which an update names."""
    is_json = body is not None or raw.strip() == b"null"
    for point in sorted(predict(operation, body, stored_type).open_points) if is_json else ():
        if point in _CHOICES_OF_POINTS:
            yield _CHOICES_OF_POINTS[point]
        elif point.startswith("null "):
            yield "null-on-create" if operation == _CREATE else "null-on-update"
        elif point == "unknown property":
            yield from _list_unknown(body)
        elif point == "a property that only the other type uses":
            yield from _list_unused(operation, body, stored_type)
        elif point == "a URI that parsers read differently" and _has_no_host(body):
            yield "urls-without-host"
    if _NUL.search(raw):
        yield "nul-characters"


def _list_unknown(body: Any) -> Iterator[str]:
    if body.keys() - PROPERTY_NAMES:
        yield "unknown-properties"
    for name, known in _ITEM_PROPERTIES.items():
        items = body.get(name)
        if isinstance(items, list) and any(isinstance(item, dict) and item.keys() - known for item in items):
            yield "unknown-item-properties"
            return


def _list_unused(operation: OperationId, body: Any, stored_type: str) -> Iterator[str]:
    creating = operation == _CREATE
    kind = ("external" if body.get("service_type") == "external" else "deployed") if creating else stored_type
    for (of, name), choice in UNUSED.items():
        if of == kind and body.get(name) is not None:
            yield choice


def _has_no_host(body: Any) -> bool:
    url = body.get("external_url") if isinstance(body, dict) else None
    return isinstance(url, str) and bool(re.match(r"https:(?://(?:[/?#:]|$)|(?!//))", url))


def list_rule_choices(
    rule: str, headers: Mapping[str, str], raw: bytes, choices: Iterable[Choice]
) -> list[str]:
    """Return the choices on which a rule that is open or broken in a request depends."""
    if rule == "auth-bearer":
        scheme, _, token = headers.get("authorization", "").partition(" ")
        return ["bearer-case"] if scheme.lower() == "bearer" and scheme != "Bearer" and token.strip() else []
    if rule == "body-media-type":
        value = headers.get("content-type")
        if value is None:
            return ["missing-media-type"]
        return ["media-type-parameters"] if ";" in value else []
    if rule == "body-json":
        return [] if raw else ["empty-update-body"]
    if rule == "body-text":
        return ["nul-characters"] if _NUL.search(raw) else []
    if rule == "body-size":
        return ["largest-body"]
    if rule == "team-uuid" and headers.get("x-team-id") == "":
        return ["empty-team"]
    return [choice.id for choice in choices if rule in choice.disables]
