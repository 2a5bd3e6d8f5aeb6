"""The options that change how the values of a body are checked and stored. One function per option, in two tables.

An option that only disables rules or sets a status needs no function: `spec/choices.yaml` says it.
"""

import ipaddress
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

from mock_server.contract.model import Contract, Mismatch, Operation, Violation
from mock_server.validation.schema_messages import format_value

Values = dict[str, Any]
_IMMUTABLE = ("service_slug", "service_type")
_CREDENTIAL = "external_auth_credential_id"
_ITEM_PROPERTIES = {
    "env_config": ("env_name", "env_value"),
    "volume_config": ("host_path", "container_path"),
}
_LOCAL_NAMES = (".localhost", ".local", ".internal")


# --- what a body means: applied before the schema, in this order


def null_is_absent(_operation: Operation, body: Values) -> Values:
    """Return the body without the properties that are null."""
    return {name: value for name, value in body.items() if value is not None}


def immutable_ignored(operation: Operation, body: Values) -> Values:
    """Return the body of an update without the properties that never change, if unknown properties are refused."""
    is_closed = operation.body is not None and operation.body.node.get("additionalProperties") is False
    names = [name for name in _IMMUTABLE if is_closed and name not in operation.properties.known]
    return {name: value for name, value in body.items() if name not in names}


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


def unknown_item_property_refused(_operation: Operation, body: Values) -> Iterator[Mismatch]:
    """Refuse an unknown property of an item."""
    for array, known in _ITEM_PROPERTIES.items():
        value = body.get(array)
        for number, item in enumerate(value if isinstance(value, list) else ()):
            for name in item if isinstance(item, dict) else ():
                if name not in known:
                    yield _mismatch(f"/{array}/{number}", name, f"only {' and '.join(known)}")


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
    ("immutable-properties", "ignored", immutable_ignored),
    ("repeated-items", "merged", items_merged),
)
REFUSALS: tuple[tuple[str, str, Refusal], ...] = (
    ("integral-floats", "refused", integral_float_refused),
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
    return [
        Violation(contract.choice_rule(choice), mismatch)
        for choice, option, refusal in REFUSALS
        if contract.chosen(choice, option)
        for mismatch in refusal(operation, body)
    ]


def _refuse_on(operation: Operation, body: Values, kind: str, name: str) -> Iterator[Mismatch]:
    is_create = operation.id == "createContainer"
    if is_create and name in body and body.get("service_type", "deployed") == kind:
        yield _mismatch(f"/{name}", body[name], f"no such {name} on a create of the type {kind}")


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
