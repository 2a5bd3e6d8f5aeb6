"""State model: the services that a correct target has stored after a sequence of requests."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from contract_tests.cases.model import Expect
from contract_tests.generation.oracle import CREDENTIAL_PROPERTY, predict

BUSY_STATUSES = ("deploying", "stopping")


@dataclass(frozen=True, slots=True)
class StoredService:
    """One service: its team (red or blue), slug label, type, credential if known, and status."""

    team: str
    slug: str
    service_type: str
    credential: str | None = None
    status: str = "created"


@dataclass(slots=True)
class StateModel:
    """All services by label."""

    services: dict[str, StoredService] = field(default_factory=dict)

    def expect_create(self, team: str, slug: str, body: Mapping[str, Any]) -> tuple[Expect, str]:
        """Return the expectation of a create, and the rule that gives it."""
        prediction = predict("createContainer", {"service_slug": "any-slug", **body})
        if any(s.team == team and s.slug == slug for s in self.services.values()):
            return "refuse", "slug-unique"
        if prediction.broken_rules:
            return "refuse", min(prediction.broken_rules)
        return prediction.expect, "slug-unique"

    def apply_create(self, label: str, team: str, slug: str, body: Mapping[str, Any]) -> None:
        """Store the service of an accepted create."""
        service_type = body.get("service_type") or "deployed"
        self.services[label] = StoredService(team, slug, service_type, body.get(CREDENTIAL_PROPERTY))

    def expect_update(self, label: str, team: str, body: Mapping[str, Any]) -> tuple[Expect, str]:
        """Return the expectation of an update, and the rule that gives it."""
        stored = self.services[label]
        if stored.team != team:
            return "refuse", "team-scope"
        prediction = predict("updateContainer", body, stored.service_type)
        if prediction.broken_rules:
            return "refuse", min(prediction.broken_rules)
        if stored.status in BUSY_STATUSES:
            return "refuse", "not-while-busy"
        return prediction.expect, permission_rule(body) if stored.status == "created" else "not-while-busy"

    def apply_update(self, label: str, body: Mapping[str, Any]) -> None:
        """Store the credential of an accepted update."""
        if body.get(CREDENTIAL_PROPERTY):
            self.services[label] = replace(self.services[label], credential=body[CREDENTIAL_PROPERTY])

    def set_status(self, label: str, status: str) -> None:
        """Store the new status of a service."""
        self.services[label] = replace(self.services[label], status=status)


def permission_rule(body: Mapping[str, Any]) -> str:
    """Return the rule that permits an update of a new service."""
    if "external_url" in body:
        return "external-url-on-external-only"
    if CREDENTIAL_PROPERTY in body:
        is_set = body[CREDENTIAL_PROPERTY] is not None
        return "external-credential-on-external-only" if is_set else "external-credential-null-accepted"
    return "updated" if body else "update-partial"
