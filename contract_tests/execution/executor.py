"""Plays cases against a target and says what each one showed."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Any

from contract_tests.cases.callers import CREDENTIALS, Caller, Cast
from contract_tests.cases.model import SHARED, Case, Step
from contract_tests.cases.value_templates import Slugs
from contract_tests.contract.rules import Catalogue, Rule
from contract_tests.contract.spec import Spec
from contract_tests.execution.context import NotObserved, Scene
from contract_tests.execution.created_log import Ledger
from contract_tests.generation.oracle import CREDENTIAL
from contract_tests.results.judge import SAME_ID, Judgement, answered_id, judge, judge_reading
from contract_tests.targets.base import Reply, Target, Unanswered
from contract_tests.targets.control_hook import Hook
from contract_tests.targets.exchange import Exchange, Redactor

# The stages whose refusals mean something only where the same request without the fault is accepted.
_CONTROLLED = ("media-type", "json", "shape")
_SLUG_TRIES = 3
#: Exchanges that are kept for the report, and ids that no later create may be answered: the last so many.
TRAFFIC, _IDS = 10_000, 20_000
_NO_CREDENTIAL = "every credential reference is refused here; it may have to exist"
_LEADS_UP = "a request that leads up to it was not answered as it must be"


class TargetGone(Exception):  # noqa: N818 - not a fault of ours
    """The target has stopped answering; its text says how."""


@dataclass(frozen=True, slots=True)
class Result:
    """What one case showed, with everything that was sent for it."""

    case: Case
    judgement: Judgement
    exchanges: tuple[Exchange, ...] = ()


@dataclass(slots=True)
class Player:
    """Plays cases. One per run; safe to use from several threads.

    ``readback`` says that the target offers the read-back. ``max_created`` bounds what is stored there.
    """

    target: Target
    cast: Cast
    spec: Spec
    catalogue: Catalogue
    bodies: Mapping[str, Any]
    ledger: Ledger
    slugs: Slugs
    redactor: Redactor
    readback: bool = False
    hook: Hook | None = None
    max_created: int | None = None
    refuse_only: bool = False
    requests: int = 0
    traffic: deque[Exchange] = field(default_factory=lambda: deque(maxlen=TRAFFIC))
    _shared: dict[tuple[str, str], tuple[str | None, str] | None] = field(default_factory=dict)
    _bases: dict[tuple[str, str], Any] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)
    _once: dict[tuple[str, ...], Lock] = field(default_factory=dict)
    _silent: int = 0
    _creating: int = 0
    _credentials: bool | None = None
    _ids: dict[str, None] = field(default_factory=dict)

    def play(self, case: Case) -> Result:
        """Play the steps of a case in order and judge them; the first that decides ends it."""
        rule = self.catalogue[case.rule]
        scene = Scene(self.cast, self.slugs, lenient=rule.stage == "state")
        exchanges: list[Exchange] = []
        try:
            for step in case.steps:
                judgement = self.play_step(case, rule, step, scene, exchanges)
                if judgement.outcome != "passed":
                    # A step that is sent twice in a row is judged both times.
                    if step != case.steps[-1] and not judgement.server_error:
                        judgement = replace(judgement, outcome="inconclusive", reason=_LEADS_UP)
                    break
        except Uncontrolled as missing:
            judgement = Judgement("inconclusive", rule.id, str(missing))
        except NotObserved as missing:
            judgement = Judgement("not observed", rule.id, str(missing))
        return Result(case, judgement, tuple(exchanges))

    def play_step(self, case: Case, rule: Rule, step: Step, scene: Scene, seen: list[Exchange]) -> Judgement:
        """Play one step of a case and judge it; NotObserved where it cannot be played."""
        if step.operation == "setStatus":
            return self._set_status(rule, step, scene)
        if step.operation == "readContainer" and not self.readback:
            raise NotObserved("the target offers no read-back")
        step = self._prepared(case, rule, step, scene)
        reply = self.send(scene, step, seen)
        if step.operation == "readContainer":
            return judge_reading(rule, step.shows, reply, scene.services.get(step.service))
        service = scene.services.get(step.service) if step.operation == "updateContainer" else None
        judgement = judge(rule, step.expect or "accept", step.operation, reply, service)
        if judgement.outcome == "violated" and _short_slug(step) and _status(reply) == 409:
            return self._short_slug_again(rule, step, scene, seen)
        if step.operation == "createContainer" and self._repeats(answered_id(reply)):
            return replace(
                judgement, outcome="violated", rule="created", reason=SAME_ID, expected="an id of its own"
            )
        if judgement.answer == "refused" and not self._credential_counts(step, judgement):
            return replace(judgement, outcome="inconclusive", reason=_NO_CREDENTIAL)
        return judgement

    def send(self, scene: Scene, step: Step, seen: list[Exchange]) -> Reply | Unanswered:
        """Send one step and keep what was exchanged; TargetGone where the target answers nothing any more."""
        caller = scene.caller(step.caller)
        operation = self.spec.operations[step.operation]
        request, body = scene.request(operation, step, caller)
        creating = step.operation == "createContainer"
        slug = body.get("service_slug") if isinstance(body, dict) else None
        counted = creating and self._counts_as_created(step)
        if creating:
            self.ledger.sending(caller.name, slug if isinstance(slug, str) else None)
        reply = self.redactor.reply(self.target.send(request))
        exchange = self.redactor.exchange(caller.name, self.target.url, request, reply)
        seen.append(exchange)
        self._count(exchange, reply)
        identifier = answered_id(reply)
        if creating and isinstance(reply, Reply) and 200 <= reply.status < 300:
            self.ledger.created(caller.name, slug if isinstance(slug, str) else None, identifier)
            if identifier:
                scene.services[step.as_] = identifier
            if isinstance(slug, str):
                scene.slug_of[step.as_] = slug
        with self._lock:
            self._creating -= counted
        return reply

    def shared(self, service_type: str, caller: Caller) -> tuple[str | None, str] | None:
        """Return (id, slug) of a service that many cases update, None where the caller cannot create one.

        The id is None where the create was accepted but answered none.
        """
        key = (service_type, caller.name)
        with self._first("shared", *key):
            if key not in self._shared:
                scene = Scene(self.cast.only(caller), self.slugs)
                self.send(scene, Step(caller=self.cast.part(caller), body=self.bodies[service_type]), [])
                slug = scene.slug_of.get("service")
                self._shared[key] = (scene.services.get("service"), slug) if slug else None
            return self._shared[key]

    def update_base(self, service_type: str, caller: Caller) -> Any:
        """Return the smallest update body that is accepted by itself, None where none is."""
        key = (service_type, caller.name)
        shared = self.shared(service_type, caller)
        with self._first("base", *key):
            if key not in self._bases:
                identifier = shared[0] if shared else None
                self._bases[key] = self._base(service_type, caller, identifier) if identifier else None
            return self._bases[key]

    def _first(self, *what: str) -> Lock:
        """Return the lock under which something is found out once; others may find out other things meanwhile."""
        with self._lock:
            return self._once.setdefault(what, Lock())

    def _base(self, service_type: str, caller: Caller, identifier: str) -> Any:
        """Try without ``X-Team-ID``, then with it; where a credential must name its team it does so from now on."""
        base = self._try_bases(service_type, caller, identifier)
        if base is None and caller.kind in CREDENTIALS and caller.teams and not caller.always_team:
            named = replace(caller, always_team=True)
            base = self._try_bases(service_type, named, identifier)
            if base is not None:
                with self._lock:
                    callers = tuple(named if c.name == caller.name else c for c in self.cast.callers)
                    self.cast = replace(self.cast, callers=callers)
        return base

    def _try_bases(self, service_type: str, caller: Caller, identifier: str) -> Any:
        unchanging = ("service_slug", "service_type")
        full = {k: v for k, v in self.bodies[f"{service_type}-full"].items() if k not in unchanging}
        for body in ({}, full):
            scene = Scene(self.cast.only(caller), self.slugs, services={"service": identifier})
            reply = self.send(scene, Step("updateContainer", self.cast.part(caller), body=body), [])
            if isinstance(reply, Reply) and 200 <= reply.status < 300:
                return body
        return None

    def _credential_counts(self, step: Step, judgement: Judgement) -> bool:
        """Say whether a refusal may be told of: a deployment may refuse every credential that does not exist."""
        sent = isinstance(step.body, dict) and step.body.get(CREDENTIAL) is not None
        if not sent or (
            judgement.outcome == "passed" and not judgement.rule.startswith("external-credential")
        ):
            return True
        with self._first("credentials"):
            if self._credentials is None:
                scene = Scene(self.cast, self.slugs)
                reply = self.send(scene, Step(body=self.bodies["external-with-credential"]), [])
                self._credentials = isinstance(reply, Reply) and 200 <= reply.status < 300
            return self._credentials

    def _prepared(self, case: Case, rule: Rule, step: Step, scene: Scene) -> Step:
        """Give an update its shared service, and make sure that the step without its fault is accepted."""
        updating = step.operation == "updateContainer"
        shared = updating and step.service.startswith(SHARED)
        single = len(case.steps) == 1 and (case.value is not None or rule.stage in _CONTROLLED)
        allowed = updating and step.expect in (None, "accept") and isinstance(step.body, dict)
        if not (shared or single or allowed) or (self.refuse_only and not updating):
            return step  # a refusal that may create nothing has to do without its control
        service_type = step.service.removeprefix(SHARED) if shared else "deployed"
        caller = self._owner(step, scene)
        if shared or single:
            service = self.shared(service_type, caller)
            if service is None:
                raise Uncontrolled(f"{caller.name} cannot create a plain {service_type} service here")
            if shared and service[0] is None:
                raise Uncontrolled("the create answered no id")
            if service[0] is not None:
                scene.services[step.service], scene.slug_of[step.service] = service[0], service[1]
        if not updating or not (single or allowed):
            return step
        base = self.update_base(service_type, caller)
        scene.cast = self.cast  # which may have learnt that the caller must name its team
        if rule.id == "update-partial":
            return step
        if base is None:
            raise Uncontrolled(f"{caller.name} cannot update a plain {service_type} service here")
        if base and step.raw is not None and step.expect == "accept":
            raise Uncontrolled("an update that leaves anything out is refused here")
        return replace(step, body={**base, **step.body}) if isinstance(step.body, dict) else step

    def _owner(self, step: Step, scene: Scene) -> Caller:
        """Return who creates the service that a step updates: its caller, or anyone where that one cannot."""
        caller = scene.caller(step.caller)
        return scene.caller("red") if caller.kind in ("ak", "unknown") else caller

    def _short_slug_again(self, rule: Rule, step: Step, scene: Scene, seen: list[Exchange]) -> Judgement:
        """A slug of a few characters may be taken by chance: try others before it counts."""
        for _ in range(_SLUG_TRIES):
            reply = self.send(scene, step, seen)
            if _status(reply) != 409:
                return judge(rule, "accept", step.operation, reply)
        return replace(judge(rule, "accept", step.operation, reply), outcome="inconclusive",
                       reason="every slug of this length that was tried is taken")  # fmt: skip

    def _set_status(self, rule: Rule, step: Step, scene: Scene) -> Judgement:
        if self.hook is None:
            raise NotObserved("no control hook is configured to set a service's status")
        if step.service not in scene.services:
            raise NotObserved("the service of this case was not created")
        problem = self.hook.set_status(scene.services[step.service], step.status or "")
        if problem:
            return Judgement("inconclusive", rule.id, f"the control hook failed: {problem}")
        return Judgement("passed", rule.id)

    def _repeats(self, identifier: str | None) -> bool:
        """Say whether a create was answered with this id before."""
        if identifier is None:
            return False
        with self._lock:
            known = identifier.lower() in self._ids
            self._ids[identifier.lower()] = None
            if len(self._ids) > _IDS:
                del self._ids[next(iter(self._ids))]
        return known

    def _counts_as_created(self, step: Step) -> bool:
        """Count a create that may be accepted as on its way; NotObserved where no more may be."""
        if step.expect == "refuse":
            return False
        if self.refuse_only:
            raise NotObserved("--refuse-only sends nothing that may be accepted")
        with self._lock:
            if self.max_created is not None and self.ledger.count + self._creating >= self.max_created:
                raise NotObserved("--max-created is reached")
            self._creating += 1
        return True

    def _count(self, exchange: Exchange, reply: Reply | Unanswered) -> None:
        with self._lock:
            self.requests += 1
            self.traffic.append(exchange)
            busy = isinstance(reply, Unanswered) or reply.status in (429, 503)
            self._silent = self._silent + 1 if busy else 0
            if self._silent >= 5:
                reason = (
                    reply.reason
                    if isinstance(reply, Unanswered)
                    else f"it answers {reply.status} for too long"
                )
                raise TargetGone(reason)


class Uncontrolled(NotObserved):
    """The control of a case fails, so that its own answer would prove nothing."""


def _status(reply: Reply | Unanswered) -> int:
    return reply.status if isinstance(reply, Reply) else 0


def _short_slug(step: Step) -> bool:
    slug = step.body.get("service_slug") if isinstance(step.body, dict) else None
    made = slug.get("$slug") if isinstance(slug, dict) else None
    return isinstance(made, dict) and made.get("length", 99) < 6
