"""Callers, teams and stored services: everything but HTTP."""

import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import yaml

from examples.deployment.body import (
    Refusal,
    check_media_type,
    is_null,
    parse_object,
    tidy_items,
    validate,
    without_immutables,
    without_nulls,
)
from examples.deployment.choices import Choices
from examples.deployment.models import CreateBody, UpdateBody, is_uuid, usual_uuid

STATUSES = ("created", "deploying", "running", "stopping", "stopped", "failed")
BUSY = ("deploying", "stopping")


@dataclass(frozen=True)
class Caller:
    name: str
    kind: str
    teams: tuple[UUID, ...]


def load_callers(path: str | Path) -> dict[str, Caller]:
    """Callers by their token, from a file that names teams and the callers' tokens."""
    known = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    teams = {name: UUID(text) for name, text in known["teams"].items()}
    return {
        row["token"]: Caller(row["name"], row["kind"], tuple(teams[team] for team in row["teams"]))
        for row in known["callers"]
    }


@dataclass
class Service:
    id: UUID
    team: UUID
    slug: str
    type: str
    definition: dict[str, Any]
    status: str = "created"
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    updated_at: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass
class Call:
    """A request as it came in, and what the checks have found out about it."""

    authorization: list[str]
    team_header: list[str]
    content_type: str | None
    raw: bytes | None  # None: longer than the limit
    service_id: str = ""
    management: bool = True
    caller: Caller = field(init=False)
    team: UUID = field(init=False)
    service: Service = field(init=False)
    wanted: CreateBody = field(init=False)
    changes: UpdateBody = field(init=False)


