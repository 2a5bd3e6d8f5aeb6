"""The model: what the facts say a target must have stored after a sequence of requests."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from contract_tests.cases.model import Expect
from contract_tests.generation.oracle import CREDENTIAL, opinion

BUSY = ("deploying", "stopping")


@dataclass(frozen=True, slots=True)
class Stored:
    """One service: its team (red or blue), slug label, type, status and the credential that is known."""

    team: str
    slug: str
    service_type: str
    credential: str | None = None
    status: str = "created"


@dataclass(slots=True)
class Model:
    """All services by label."""

    services: dict[str, Stored] = field(default_factory=dict)

    def expect_create(self, team: str, slug: str, body: Mapping[str, Any]) -> tuple[Expect, str]:
        """Return what a create must get, and the rule that says so."""
        said = opinion("createContainer", {"service_slug": "any-slug", **body})
        if any(s.team == team and s.slug == slug for s in self.services.values()):
            return "refuse", "slug-unique"
        if said.broken:
            return "refuse", min(said.broken)
        return said.expect, "slug-unique"

    def created(self, label: str, team: str, slug: str, body: Mapping[str, Any]) -> None:
        """Take note of an accepted create."""
        kind = body.get("service_type") or "deployed"
        self.services[label] = Stored(team, slug, kind, body.get(CREDENTIAL))

    def expect_update(self, label: str, team: str, body: Mapping[str, Any]) -> tuple[Expect, str]:
        """Return what an update must get, and the rule that says so."""
        stored = self.services[label]
        if stored.team != team:
            return "refuse", "team-scope"
        said = opinion("updateContainer", body, stored.service_type)
        if said.broken:
            return "refuse", min(said.broken)
        if stored.status in BUSY:
            return "refuse", "not-while-busy"
        return said.expect, permission(body) if stored.status == "created" else "not-while-busy"

    def updated(self, label: str, body: Mapping[str, Any]) -> None:
        """Take note of an accepted update."""
        if body.get(CREDENTIAL):
            self.services[label] = replace(self.services[label], credential=body[CREDENTIAL])

    def status(self, label: str, status: str) -> None:
        """Take note of a new status."""
        self.services[label] = replace(self.services[label], status=status)


def permission(body: Mapping[str, Any]) -> str:
    """Name the rule that says why an update of a new service is to be accepted."""
    if "external_url" in body:
        return "external-url-on-external-only"
    if CREDENTIAL in body:
        given = body[CREDENTIAL] is not None
        return "external-credential-on-external-only" if given else "external-credential-null-accepted"
    return "updated" if body else "update-partial"
