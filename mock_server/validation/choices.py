"""The options that change how the values of a request are checked and stored. One function per option, in tables.

An option that only disables rules or sets a status needs no function: `spec/choices.yaml` says it.
"""

import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from mock_server.contract.model import Contract, Mismatch, Operation, Violation
from mock_server.contract.property_names import UnknownProperty
from mock_server.contract.suggestions import suggestion_suffix
from mock_server.validation import open_values, schema
from mock_server.validation.body import iter_strings
from mock_server.validation.request import Request
from mock_server.validation.schema_messages import format_value

Values = dict[str, Any]
_IMMUTABLE = ("service_slug", "service_type")
_CREDENTIAL = "external_auth_credential_id"
_MAX_INT32 = 2**31 - 1
#: Where a request names a service or a team.
_ID_PARAMETER, _TEAM_FIELD = "serviceId", "X-Team-Id"


# --- which service and team a request names


def read_ids(contract: Contract, request: Request) -> Request:
    """Return the request with its ids in the usual form, if the options read other ones."""
    if not contract.chosen("id-forms", "accepted"):
        return request
    paths, headers = request.path_values, request.headers
    return request._replace(
        path_values={**paths, **_read_uuid_of(paths, _ID_PARAMETER)},
        headers={**headers, **_read_uuid_of(headers, _TEAM_FIELD)},
    )


def _read_uuid_of(values: Mapping[str, str], name: str) -> dict[str, str]:
    return {name: open_values.read_uuid(values[name])} if name in values else {}


# --- what a body means: applied before the schema, in this order


def null_is_absent(_operation: Operation, body: Values) -> Values:
    """Return the body without the properties that are null."""
    return {name: value for name, value in body.items() if value is not None}


def null_items_absent(_operation: Operation, body: Values) -> Values:
    """Return the body without the items of arrays that are null."""
    return _change_arrays(body, lambda items: [item for item in items if item is not None])


def null_item_properties_absent(operation: Operation, body: Values) -> Values:
    """Return the body without the properties of items that are null."""
    return _change_arrays(
        body,
        lambda items: [null_is_absent(operation, item) if isinstance(item, dict) else item for item in items],
    )


def env_names_merged(_operation: Operation, body: Values) -> Values:
    """Return the body without the variables to which a later one gives another value."""
    items = body.get("env_config")
    if not isinstance(items, list):
        return body
    last = {_name_variable(item): item for item in items}
    return {**body, "env_config": [item for item in items if item == last[_name_variable(item)]]}


def credential_in_usual_form(_operation: Operation, body: Values) -> Values:
    """Return the body with the usual form of its credential."""
    credential = body.get(_CREDENTIAL)
    if not isinstance(credential, str):
        return body
    return {**body, _CREDENTIAL: open_values.read_uuid(credential)}


def items_merged(_operation: Operation, body: Values) -> Values:
    """Return the body with one of each item that an array holds twice."""
    return _change_arrays(body, _distinct)


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


def empty_docker_image_on_update_refused(operation: Operation, body: Values) -> Iterator[Mismatch]:
    """Refuse the update with an empty `docker_image`."""
    if operation.id == "updateContainer" and body.get("docker_image") == "":
        yield _mismatch("/docker_image", "", "a text that is not empty")


def empty_env_name_refused(_operation: Operation, body: Values) -> Iterator[Mismatch]:
    """Refuse a variable whose name is empty."""
    for number, item in enumerate(_list_items(body, "env_config")):
        if isinstance(item, dict) and item.get("env_name") == "":
            yield _mismatch(f"/env_config/{number}/env_name", "", "a text that is not empty")


def large_gpu_count_refused(_operation: Operation, body: Values) -> Iterator[Mismatch]:
    """Refuse a `gpu_count` of more than 32 bits."""
    count = body.get("gpu_count")
    if isinstance(count, int | float) and count > _MAX_INT32:
        yield _mismatch("/gpu_count", count, f"at most {_MAX_INT32}")


def control_character_refused(_operation: Operation, body: Values) -> Iterator[Mismatch]:
    """Refuse a text with a control character other than NUL, tab and line ends."""
    for pointer, text in iter_strings(body):
        if open_values.has_control_character(text):
            yield _mismatch(pointer, text, "text without control characters")


def private_host_refused(_operation: Operation, body: Values) -> Iterator[Mismatch]:
    """Refuse an `external_url` whose host no public network has."""
    url = body.get("external_url")
    if isinstance(url, str) and open_values.is_private_host(open_values.read_host(url)):
        yield _mismatch("/external_url", url, "a host of the public network")


def one_label_host_refused(_operation: Operation, body: Values) -> Iterator[Mismatch]:
    """Refuse an `external_url` whose host is a name of one label."""
    url = body.get("external_url")
    if isinstance(url, str) and open_values.is_one_label(open_values.read_host(url)):
        yield _mismatch("/external_url", url, "a host with a dot in its name")


def url_without_host_refused(_operation: Operation, body: Values) -> Iterator[Mismatch]:
    """Refuse an `external_url` that has no host."""
    url = body.get("external_url")
    if isinstance(url, str) and url.startswith("https://") and not open_values.read_host(url):
        yield _mismatch("/external_url", url, "an absolute URI with a host")


