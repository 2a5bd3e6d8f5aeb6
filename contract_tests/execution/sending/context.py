"""Context of one case: turns its steps into requests, with callers, labels and templates filled in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from contract_tests.cases.callers import CREDENTIAL_KINDS, Caller, CallerPool
from contract_tests.cases.model import NO_SLUG, Step
from contract_tests.cases.value_templates import MAX_SLUG_LENGTH, SlugFactory, fill_templates, freshen
from contract_tests.contract.files.json_text import parse_json
from contract_tests.contract.spec import Operation
from contract_tests.execution.sending.create_forms import PLAIN, CreateForm
from contract_tests.execution.sending.tracing import create_trace_id
from contract_tests.targets.base import Request, quote_segment
from contract_tests.targets.exchange import Exchange, encode_json


class CannotRun(Exception):  # noqa: N818 - not an error: this run cannot send the case
    """A case that this run cannot send; the message says what is missing."""


class ControlFailed(CannotRun):
    """A failed control request, without which the case's own response would prove nothing."""


@dataclass(slots=True)
class CaseContext:
    """Labels, created services and exchanges of one case while it runs.

    ``case_id`` and ``rule`` name it in headers and spans. ``setup`` are the creates of the services that it shares
    with other cases.
    """

    caller_pool: CallerPool
    slugs: SlugFactory
    lenient: bool = False
    case_id: str = ""
    rule: str = ""
    trace_id: str = field(default_factory=create_trace_id)
    labels: dict[str, str] = field(default_factory=dict)
    services: dict[str, str] = field(default_factory=dict)
    service_slugs: dict[str, str] = field(default_factory=dict)
    exchanges: list[Exchange] = field(default_factory=list)
    setup: list[Exchange] = field(default_factory=list)

    def slug_for(self, label: str | None) -> str:
        """Return the slug of a label, the same each time, or a new one without a label."""
        if label is None:
            return self.slugs.new_slug()
        if label not in self.labels:
            self.labels[label] = self.slugs.new_slug()
        return self.labels[label]

    def find_caller(self, role: str) -> Caller:
        """Return the caller for a role; raise CannotRun if no caller has it."""
        caller = self.caller_pool.find_caller(role, lenient=self.lenient)
        if caller is None:
            raise CannotRun(_missing_caller(role, self.caller_pool.rejected))
        return caller

    def build_request(
        self, operation: Operation, step: Step, caller: Caller, form: CreateForm = PLAIN
    ) -> tuple[Request, Any]:
        """Return the request of a step, and its body as a JSON value (None if it is not JSON)."""
        body, raw_body = self._build_body(operation, step, form)
        path = operation.path
        if operation.path_parameter:
            value = quote_segment(self._path_value(operation, step))
            path = path.replace(f"{{{operation.path_parameter}}}", value)
        headers = self._build_headers(step, caller, form, with_body=raw_body is not None)
        return Request(operation.method, path, headers, raw_body), body

    def _path_value(self, operation: Operation, step: Step) -> str:
        known = self.service_slugs if operation.path_parameter == "serviceSlug" else self.services
        if step.service in known:
            return step.path.replace("{id}", known[step.service])
        if step.service == "service":
            raise CannotRun("the service of this case was not created")
        return step.service

    def _build_body(self, operation: Operation, step: Step, form: CreateForm) -> tuple[Any, bytes | None]:
        if operation.id not in ("createContainer", "updateContainer"):
            return None, None
        if step.raw is not None:
            raw = self._fill_value(step.raw, lambda _: self.slug_for(step.slug))
            if isinstance(raw, bytes):
                return None, raw
            raw = raw.replace("{slug}", self.slug_for(step.slug))
            raw = form.arrange_text(raw) if operation.id == "createContainer" else raw
            return _parse_object(raw), raw.encode()
        body = step.body if step.as_is else self._fill_value(step.body, self.slugs.new_slug)
        if isinstance(body, Mapping):
            body = dict(body)
            if operation.id == "createContainer" and step.slug != NO_SLUG:
                if step.expect == "refuse" and _has_invalid_slug(step):
                    body["service_slug"] = freshen(body["service_slug"], self.slugs.new_slug())
                body.setdefault("service_slug", self.slug_for(step.slug))
                body["service_slug"] = body.pop("service_slug")  # the last one in every usual create
                body = form.arrange_body(body)
            elif step.slug:
                body["service_slug"] = self.slug_for(step.slug)
        return body, encode_json(body, step.style)

    def _fill_value(self, value: Any, slugs: Callable[[int | None], str]) -> Any:
        """Return a value without templates; those of a finding's file may be broken."""
        try:
            return fill_templates(self._fill_labels(value), slugs)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise CannotRun(f"the body has a template that cannot be filled: {error!r}") from None

    def _fill_labels(self, body: Any) -> Any:
        """Return the body with the properties filled in that refer to labels of the case."""
        if not isinstance(body, Mapping):
            return body
        return {name: self._fill_label(value) for name, value in body.items()}

    def _fill_label(self, value: Any) -> Any:
        if not isinstance(value, Mapping) or len(value) != 1:
            return value
        ((form, arguments),) = value.items()
        if form == "$id":
            if arguments not in self.services:
                raise CannotRun("a service of this case was not created")
            return self.services[arguments]
        if form == "$near":
            stem = self.slug_for(arguments["label"])
            end, length = arguments["end"], arguments["length"]
            start = arguments.get("start", "")
            return f"{start}{stem.ljust(length - len(end) if length == MAX_SLUG_LENGTH else len(stem), '0')}{end}"
        return value

    def _build_headers(
        self, step: Step, caller: Caller, form: CreateForm, *, with_body: bool
    ) -> tuple[tuple[str, str], ...]:
        headers: dict[str, str | None] = {"Authorization": f"Bearer {caller.token}", **dict(form.headers)}
        if with_body:
            headers["Content-Type"] = "application/json"
        headers["X-Team-ID"] = self._choose_team(step, caller)
        for name, value in step.headers:
            headers[name] = value if value is None else self._fill_header(value, caller)
        return tuple((name, value) for name, value in headers.items() if value is not None)

    def _choose_team(self, step: Step, caller: Caller) -> str | None:
        if step.team is not None:
            team = self.caller_pool.red if step.team == "red" else self.caller_pool.blue
            if team is None and caller.kind in CREDENTIAL_KINDS:
                return str(uuid4())  # any team except its own
            if team is None:
                raise CannotRun(f"needs the UUID of team {step.team}; name it in the callers file")
            other_team = "-blue" if step.team == "red" else "-red"
            if caller.kind == "jwt" and team in caller.teams and step.caller.endswith(other_team):
                raise CannotRun("needs a JWT caller that belongs to one of the two teams only")
            return team
        if caller.kind == "unknown" and caller.teams:
            return caller.teams[0]
        if caller.kind == "jwt":
            return self.caller_pool.choose_team(caller, step.caller)
        return caller.teams[0] if caller.always_names_team and caller.teams else None

    def _fill_header(self, template: str, caller: Caller) -> str:
        teams = {"{team.red}": self.caller_pool.red, "{team.blue}": self.caller_pool.blue}
        for name, team in teams.items():
            if name in template:
                if team is None:
                    raise CannotRun("needs the UUID of the callers' team; name it in the callers file")
                template = template.replace(name, team)
        # Texts that are no token: the same in other letter case, and without its end.
        forms = {
            "{token}": caller.token,
            "{token.swapped}": caller.token.swapcase(),
            "{token.cut}": caller.token[:-1],
        }
        for name, value in forms.items():
            template = template.replace(name, value)
        return template


def _parse_object(text: str) -> Any:
    """Return the object of a JSON text, or None if it is something else."""
    try:
        value = parse_json(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _has_invalid_slug(step: Step) -> bool:
    """Return whether a step has a slug that must be refused for itself; a generated one is valid and fresh."""
    slug = step.body.get("service_slug")
    return "service_slug" in step.body and not (
        isinstance(slug, Mapping) and {"$slug", "$near"} & slug.keys()
    )


_KIND_NAMES = {"jwt": "a JWT", "sk": "an sk-", "dk": "a dk-", "ak": "an ak-"}
_TEAM_NAMES = {"blue": " of another team", "both": " of two teams"}


def _missing_caller(role: str, rejected: tuple[Caller, ...]) -> str:
    if "@" in role:
        return f"needs the caller {role.rpartition('@')[0]}; add it to the callers file"
    kind, _, team = role.rpartition("-")
    who = f"{_KIND_NAMES[kind]} caller" if kind in _KIND_NAMES else "a caller"
    names = ", ".join(caller.name for caller in rejected)
    hint = f"the target rejected {names}" if names else "add one to the callers file"
    return f"needs {who}{_TEAM_NAMES.get(team, '')}; {hint}"
