"""What the contract says of a request: the rules that it breaks, and the choices that it touches."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from uuid import UUID

from contract_tests.cases.model import OperationId
from contract_tests.contract.choices import Choice
from contract_tests.generation.oracle import CREDENTIAL_PROPERTY, PROPERTY_NAMES, predict
from contract_tests.results.judge import is_uuid

_CREATE: OperationId = "createContainer"
#: The choice of each open point of the oracle that needs no look at the body.
_CHOICES_OF_POINTS: Mapping[str, str] = {
    "null body": "null-update-body",
    "null item": "null-items",
    "a body over 16 KiB": "largest-body",
    "a property that never changes": "immutable-properties",
    "an integer written with a point": "integral-floats",
    "a number beyond 32 bits": "large-gpu-counts",
    "empty env_name": "empty-env-name",
}
#: The choice about each property that the type of the service does not use, on creates.
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
_CONTROL_CHARACTER = re.compile("[\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_VERSION = re.compile(r".{8}-.{4}-[1-7].{3}-[89ab].{3}-.{12}", re.IGNORECASE)


def list_body_choices(operation: OperationId, raw: bytes, body: Any, stored_type: str) -> Iterator[str]:
    """Yield the choices that a body touches; ``stored_type`` is that of the service which an update names."""
    is_json = body is not None or raw.strip() == b"null"
    for point in sorted(predict(operation, body, stored_type).open_points) if is_json else ():
        if point in _CHOICES_OF_POINTS:
            yield _CHOICES_OF_POINTS[point]
        elif point.startswith("null "):
            yield _find_null_choice(operation, point.removeprefix("null "))
        elif point == "a property that only the other type uses":
            yield from _list_unused(operation, body, stored_type)
        elif point == "empty docker_image":
            yield "empty-docker-image" if operation == _CREATE else "empty-docker-image-on-update"
        else:
            yield from _CHOICES_OF_VALUES[point](body)
    if _NUL.search(raw):
        yield "nul-characters"


def _find_null_choice(operation: OperationId, name: str) -> str:
    if any(name in names for names in _ITEM_PROPERTIES.values()):
        return "null-item-properties"
    return "null-on-create" if operation == _CREATE else "null-on-update"


def _list_unknown(body: Any) -> Iterator[str]:
    if body.keys() - PROPERTY_NAMES:
        yield "unknown-properties"
    if any(has_unknown_item_properties(name, body.get(name)) for name in _ITEM_PROPERTIES):
        yield "unknown-item-properties"


def has_unknown_item_properties(name: str, items: Any) -> bool:
    """Return whether an item of this property of the body has a property that no page names."""
    known, items = _ITEM_PROPERTIES.get(name), items if isinstance(items, list) else []
    return known is not None and any(isinstance(item, dict) and item.keys() - known for item in items)


def drop_unknown_item_properties(name: str, value: Any) -> Any:
    """Return a value of this property of the body without the properties of its items that no page names."""
    known = _ITEM_PROPERTIES.get(name)
    if known is None or not isinstance(value, list):
        return value
    return [
        {key: item[key] for key in item if key in known} if isinstance(item, dict) else item for item in value
    ]


def _list_unused(operation: OperationId, body: Any, stored_type: str) -> Iterator[str]:
    creating = operation == _CREATE
    kind = ("external" if body.get("service_type") == "external" else "deployed") if creating else stored_type
    for (of, name), choice in UNUSED.items():
        if of == kind and body.get(name) is not None:
            yield choice if creating else f"{choice}-update"


def _list_of_url(body: Any) -> Iterator[str]:
    url = body["external_url"]
    is_without_host = re.match(r"https:(?://(?:[/?#:]|$)|(?!//))", url)
    if url.startswith("https://["):  # the address may be a private one
        yield "private-hosts"
    yield "urls-without-host" if is_without_host else "url-characters"


def _list_of_host(body: Any) -> Iterator[str]:
    name = re.split(r"[/?#:]", body["external_url"].removeprefix("https://"))[0].rstrip(".")
    is_private = "." in name or "[" in name or name.lower() == "localhost"
    yield "private-hosts" if is_private else "one-label-hosts"


def _list_of_uuid(body: Any) -> Iterator[str]:
    value = body[CREDENTIAL_PROPERTY]
    if not is_uuid(value):
        yield "credential-forms"
        value = str(UUID(value))
    elif value != value.lower():
        yield "credential-capitals"
    if not _VERSION.fullmatch(value):
        yield "credential-versions"


def _list_of_repeats(body: Any) -> Iterator[str]:
    for items in (value for value in body.values() if isinstance(value, list)):
        known = [item for place, item in enumerate(items) if item not in items[:place]]
        if len(known) < len(items):
            yield "repeated-items"
        if repeats_env_name(known):
            yield "repeated-env-names"


def repeats_env_name(items: Iterable[Any]) -> bool:
    """Return whether two different items have one name of a variable."""
    names = [item["env_name"] for item in items if isinstance(item, dict) and "env_name" in item]
    return any(name in names[:place] for place, name in enumerate(names))


def _list_of_characters(body: Any) -> Iterator[str]:
    """Yield the choice about control characters; another one is about NUL, and none about half a surrogate pair."""
    if any(map(_CONTROL_CHARACTER.search, _list_texts(body))):
        yield "control-characters"


def _list_texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in (*value, *value.values()) if isinstance(value, dict) else value:
            yield from _list_texts(inner)


#: The choices of each open point of the oracle that depend on the values in question.
_CHOICES_OF_VALUES: Mapping[str, Callable[[Any], Iterator[str]]] = {
    "unknown property": _list_unknown,
    "a URI that parsers read differently": _list_of_url,
    "a host that no public network has": _list_of_host,
    "a UUID of another form, case or version": _list_of_uuid,
    "a repeated item": _list_of_repeats,
    "characters that a server may refuse": _list_of_characters,
}


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
        media_type, semicolon, _ = value.partition(";")
        is_other = media_type.strip().lower().endswith("+json")
        return ["other-json-types"] * is_other + ["media-type-parameters"] * bool(semicolon)
    if rule == "body-json":
        return ["empty-update-body"] if not raw else [] if _is_utf8(raw) else ["other-encodings"]
    if rule == "body-text":
        return ["nul-characters"] if _NUL.search(raw) else ["half-surrogates"]
    if rule == "body-size":
        return ["largest-body"]
    if rule == "team-uuid" and headers.get("x-team-id") == "":
        return ["empty-team"]
    return [choice.id for choice in choices if rule in choice.disables]


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True