class Deployment:
    """The operations. Each runs as a whole under one lock: checking and storing are one step."""

    def __init__(self, choices: Choices, callers: Mapping[str, Caller]) -> None:
        self.choices = choices
        self._callers = callers
        self._services: dict[UUID, Service] = {}
        self._slugs: dict[tuple[UUID, str], Service] = {}
        self._lock = threading.Lock()

    def create(self, call: Call) -> Service:
        with self._lock:
            self._check(call, {"auth": self._auth, "team": self._team, "body": self._create_body})
            body, key = call.wanted, (call.team, call.wanted.service_slug)
            if key in self._slugs:
                raise Refusal(self.choices.slug_taken_status, "service_slug: taken in this team")
            made = Service(self._new_id(), call.team, body.service_slug, body.service_type, body.definition())
            self._services[made.id] = self._slugs[key] = made
            return made

    def update(self, call: Call) -> Service:
        with self._lock:
            self._check(
                call,
                {
                    "auth": self._auth,
                    "team": self._team,
                    "path": self._path,
                    "state": self._state,
                    "body": self._update_body,
                },
            )
            sent, service = call.changes.sent(), call.service
            misplaced = sorted({"external_url", "external_auth_credential_id"} & sent.keys())
            if misplaced and service.type != "external":
                raise Refusal(
                    self.choices.type_rule_status, *(f"{name}: not an external service" for name in misplaced)
                )
            if (
                service.type == "external"
                and "docker_image" in sent
                and self.choices.external_docker_image_update_refused
            ):
                raise Refusal(self.choices.violation_status, "docker_image: not for an external service")
            service.definition.update(sent)
            service.updated_at = datetime.now(UTC)
            return service

    def read(self, call: Call, slug: str) -> dict[str, Any]:
        with self._lock:
            self._check(call, {"auth": self._auth, "team": self._team})
            service = self._slugs.get((call.team, slug))
            if service is None:
                raise Refusal(404, "no such service")
            return self._view(service)

    def set_status(self, service_id: str, status: str) -> Service:
        with self._lock:
            service = self._services.get(UUID(service_id)) if is_uuid(service_id) else None
            if service is None:
                raise Refusal(404, "no such service")
            if status not in STATUSES:
                raise Refusal(422, f"status: one of {', '.join(STATUSES)}")
            service.status = status
            return service

    def show_id(self, service: Service) -> str:
        text = str(service.id)
        return text.upper() if self.choices.id_style == "upper4" else text

    def _new_id(self) -> UUID:
        if self.choices.id_style != "lower7":
            return uuid4()
        value = (time.time_ns() // 1_000_000) << 80 | secrets.randbits(80)
        return UUID(int=value & ~(0xF << 76) & ~(0x3 << 62) | 0x7 << 76 | 0x2 << 62)

    def _view(self, service: Service) -> dict[str, Any]:
        shown = {
            "id": self.show_id(service),
            "service_slug": service.slug,
            "service_type": service.type,
            "service_status": service.status,
            "created_at": service.created_at.isoformat(),
            "updated_at": service.updated_at.isoformat(),
            **service.definition,
        }
        if self.choices.absent_in_readback != "omitted":
            for name in ("service_desc", "docker_image", "usage_prompt", "openapi_url"):
                shown.setdefault(name, None if self.choices.absent_in_readback == "null" else "")
            for name in ("env_config", "volume_config", "required_labels"):
                shown.setdefault(name, None if self.choices.absent_in_readback == "null" else [])
            if service.type == "external":
                shown.setdefault("external_auth_credential_id", None)
        return shown

    def _check(self, call: Call, checks: Mapping[str, Callable[[Call], None]]) -> None:
        for stage in self.choices.order:
            if stage in checks:
                checks[stage](call)

    def _auth(self, call: Call) -> None:
        choices = self.choices
        text = call.authorization[0] if len(call.authorization) == 1 else ""
        scheme, _, token = text.partition(" ")
        if not choices.scheme_case_matters:
            scheme = scheme.title()
        token = token.strip(" \t")
        if scheme != "Bearer" or not token:
            raise Refusal(choices.auth_status, "Authorization: Bearer <token> is required")
        if token.startswith("ak-"):
            raise Refusal(choices.agent_status, "agent credentials are not for this surface")
        caller = self._callers.get(token)
        if caller is None:
            raise Refusal(choices.unknown_token_status, "the token is not known")
        if caller.kind == "ak":
            raise Refusal(choices.agent_status, "agent credentials are not for this surface")
        if caller.kind == "sk" and call.management and choices.sk_refused_status:
            raise Refusal(choices.sk_refused_status, "sk- credentials do not manage services")
        call.caller = caller

    def _team(self, call: Call) -> None:
        choices, caller = self.choices, call.caller
        if caller.kind != "jwt":
            call.team = caller.teams[0]
            return
        sent = call.team_header
        if not sent or (choices.empty_team_is_missing and not any(sent)):
            raise Refusal(400, "X-Team-ID is required")
        team = usual_uuid(sent[0]) if choices.id_forms_read else sent[0]
        if len(sent) > 1 or not is_uuid(team):
            raise Refusal(choices.malformed_team_status, "X-Team-ID is not a UUID")
        call.team = UUID(team)
        if call.team not in caller.teams:
            raise Refusal(choices.foreign_team_status, "no such team")

    def _path(self, call: Call) -> None:
        if self.choices.id_forms_read:
            call.service_id = usual_uuid(call.service_id)
        if not is_uuid(call.service_id):
            raise Refusal(self.choices.malformed_id_status, "the id of the service is not a UUID")

    def _state(self, call: Call) -> None:
        service = self._services.get(UUID(call.service_id))
        if service is None:
            raise Refusal(self.choices.unknown_service_status, "no such service")
        if service.team != call.team:
            raise Refusal(self.choices.foreign_service_status, "no such service")
        if service.status in BUSY:
            raise Refusal(self.choices.busy_status, f"the service is {service.status}")
        call.service = service

    def _object(self, call: Call) -> dict[str, Any]:
        if call.raw is None:
            raise Refusal(413, "the body is too long")
        check_media_type(call.content_type, self.choices)
        if not call.raw and call.service_id and self.choices.empty_update_is_object:
            return {}
        if call.service_id and self.choices.null_update_is_object and is_null(call.raw, self.choices):
            return {}
        return tidy_items(parse_object(call.raw, self.choices), self.choices)

    def _create_body(self, call: Call) -> None:
        value = self._object(call)
        if self.choices.null_on_create == "absent":
            value = without_nulls(value)
        call.wanted = validate(CreateBody, value, self.choices)

    def _update_body(self, call: Call) -> None:
        value = self._object(call)
        if self.choices.null_on_update == "absent":
            value = without_nulls(value)
        elif value.get("external_auth_credential_id", "") is None:
            del value["external_auth_credential_id"]
        value = without_immutables(value, self.choices)
        call.changes = validate(UpdateBody, value, self.choices)
