"""The options that change how the values of a body are checked and stored. One function per option, in two tables.

An option that only disables rules or sets a status needs no function: `spec/choices.yaml` says it.
"""

import ipaddress
import itertools
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

from mock_server.contract.model import Contract, Mismatch, Operation, Violation
from mock_server.contract.property_names import UnknownProperty
from mock_server.contract.suggestions import suggestion_suffix
from mock_server.validation.schema import MAX_VIOLATIONS
from mock_server.validation.schema_messages import format_value

Values = dict[str, Any]
_IMMUTABLE = ("service_slug", "service_type")
_CREDENTIAL = "external_auth_credential_id"
_LOCAL_NAMES = (".localhost", ".local", ".internal")


# --- what a body means: applied before the schema, in this order


def null_is_absent(_operation: Operation, body: Values) -> Values:
    """Return the body without the properties that are null."""
    return {name: value for name, value in body.items() if value is not None}


def items_merged(_operation: Operation, body: Values) -> Values:
    """Return the body with one of each item that an array holds twice."""
    return {name: _distinct(value) if isinstance(value, list) else value for name, value in body.items()}


# --- what a body must not hold: beside the errors of the schema


def integral_float_refused(operation: Operation, body: Values) -> Iterator[Mismatch]:
    """Refuse 8080.0 where an integer is expected."""
    for name in operation.integers:
        value = body.get(name)
        if isinstance(value, float) and value.is_integer():
            yield _mismatch(f"/{name}", value, "an integer, written without a point")


def unknown_property_refused(operation: Operation, body: Values) -> Iterator[Mismatch]:
    """Refuse an unknown property; those that no update changes are another choice."""
    for each in operation.properties.iter_unknown(body):
        is_immutable = operation.id == "updateContainer" and each.place in _IMMUTABLE
        if "/" not in each.place.removesuffix(each.name) and not is_immutable:
            yield _unknown_property(each)


def unknown_item_property_refused(operation: Operation, body: Values) -> Iterator[Mismatch]:
    """Refuse an unknown property of an item."""
    for each in operation.properties.iter_unknown(body):
        if "/" in each.place.removesuffix(each.name):
            yield _unknown_property(each)


def immutable_refused(operation: Operation, body: Values) -> Iterator[Mismatch]:
    """Refuse a property of an update that never changes."""
    if operation.id == "updateContainer":
        yield from (_mismatch(f"/{name}", body[name], f"no {name}") for name in _IMMUTABLE if name in body)


def credential_on_deployed_refused(operation: Operation, body: Values) -> Iterator[Mismatch]:
    """Refuse the create of a deployed service with a credential."""
    return _refuse_on(operation, body, "deployed", _CREDENTIAL)


def external_url_on_deployed_refused(operation: Operation, body: Values) -> Iterator[Mismatch]:
    """Refuse the create of a deployed service with `external_url`."""
    return _refuse_on(operation, body, "deployed", "external_url")


def docker_image_on_external_refused(operation: Operation, body: Values) -> Iterator[Mismatch]:
    """Refuse the create of an external service with `docker_image`."""
    return _refuse_on(operation, body, "external", "docker_image")


def empty_docker_image_refused(operation: Operation, body: Values) -> Iterator[Mismatch]:
    """Refuse the create of a deployed service with an empty `docker_image`."""
    if body.get("docker_image") == "":
        yield from _refuse_on(operation, body, "deployed", "docker_image")


def private_host_refused(_operation: Operation, body: Values) -> Iterator[Mismatch]:
    """Refuse an `external_url` whose host no public network has."""
    url = body.get("external_url")
    if isinstance(url, str) and _is_private(url):
        yield _mismatch("/external_url", url, "a host of the public network")


def url_without_host_refused(_operation: Operation, body: Values) -> Iterator[Mismatch]:
    """Refuse an `external_url` that has no host."""
    url = body.get("external_url")
    if isinstance(url, str) and url.startswith("https://") and not _read_host(url):
        yield _mismatch("/external_url", url, "an absolute URI with a host")


def unknown_credential_refused(_operation: Operation, body: Values) -> Iterator[Mismatch]:
    """Refuse every credential: the mock stores none."""
    credential = body.get(_CREDENTIAL)
    if isinstance(credential, str):
        yield _mismatch(f"/{_CREDENTIAL}", credential, "the id of a stored credential")


def repeated_item_refused(_operation: Operation, body: Values) -> Iterator[Mismatch]:
    """Refuse an item that an array holds twice."""
    for name, value in body.items():
        if isinstance(value, list) and len(_distinct(value)) < len(value):
            yield _mismatch(f"/{name}", value, "each item once")


Change = Callable[[Operation, Values], Values]
Refusal = Callable[[Operation, Values], Iterable[Mismatch]]
#: Choice, option and change, in order.
CHANGES: tuple[tuple[str, str, Change], ...] = (
    ("null-on-create", "absent", null_is_absent),
    ("null-on-update", "absent", null_is_absent),
    ("repeated-items", "merged", items_merged),
)
REFUSALS: tuple[tuple[str, str, Refusal], ...] = (
    ("integral-floats", "refused", integral_float_refused),
    ("unknown-properties", "refused", unknown_property_refused),
    ("unknown-item-properties", "refused", unknown_item_property_refused),
    ("immutable-properties", "refused", immutable_refused),
    ("credential-on-deployed", "refused", credential_on_deployed_refused),
    ("external-url-on-deployed", "refused", external_url_on_deployed_refused),
    ("docker-image-on-external", "refused", docker_image_on_external_refused),
    ("empty-docker-image", "refused", empty_docker_image_refused),
    ("private-hosts", "refused", private_host_refused),
    ("urls-without-host", "refused", url_without_host_refused),
    ("unknown-credentials", "refused", unknown_credential_refused),
    ("repeated-items", "refused", repeated_item_refused),
)


def change_body(contract: Contract, operation: Operation, body: Any) -> Any:
    """Return the body as the options read it; a value other than an object as it is."""
    if isinstance(body, dict):
        for choice, option, change in CHANGES:
            if contract.chosen(choice, option) and operation.id in contract.choices[choice].operations:
                body = change(operation, body)
    return body


def check_body(contract: Contract, operation: Operation, body: Any) -> list[Violation]:
    """Return the violations of the options."""
    if not isinstance(body, dict):
        return []
    found = (
        Violation(contract.choice_rule(choice), mismatch)
        for choice, option, refusal in REFUSALS
        if contract.chosen(choice, option)
        for mismatch in refusal(operation, body)
    )
    return list(itertools.islice(found, MAX_VIOLATIONS))


def _refuse_on(operation: Operation, body: Values, kind: str, name: str) -> Iterator[Mismatch]:
    is_create = operation.id == "createContainer"
    if is_create and name in body and body.get("service_type", "deployed") == kind:
        yield _mismatch(f"/{name}", body[name], f"no such {name} on a create of the type {kind}")


def _unknown_property(unknown: UnknownProperty) -> Mismatch:
    hint = suggestion_suffix(unknown.name, unknown.known)
    return Mismatch(
        "body", f"/{unknown.place}", "an unknown property", f"the properties of the contract{hint}"
    )


def _mismatch(pointer: str, value: object, expected: str) -> Mismatch:
    return Mismatch("body", pointer, format_value(value), expected)


def _distinct(items: list[Any]) -> list[Any]:
    return list({json.dumps(item, sort_keys=True): item for item in items}.values())


def _is_private(url: str) -> bool:
    host = _read_host(url)
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return host == "localhost" or host.endswith(_LOCAL_NAMES)


def _read_host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return ""
