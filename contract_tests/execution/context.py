"""A step as the request that is sent: callers, labels and made values filled in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from contract_tests.cases.callers import CREDENTIALS, Caller, Cast
from contract_tests.cases.model import NO_SLUG, Step
from contract_tests.cases.value_templates import Slugs, make
from contract_tests.contract.spec import Operation
from contract_tests.targets.base import Request, quoted
from contract_tests.targets.exchange import encoded


class NotObserved(Exception):  # noqa: N818 - no error: a case that this run cannot play
    """A case cannot be played here; its text says what is missing."""


def _others(team: str) -> str:
    return "-blue" if team == "red" else "-red"


@dataclass(slots=True)
class Scene:
    """The labels of one case while it is played."""

    cast: Cast
    slugs: Slugs
    lenient: bool = False
    labels: dict[str, str] = field(default_factory=dict)
    services: dict[str, str] = field(default_factory=dict)
    slug_of: dict[str, str] = field(default_factory=dict)

    def slug(self, label: str | None) -> str:
        """Return the slug of a label, the same each time; a fresh one without a label."""
        if label is None:
            return self.slugs.fresh()
        if label not in self.labels:
            self.labels[label] = self.slugs.fresh()
        return self.labels[label]

    def caller(self, role: str) -> Caller:
        """Return who plays a role; NotObserved where nobody can."""
        found = self.cast.find(role, lenient=self.lenient)
        if found is None:
            given = f" ({', '.join(self.cast.refused)}: refused by the target)" if self.cast.refused else ""
            raise NotObserved(f"no caller that can act for {role}{given}")
        return found

    def request(self, operation: Operation, step: Step, caller: Caller) -> tuple[Request, Any]:
        """Return the request of a step, and its body as a JSON value (None where it is not JSON)."""
        body, raw = self._body(operation, step)
        path = operation.path
        if operation.parameter:
            path = path.replace(f"{{{operation.parameter}}}", quoted(self._path_value(operation, step)))
        headers = self._headers(step, caller, with_body=raw is not None)
        return Request(operation.method, path, headers, raw), body

    def _path_value(self, operation: Operation, step: Step) -> str:
        known = self.slug_of if operation.parameter == "serviceSlug" else self.services
        if step.service in known:
            return known[step.service]
        if step.service == "service":
            raise NotObserved("the service of this case was not created")
        return step.service

    def _body(self, operation: Operation, step: Step) -> tuple[Any, bytes | None]:
        if operation.id not in ("createContainer", "updateContainer"):
            return None, None
        if step.raw is not None:
            raw = make(step.raw, lambda _: self.slug(step.slug))
            return None, raw if isinstance(raw, bytes) else raw.replace(
                "{slug}", self.slug(step.slug)
            ).encode()
        body = step.body if step.as_is else make(step.body, self.slugs.fresh)
        if isinstance(body, Mapping):
            body = dict(body)
            if operation.id == "createContainer" and step.slug != NO_SLUG:
                body.setdefault("service_slug", self.slug(step.slug))
            elif step.slug:
                body["service_slug"] = self.slug(step.slug)
        return body, encoded(body)

    def _headers(self, step: Step, caller: Caller, *, with_body: bool) -> tuple[tuple[str, str], ...]:
        headers: dict[str, str | None] = {"Authorization": f"Bearer {caller.token}"}
        if with_body:
            headers["Content-Type"] = "application/json"
        headers["X-Team-ID"] = self._team(step, caller)
        for name, value in step.headers:
            headers[name] = value if value is None else self._filled(value, caller)
        return tuple((name, value) for name, value in headers.items() if value is not None)

    def _team(self, step: Step, caller: Caller) -> str | None:
        if step.team is not None:
            team = self.cast.red if step.team == "red" else self.cast.blue
            if team is None and caller.kind in CREDENTIALS:
                return str(uuid4())  # any team but its own will do
            if team is None:
                raise NotObserved(f"no team known for {step.team}")
            if caller.kind == "jwt" and team in caller.teams and step.caller.endswith(_others(step.team)):
                raise NotObserved("no JWT caller given that belongs to one of the two teams only")
            return team
        if caller.kind == "jwt":
            return self.cast.team_for(caller, step.caller)
        return caller.teams[0] if caller.always_team and caller.teams else None

    def _filled(self, template: str, caller: Caller) -> str:
        teams = {"{team.red}": self.cast.red, "{team.blue}": self.cast.blue}
        for name, team in teams.items():
            if name in template:
                if team is None:
                    raise NotObserved("the callers' team is not known")
                template = template.replace(name, team)
        return template.replace("{token}", caller.token)
