"""The rules that no schema can say: one short function per rule, named as the rule, in explicit tables."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from mock_server.contract.loader import Contract, Fault, Violation
from mock_server.services.memory import Service
from mock_server.validation.callers import UUID

Values = dict[str, Any]

BUSY = ("deploying", "stopping")
#: What the other type uses only.
UNUSED = {"deployed": ("external_url", "external_auth_credential_id"), "external": ("docker_image",)}


@dataclass(frozen=True, slots=True)
class Update:
    """An update of well-formed values, and the service that it is for, if there is one."""

    service_id: str
    team: str
    sent: Values
    service: Service | None


# --- what is refused


def slug_unique(slug: object) -> Fault:
    """A slug is used once within a team: the store says so, since only it can say it without a race."""
    del slug
    return Fault(
        "state", "/service_slug", "a slug that the team already uses", "a slug that is free within the team"
    )


def service_exists(update: Update) -> Fault | None:
    """There is a service of the id. What is no UUID is the path's to refuse."""
    return _unknown() if update.service is None and UUID.fullmatch(update.service_id) else None


def team_scope(update: Update) -> Fault | None:
    """The service is the team's own; another team's is not found."""
    return _unknown() if update.service is not None and update.service.team != update.team else None


def not_while_busy(update: Update) -> Fault | None:
    """The service is neither deploying nor stopping."""
    if update.service is None or update.service.status not in BUSY:
        return None
    return Fault(
        "state", "", f"a service that is {update.service.status}", "a service that is not; try again later"
    )


def external_url_on_external_only(update: Update) -> Fault | None:
    """external_url is for a service whose stored type is external."""
    return _external_only(update, "external_url")


def external_credential_on_external_only(update: Update) -> Fault | None:
    """A credential is for a service whose stored type is external; null is no credential."""
    return _external_only(update, "external_auth_credential_id")


def _external_only(update: Update, name: str) -> Fault | None:
    stored = update.service.values.get("service_type") if update.service else "external"
    if stored == "external" or update.sent.get(name) is None:
        return None
    wanted = f"no {name}: the type of the service is deployed, and never changes"
    return Fault("state", f"/{name}", f"{name} on a service that is not external", wanted)


def _unknown() -> Fault:
    seen = "an id that no service of the team has"
    return Fault("path", "/serviceId", seen, "the id of a service of the team")


Check = Callable[[Update], Fault | None]
#: Whether there is anything to update: the first fault decides.
IDENTITY: tuple[tuple[str, Check], ...] = (("service-exists", service_exists), ("team-scope", team_scope))
#: Whether it may be updated so: all faults are told.
CONDITIONS: tuple[tuple[str, Check], ...] = (
    ("not-while-busy", not_while_busy),
    ("external-url-on-external-only", external_url_on_external_only),
    ("external-credential-on-external-only", external_credential_on_external_only),
)
#: What the store answers to a write.
CONFLICTS = (("slug-unique", slug_unique),)


# --- what is accepted: asked only where the permission is withdrawn


def unused_properties_accepted(kind: object, sent: Values) -> list[Fault]:
    """What only the other type uses is accepted and has no effect."""
    names = UNUSED.get(kind, ()) if isinstance(kind, str) else ()
    wanted = f"only what a service of the type {kind} uses"
    return [Fault("body", f"/{name}", name, wanted) for name in names if sent.get(name) is not None]


PERMISSIONS = (("unused-properties-accepted", unused_properties_accepted),)


# --- what an accepted request stores: from what is stored and what is sent, to what is then stored


def created_stored(_stored: Values, sent: Values, holds: bool) -> Values:
    """A create stores what is sent."""
    return sent if holds else _without_the_last(sent)


def slug_immutable(_stored: Values, sent: Values, holds: bool) -> Values:
    """A service_slug sent on update has no effect."""
    return _without(sent, "service_slug") if holds or not isinstance(sent.get("service_slug"), str) else sent


def service_type_immutable(_stored: Values, sent: Values, holds: bool) -> Values:
    """A service_type sent on update has no effect."""
    return _without(sent, "service_type") if holds else sent


def external_credential_null_keeps(_stored: Values, sent: Values, holds: bool) -> Values:
    """A null credential means the same as leaving it out."""
    name = "external_auth_credential_id"
    return _without(sent, name) if holds and sent.get(name, "") is None else sent


def updated_stored(_stored: Values, sent: Values, holds: bool) -> Values:
    """An update stores what is sent."""
    return sent if holds else _without_the_last(sent)


def update_keeps_omitted(stored: Values, sent: Values, holds: bool) -> Values:
    """What an update leaves out stays as it was."""
    fixed = {name: value for name, value in stored.items() if name in {"service_slug", "service_type"}}
    kept = stored if holds else fixed
    return {**kept, **sent}


Effect = Callable[[Values, Values, bool], Values]
ON_CREATE: tuple[tuple[str, Effect], ...] = (("created-stored", created_stored),)
ON_UPDATE: tuple[tuple[str, Effect], ...] = (
    ("slug-immutable", slug_immutable),
    ("service-type-immutable", service_type_immutable),
    ("external-credential-null-keeps", external_credential_null_keeps),
    ("updated-stored", updated_stored),
    ("update-keeps-omitted", update_keeps_omitted),
)


# --- what it answers


def created(service_id: str, _other: Callable[[], str], holds: bool) -> Values:
    """A create answers the new id."""
    return {"id": service_id} if holds else {}


def updated(service_id: str, other: Callable[[], str], holds: bool) -> Values:
    """An update answers the id of the path."""
    return {"id": service_id if holds else other()}


ANSWERS = (("created", created), ("updated", updated))


def _without(values: Values, name: str) -> Values:
    return {key: value for key, value in values.items() if key != name} if name in values else values


def _without_the_last(values: Values) -> Values:
    kept = [name for name in values if name not in {"service_slug", "service_type"}]
    return _without(values, kept[-1]) if kept else values


def refusals(contract: Contract, checks: Iterable[tuple[str, Check]], update: Update) -> list[Violation]:
    """The violations that the checks find, but for rules that are switched off."""
    found = ((rule, check(update)) for rule, check in checks if rule not in contract.off)
    return [Violation(contract.rule(rule), fault) for rule, fault in found if fault]


def applied(
    contract: Contract, effects: Iterable[tuple[str, Effect]], stored: Values, sent: Values
) -> Values:
    """What is stored once the effects have had their say."""
    for rule, effect in effects:
        sent = effect(stored, sent, rule not in contract.off)
    return sent


def renamed(service: Service, values: Values, now: datetime) -> Service:
    """The service with its new values; the slug is one of them."""
    return replace(service, values=values, slug=values.get("service_slug"), updated_at=now)
