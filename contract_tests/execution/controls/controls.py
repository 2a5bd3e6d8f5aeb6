"""Controls: requests that show that a case's own response means something.

A refused update proves its rule only if the caller can update that service at all. So each update addresses a
service that the caller created, and starts from a body that the target accepts by itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Any

from contract_tests.cases.callers import CREDENTIAL_KINDS, Caller, CallerPool
from contract_tests.cases.model import SHARED_PREFIX, Case, Step
from contract_tests.cases.value_templates import SlugFactory
from contract_tests.contract.rules import Rule
from contract_tests.execution.controls.once import OnceEach
from contract_tests.execution.sending.context import CaseContext, ControlFailed
from contract_tests.execution.sending.sender import Sender
from contract_tests.targets.base import NoResponse, Response, is_success
from contract_tests.targets.exchange import Exchange

# Refusals in these stages prove something only if the same request without its fault is accepted.
_CONTROLLED_STAGES = ("media-type", "json", "shape")
_IMMUTABLE = ("service_slug", "service_type")
_RETRIES = 2
_EXTERNAL_ONLY = ("external_url", "external_auth_credential_id")


@dataclass(frozen=True, slots=True)
class SharedService:
    """A service that many cases update; ``id`` is None if the create returned no id."""

    id: str | None
    slug: str
    create: Exchange


@dataclass(frozen=True, slots=True)
class Owner:
    """A caller and the team, red or blue, for which it creates a service."""

    caller: Caller
    role: str


@dataclass(slots=True)
class Controls:
    """Shared services and base bodies of one target; safe to use from several threads.

    ``caller_pool`` changes once a credential turns out to need ``X-Team-ID``.
    """

    sender: Sender
    caller_pool: CallerPool
    bodies: Mapping[str, Any]
    slugs: SlugFactory
    refuse_only: bool = False
    once: OnceEach = field(default_factory=OnceEach)
    _lock: Lock = field(default_factory=Lock)

    def prepare_step(self, case: Case, rule: Rule, step: Step, context: CaseContext) -> Step:
        """Give an update its shared service, and check that the step without its fault is accepted."""
        updating = step.operation == "updateContainer"
        shared = updating and step.service.startswith(SHARED_PREFIX)
        single = len(case.steps) == 1 and (case.value is not None or rule.stage in _CONTROLLED_STAGES)
        allowed = updating and step.expect in (None, "accept") and isinstance(step.body, dict)
        if not (shared or single or allowed) or (self.refuse_only and not updating):
            return step  # with --refuse-only a refused create cannot have a control
        service_type = step.service.removeprefix(SHARED_PREFIX) if shared else _find_type(case, step)
        owner = self.choose_owner(step, context)
        if shared or single:
            self._attach_service(step, service_type, owner, context, id_required=shared)
        if updating and (single or allowed):
            shown = {name for later in case.steps for name, _ in later.shows}
            return self._start_from_base(rule, step, service_type, owner, context, shown)
        if updating and rule.exact_status and step.body == {}:
            # A refusal of the empty update would have another status.
            return replace(step, body=self.find_base(service_type, owner) or {})
        return step

    def open_shared(self, service_type: str, owner: Owner) -> SharedService | None:
        """Return the service that cases of this type and caller share, or None if it cannot be created."""
        key = ("shared", service_type, owner.caller.name, owner.role)
        shared: SharedService | None = self.once.find(key, lambda: self._create_shared(service_type, owner))
        return shared

    def keep_shared(self, caller: Caller, context: CaseContext, team: str = "") -> None:
        """Let the cases share the plain deployed service that the preflight created as a caller."""
        create = next((one for one in reversed(context.exchanges) if one.method == "POST"), None)
        new = context.services.get("service")
        if create is None or new is None:
            return
        service = SharedService(new, context.service_slugs.get("service", ""), create)
        key = ("shared", "deployed", caller.name, team or self.caller_pool.team_role(caller))
        self.once.find(key, lambda: service)

    def keep_base(self, caller: Caller, body: Any) -> None:
        """Keep the update body that the target was seen to accept by itself for a plain service of a caller."""
        key = ("base", "deployed", caller.name, self.caller_pool.team_role(caller))
        self.once.find(key, lambda: body)

    def find_base(self, service_type: str, owner: Owner) -> Any:
        """Return the smallest update body that the target accepts by itself, or None."""
        key = ("base", service_type, owner.caller.name, owner.role)
        shared = self.open_shared(service_type, owner)
        if shared is None or shared.id is None:
            return None
        identifier = shared.id
        return self.once.find(key, lambda: self._probe_base(service_type, owner, identifier))

    def choose_owner(self, step: Step, context: CaseContext) -> Owner:
        """Return the creator of the service that a step updates: its caller, or any caller if that one cannot."""
        caller = context.find_caller(step.caller)
        if caller.kind in ("ak", "unknown"):
            caller = context.find_caller("red")
        is_blue = step.caller.endswith("blue")
        return Owner(caller, "blue" if is_blue else self.caller_pool.team_role(caller))

    def _attach_service(
        self, step: Step, service_type: str, owner: Owner, context: CaseContext, *, id_required: bool
    ) -> None:
        service = self.open_shared(service_type, owner)
        if service is None:
            raise ControlFailed(f"{owner.caller.name} cannot create a plain {service_type} service here")
        if id_required and service.id is None:
            raise ControlFailed("the create returned no id")
        if service.id is not None:
            if step.operation == "updateContainer":
                context.setup.append(service.create)
            context.services[step.service], context.service_slugs[step.service] = service.id, service.slug

    def _start_from_base(
        self, rule: Rule, step: Step, service_type: str, owner: Owner, context: CaseContext, shown: set[str]
    ) -> Step:
        """Add the base body to an update; raise ControlFailed where it would change what the case shows later."""
        base = self.find_base(service_type, owner)
        context.caller_pool = self.caller_pool  # finding the base may have shown that a team must be named
        if rule.id == "update-partial":
            return step
        about_caller = rule.stage in ("authentication", "team") and step.expect == "accept"
        if base is None and about_caller and self._can_others_update(service_type, owner):
            return step
        if base is None:
            raise ControlFailed(f"{owner.caller.name} cannot update a plain {service_type} service here")
        overwrites = isinstance(step.body, dict) and not shown & base.keys() <= step.body.keys()
        if overwrites or (base and (step.raw is not None or step.rule) and step.expect == "accept"):
            raise ControlFailed("an update that leaves anything out is refused here")
        return replace(step, body={**base, **step.body}) if isinstance(step.body, dict) else step

    def _can_others_update(self, service_type: str, owner: Owner) -> bool:
        """Return whether a caller of another kind can update a plain service of its own."""
        others = {c.kind: c for c in self.caller_pool.list_red_callers() if c.kind != owner.caller.kind}
        return any(self.find_base(service_type, Owner(other, "red")) is not None for other in others.values())

    def _create_shared(self, service_type: str, owner: Owner) -> SharedService | None:
        context = CaseContext(self.caller_pool.limit_to(owner.caller), self.slugs)
        self._send(context, Step(caller=owner.role, body=self.bodies[service_type]))
        slug = context.service_slugs.get("service")
        if slug is None:
            return None
        return SharedService(context.services.get("service"), slug, context.exchanges[-1])

    def _send(self, context: CaseContext, step: Step) -> Response | NoResponse:
        """Send a control; send it again after a server error, which does not refuse it."""
        response = self.sender.send_step(context, step)
        for _ in range(_RETRIES):
            if isinstance(response, NoResponse) or response.status < 500:
                break
            response = self.sender.send_step(context, step)
        return response

    def _probe_base(self, service_type: str, owner: Owner, identifier: str) -> Any:
        """Try without ``X-Team-ID``, then with it; a credential that needs it sends it from then on."""
        caller = owner.caller
        base = self._try_bases(service_type, owner, identifier)
        can_name_team = caller.kind in CREDENTIAL_KINDS and caller.teams and not caller.always_names_team
        if base is None and can_name_team:
            naming = replace(caller, always_names_team=True)
            base = self._try_bases(service_type, Owner(naming, owner.role), identifier)
            if base is not None:
                with self._lock:
                    callers = tuple(naming if c.name == caller.name else c for c in self.caller_pool.callers)
                    self.caller_pool = replace(self.caller_pool, callers=callers)
        return base

    def _try_bases(self, service_type: str, owner: Owner, identifier: str) -> Any:
        full = {k: v for k, v in self.bodies[f"{service_type}-full"].items() if k not in _IMMUTABLE}
        for body in ({}, full):
            pool = self.caller_pool.limit_to(owner.caller)
            context = CaseContext(pool, self.slugs, services={"service": identifier})
            if is_success(self._send(context, Step("updateContainer", owner.role, body=body))):
                return body
        return None


def _find_type(case: Case, step: Step) -> str:
    """Return the type of the service that a step writes: that of its create, else the plainest for its body.

    A create that is about the type itself is compared with one of the other type: a deployed one.
    """
    body = step.body if isinstance(step.body, dict) else {}
    if step.operation == "createContainer":
        about_type = case.value is not None and case.value[2] == "service_type"
        return "deployed" if about_type else _type_of_create(body)
    creates = (one for one in case.steps if one.operation == "createContainer" and one.as_ == step.service)
    create = next(creates, None)
    if create is not None and isinstance(create.body, dict):
        return _type_of_create(create.body)
    return "external" if any(body.get(name) is not None for name in _EXTERNAL_ONLY) else "deployed"


def _type_of_create(body: Mapping[str, Any]) -> str:
    return "external" if body.get("service_type") == "external" else "deployed"