def credential_capitals_refused(_operation: Operation, body: Values) -> Iterator[Mismatch]:
    """Refuse a credential with capitals."""
    credential = body.get(_CREDENTIAL)
    if isinstance(credential, str) and credential != credential.lower():
        yield _mismatch(f"/{_CREDENTIAL}", credential, "a UUID in small letters")


def credential_version_refused(_operation: Operation, body: Values) -> Iterator[Mismatch]:
    """Refuse a credential that is a UUID of no version from 1 to 7."""
    credential = body.get(_CREDENTIAL)
    if isinstance(credential, str) and not open_values.has_known_version(credential):
        yield _mismatch(f"/{_CREDENTIAL}", credential, "a UUID of a version from 1 to 7")


def unknown_credential_refused(_operation: Operation, body: Values) -> Iterator[Mismatch]:
    """Refuse every credential: the mock stores none."""
    credential = body.get(_CREDENTIAL)
    if isinstance(credential, str):
        yield _mismatch(f"/{_CREDENTIAL}", credential, "the id of a stored credential")


def repeated_env_name_refused(_operation: Operation, body: Values) -> Iterator[Mismatch]:
    """Refuse variables that have one name and different values."""
    items = _distinct(_list_items(body, "env_config"))
    if len({_name_variable(item) for item in items}) < len(items):
        yield _mismatch("/env_config", items, "each name once")


def repeated_item_refused(_operation: Operation, body: Values) -> Iterator[Mismatch]:
    """Refuse an item that an array holds twice."""
    for name, value in body.items():
        if isinstance(value, list) and len(_distinct(value)) < len(value):
            yield _mismatch(f"/{name}", value, "each item once")


# --- what a body may hold, though its schema refuses it


def url_characters_accepted(url: object) -> bool:
    """Accept an `external_url` with characters that no URI has."""
    return isinstance(url, str) and open_values.is_url_but_for_characters(url)


Change = Callable[[Operation, Values], Values]
Refusal = Callable[[Operation, Values], Iterable[Mismatch]]
#: Choice, option and change, in order.
CHANGES: tuple[tuple[str, str, Change], ...] = (
    ("null-on-create", "absent", null_is_absent),
    ("null-on-update", "absent", null_is_absent),
    ("null-items", "absent", null_items_absent),
    ("null-item-properties", "absent", null_item_properties_absent),
    ("credential-forms", "accepted", credential_in_usual_form),
    ("repeated-items", "merged", items_merged),
    ("repeated-env-names", "merged", env_names_merged),
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
    ("empty-docker-image-on-update", "refused", empty_docker_image_on_update_refused),
    ("empty-env-name", "refused", empty_env_name_refused),
    ("large-gpu-counts", "refused", large_gpu_count_refused),
    ("control-characters", "refused", control_character_refused),
    ("private-hosts", "refused", private_host_refused),
    ("one-label-hosts", "refused", one_label_host_refused),
    ("urls-without-host", "refused", url_without_host_refused),
    ("credential-capitals", "refused", credential_capitals_refused),
    ("credential-versions", "refused", credential_version_refused),
    ("unknown-credentials", "refused", unknown_credential_refused),
    ("repeated-items", "refused", repeated_item_refused),
    ("repeated-env-names", "refused", repeated_env_name_refused),
)
#: Choice, option, the rule that does not hold for some values of a property, the property, and which values.
ALLOWANCES: tuple[tuple[str, str, str, str, Callable[[object], bool]], ...] = (
    ("url-characters", "accepted", "external-url-format", "external_url", url_characters_accepted),
)


def change_body(contract: Contract, operation: Operation, body: Any) -> Any:
    """Return the body as the options read it; a value other than an object as it is."""
    if isinstance(body, dict):
        for choice, option, change in CHANGES:
            if contract.chosen(choice, option) and operation.id in contract.choices[choice].operations:
                body = change(operation, body)
    return body


def check_body(contract: Contract, operation: Operation, body: Any) -> list[Violation]:
    """Return the violations of the schema and of the options."""
    if operation.body is None:
        return []
    broken = schema.check_value(contract, operation.body, body, "body")
    if not isinstance(body, dict):
        return broken
    for choice, option, rule, name, is_allowed in ALLOWANCES:
        if broken and contract.chosen(choice, option) and is_allowed(body.get(name)):
            broken = [violation for violation in broken if violation.rule.id != rule]
    return broken + _list_refusals(contract, operation, body)


def _list_refusals(contract: Contract, operation: Operation, body: Values) -> list[Violation]:
    found = (
        Violation(contract.choice_rule(choice), mismatch)
        for choice, option, refusal in REFUSALS
        if contract.chosen(choice, option)
        for mismatch in refusal(operation, body)
    )
    return list(itertools.islice(found, schema.MAX_VIOLATIONS))


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


def _change_arrays(body: Values, change: Callable[[list[Any]], list[Any]]) -> Values:
    return {name: change(value) if isinstance(value, list) else value for name, value in body.items()}


def _list_items(body: Values, name: str) -> list[Any]:
    items = body.get(name)
    return items if isinstance(items, list) else []


def _distinct(items: list[Any]) -> list[Any]:
    return list({json.dumps(item, sort_keys=True): item for item in items}.values())


def _name_variable(item: Any) -> str:
    """Return the name of an item of `env_config`; any other item has no name but itself."""
    name = item.get("env_name") if isinstance(item, dict) else None
    return f"name {name}" if isinstance(name, str) else json.dumps(item, sort_keys=True)
