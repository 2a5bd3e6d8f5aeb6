"""The state stage: rules that depend on what is stored, one function per rule, in explicit tables."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from mock_server.contract.model import Contract, Mismatch, Violation
from mock_server.services.model import BUSY_STATUSES, UNUSED_PROPERTIES, Service
from mock_server.validation.callers import UUID_PATTERN

Values = dict[str, Any]

#: No update changes them; by property, the rule that says so.
IMMUTABLE_PROPERTIES = {"service_slug": "slug-immutable", "service_type": "service-type-immutable"}
#: Properties whose texts have no written length, and the length that a mock without `texts-unbounded` allows.
_UNBOUNDED_TEXTS = (
    "service_desc",
    "health_path",
    "env_config",
    "volume_config",
    "required_labels",
    "usage_prompt",
)
_TEXT_LIMIT = 255


@dataclass(frozen=True, slots=True)
class Update:
    """A well-formed update, and the stored service of its id, if there is one."""

    service_id: str
    team: str
    body: Values
    service: Service | None


# --- constraints


def slug_unique() -> Mismatch:
    """Describe a slug that the team uses already. The store detects it, since only that excludes a race."""
    actual, expected = "a slug that the team already uses", "a slug that is free within the team"
    return Mismatch("state", "/service_slug", actual, expected)


def service_exists(update: Update) -> Mismatch | None:
    """Refuse an id that no service has. An id that is not a UUID is refused by the path stage."""
    return (
        _unknown_service() if update.service is None and UUID_PATTERN.fullmatch(update.service_id) else None
    )


def team_scope(update: Update) -> Mismatch | None:
    """Refuse the service of another team as if it did not exist."""
    return _unknown_service() if update.service is not None and update.service.team != update.team else None


def not_while_busy(update: Update) -> Mismatch | None:
    """Refuse an update while the service is deploying or stopping."""
    if update.service is None or update.service.status not in BUSY_STATUSES:
        return None
    expected = "a service that is not deploying or stopping; retry later"
    return Mismatch("state", "", f"a service that is {update.service.status}", expected)


def external_url_on_external_only(update: Update) -> Mismatch | None:
    """Refuse `external_url` where the stored type is not external."""
    return _check_external_only(update, "external_url")


def external_credential_on_external_only(update: Update) -> Mismatch | None:
    """Refuse a credential where the stored type is not external; null is not a credential."""
    return _check_external_only(update, "external_auth_credential_id")


def docker_image_on_external_refused(update: Update) -> Mismatch | None:
    """Refuse `docker_image` where the stored type is external."""
    stored = update.service.values.get("service_type") if update.service else "deployed"
    if stored != "external" or update.body.get("docker_image") is None:
        return None
    expected = "no docker_image: the type of the service is external, and never changes"
    return Mismatch("state", "/docker_image", "docker_image on an external service", expected)


def _check_external_only(update: Update, name: str) -> Mismatch | None:
    stored = update.service.values.get("service_type") if update.service else "external"
    if stored == "external" or update.body.get(name) is None:
        return None
    expected = f"no {name}: the type of the service is deployed, and never changes"
    return Mismatch("state", f"/{name}", f"{name} on a service that is not external", expected)


def _unknown_service() -> Mismatch:
    actual, expected = "an id that no service of the team has", "the id of a service of the team"
    return Mismatch("path", "/serviceId", actual, expected)


Check = Callable[[Update], Mismatch | None]
#: Whether there is a service to update: the first mismatch decides.
IDENTITY_CHECKS: tuple[tuple[str, Check], ...] = (
    ("service-exists", service_exists),
    ("team-scope", team_scope),
)
#: Whether the update is allowed: all mismatches are reported.
CONDITION_CHECKS: tuple[tuple[str, Check], ...] = (
    ("not-while-busy", not_while_busy),
    ("external-url-on-external-only", external_url_on_external_only),
    ("external-credential-on-external-only", external_credential_on_external_only),
)
#: Choice, option and check of what an option refuses, beside the conditions.
CHOICE_CHECKS: tuple[tuple[str, str, Check], ...] = (
    ("docker-image-on-external-update", "refused", docker_image_on_external_refused),
)
#: Detected by the store while it writes.
CONFLICT_CHECKS = (("slug-unique", slug_unique),)


def check_update(contract: Contract, update: Update) -> list[Violation]:
    """Return the violations of an update, of enabled rules only."""
    refused = _check(contract, IDENTITY_CHECKS, update)
    if refused:
        return refused
    refusals = (
        Violation(contract.choice_rule(choice), mismatch)
        for choice, option, check in CHOICE_CHECKS
        if contract.chosen(choice, option) and (mismatch := check(update))
    )
    return [*_check(contract, CONDITION_CHECKS, update), *refusals]


def _check(contract: Contract, checks: Iterable[tuple[str, Check]], update: Update) -> list[Violation]:
    found = ((rule, check(update)) for rule, check in checks if contract.rule_enabled(rule))
    return [Violation(contract.rule(rule), mismatch) for rule, mismatch in found if mismatch]


# --- permissions


def unused_properties_accepted(service_type: object, body: Values) -> list[Mismatch]:
    """Describe properties that only the other type uses. They are refused only while this permission is disabled."""
    names = UNUSED_PROPERTIES.get(service_type, ()) if isinstance(service_type, str) else ()
    expected = f"only properties that a service of the type {service_type} uses"
    return [Mismatch("body", f"/{name}", name, expected) for name in names if body.get(name) is not None]


def texts_unbounded(_service_type: object, body: Values) -> list[Mismatch]:
    """Describe long or empty texts without a written length; refused only while this permission is disabled."""
    texts = [(f"/{name}", text) for name in _UNBOUNDED_TEXTS for text in _texts_in(body.get(name))]
    expected = f"1 to {_TEXT_LIMIT} characters"
    return [
        Mismatch("body", pointer, f"{len(text)} characters", expected)
        for pointer, text in texts
        if not 1 <= len(text) <= _TEXT_LIMIT
    ]


def _texts_in(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts_in(item)


STATE_PERMISSIONS: tuple[tuple[str, Callable[[object, Values], list[Mismatch]]], ...] = (
    ("unused-properties-accepted", unused_properties_accepted),
    ("texts-unbounded", texts_unbounded),
)


def check_permissions(contract: Contract, service_type: object, body: Values) -> list[Violation]:
    """Return the violations of disabled permissions."""
    return [
        Violation(contract.rule(rule), mismatch)
        for rule, check in STATE_PERMISSIONS
        if not contract.rule_enabled(rule)
        for mismatch in check(service_type, body)
    ]


# --- effects: what an accepted request stores and returns


def slug_immutable(body: Values) -> Values:
    """Return the body of an update without `service_slug`, which has no effect."""
    return _without_property(body, "service_slug")


def service_type_immutable(body: Values) -> Values:
    """Return the body of an update without `service_type`, which has no effect."""
    return _without_property(body, "service_type")


def external_credential_null_keeps(body: Values) -> Values:
    """Return the body of an update without a null credential, which means the same as leaving it out."""
    name = "external_auth_credential_id"
    return _without_property(body, name) if body.get(name, "") is None else body


def created_stored(_stored: Values, body: Values) -> Values:
    """Return the values that a create sends: all of them are stored."""
    return body


def update_keeps_omitted(stored: Values, _body: Values) -> Values:
    """Return the stored values: an update keeps those that it leaves out."""
    return stored


def updated_stored(_stored: Values, body: Values) -> Values:
    """Return the values that an update sends: all of them are stored."""
    return body


def created(service_id: str) -> Values:
    """Return the body of a successful create."""
    return {"id": service_id}


def updated(service_id: str) -> Values:
    """Return the body of a successful update."""
    return {"id": service_id}


BodyEffect = Callable[[Values], Values]
StoreEffect = Callable[[Values, Values], Values]
#: Applied to the body of an update, in order.
UPDATE_BODY_EFFECTS: tuple[tuple[str, BodyEffect], ...] = (
    ("slug-immutable", slug_immutable),
    ("service-type-immutable", service_type_immutable),
    ("external-credential-null-keeps", external_credential_null_keeps),
)
#: Each adds values to those that are stored; later ones win.
CREATE_STORE_EFFECTS: tuple[tuple[str, StoreEffect], ...] = (("created-stored", created_stored),)
UPDATE_STORE_EFFECTS: tuple[tuple[str, StoreEffect], ...] = (
    ("update-keeps-omitted", update_keeps_omitted),
    ("updated-stored", updated_stored),
)
RESPONSE_EFFECTS = (("created", created), ("updated", updated))


def values_after_create(contract: Contract, body: Values, defaults: Values) -> Values:
    """Return the values of a new service. Its slug and type are stored even while an effect is disabled."""
    return _apply(contract, CREATE_STORE_EFFECTS, {**defaults, **_identity(body)}, {}, body)


def values_after_update(contract: Contract, stored: Values, body: Values) -> Values:
    """Return the values of an updated service. Its slug and type are kept even while an effect is disabled."""
    for rule, effect in UPDATE_BODY_EFFECTS:
        if contract.rule_enabled(rule):
            body = effect(body)
    return _apply(contract, UPDATE_STORE_EFFECTS, _identity(stored), stored, body)


def _apply(
    contract: Contract,
    effects: Iterable[tuple[str, StoreEffect]],
    values: Values,
    stored: Values,
    body: Values,
) -> Values:
    for rule, effect in effects:
        if contract.rule_enabled(rule):
            values = {**values, **effect(stored, body)}
    return values


def _identity(values: Values) -> Values:
    return {name: values[name] for name in IMMUTABLE_PROPERTIES if name in values}


def _without_property(values: Values, name: str) -> Values:
    return {key: value for key, value in values.items() if key != name} if name in values else values
