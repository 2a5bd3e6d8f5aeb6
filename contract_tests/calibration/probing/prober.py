"""Prober: the requests that probes are made of, each a plain create or update with one thing changed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from contract_tests.calibration.probing.sighting import Answer, CannotSee, require_reaction
from contract_tests.calibration.probing.wire import Wire
from contract_tests.cases.model import Expect, Step
from contract_tests.execution.controls.controls import Owner, SharedService

#: Requests that one probe may send without asking for leave: a shared service, and what its updates start from.
_RESERVE = 4
_PLAIN = "with {}"
_ON_EXTERNAL, _COMPLETED = " on an external service", ", completed to a whole update"
_MAX_BODY = 120  # characters of a body in words
Headers = tuple[tuple[str, str | None], ...]
#: In place of a value: the property is left out.
ABSENT = object()


@dataclass(frozen=True, slots=True)
class Judged:
    """The rule under which an answer is judged, and the expected outcome."""

    rule: str
    expect: Expect = "open"


@dataclass(frozen=True, slots=True)
class Sender:
    """The role of a caller, and the team that it names; ``listed`` callers may be ones that the target refuses."""

    role: str = "red"
    team: str | None = None
    listed: bool = False


@dataclass(slots=True)
class Prober:
    """Updates of two services that all probes share, a deployed and an external one, and creates.

    ``what`` describes a request, else its body does. Each answer is judged as the gate would judge it.
    """

    wire: Wire
    _values: dict[str, str] = field(default_factory=dict)
    _bases: dict[tuple[str, str], Any] = field(default_factory=dict)
    _shared: dict[tuple[str, str], SharedService] = field(default_factory=dict)

    def update(
        self,
        what: str = "",
        body: Mapping[str, Any] | None = None,
        *,
        raw: str | bytes | None = None,
        service: str = "deployed",
        caller: str = "red",
        headers: Headers = (),
        judged: Judged = Judged("updated"),
    ) -> Answer:
        """Return the answer to an update of a shared service (deployed or external), or of the one with that id."""
        context = self.wire.open_context()
        is_shared = service in ("deployed", "external")
        if is_shared:
            context.services["service"] = str(self.find_shared(service).id)
        base = self.find_base(service if is_shared else "deployed")
        if base and raw and raw[:1] in ("{", b"{"):  # only an object leaves something out
            raise CannotSee("this target refuses an update that leaves anything out")
        step = Step(
            "updateContainer",
            caller,
            body=None if raw is not None else {**base, **(body or {})},
            raw=raw,
            service="service" if is_shared else service,
            headers=headers,
            expect=judged.expect,
            as_is=True,
        )
        name = f"{what or name_body(body)}{_ON_EXTERNAL if service == 'external' else ''}"
        return self.wire.send(context, step, judged.rule, f"{name}{_COMPLETED if base else ''}", service)

    def create(
        self,
        what: str = "",
        values: Mapping[str, Any] | None = None,
        *,
        kind: str = "deployed",
        sender: Sender = Sender(),
        slug: str | None = None,
        judged: Judged = Judged("created"),
    ) -> Answer:
        """Return the answer to a create of a plain service with some values, and without those that are ABSENT."""
        context = self.wire.open_context()
        if sender.listed:
            context.caller_pool = self.wire.listed
        whole = {**self.wire.executor.controls.bodies[kind], **(values or {})}
        body = {name: value for name, value in whole.items() if value is not ABSENT}
        if slug:
            context.labels["slug"] = slug
        label = "slug" if slug else None
        step = Step(caller=sender.role, body=body, team=sender.team, slug=label, expect=judged.expect)
        article = "of an external service " if kind == "external" else ""
        return self.wire.send(context, step, judged.rule, article + (what or name_body(values)))

    def find_shared(self, kind: str, caller: str = "red") -> SharedService:
        """Return the service of this type that the probes share; raise CannotSee if it cannot be created."""
        if known := self._shared.get((kind, caller)):
            return known
        self.wire.require_budget(_RESERVE)
        shared = self.wire.executor.controls.open_shared(kind, self.find_owner(caller))
        if shared is None or shared.id is None:
            # Records the rule that it breaks.
            self.create("again", kind=kind, sender=Sender(caller), judged=Judged("created", "accept"))
            raise CannotSee(f"a plain {kind} service cannot be created here")
        self._shared[kind, caller] = shared
        return shared

    def find_owner(self, caller: str = "red") -> Owner:
        """Return the caller that creates the shared services of a role."""
        return self.wire.executor.controls.choose_owner(Step(caller=caller), self.wire.open_context())

    def find_base(self, kind: str) -> Any:
        """Return what an update must hold to be accepted, which is nothing; raise CannotSee if none is accepted."""
        key = (kind, self.find_owner().role)
        if key not in self._bases:
            self._bases[key] = {}  # for the control itself
            plain = self.update(_PLAIN, raw="{}", service=kind, judged=Judged("update-partial"))
            if plain.reaction != "accepted":
                self._bases[key] = self.wire.executor.controls.find_base(kind, self.find_owner())
                if self._bases[key] or 300 <= plain.status < 400:
                    self._record_plain(kind)
        if self._bases[key] is None:
            raise CannotSee(f"a plain {kind} service cannot be updated here")
        return self._bases[key]

    def require_accepted(
        self, body: Mapping[str, Any], *, service: str = "deployed", rule: str = "updated"
    ) -> None:
        """Raise CannotSee if an update with valid values is refused.

        That breaks the rule, if an update without them is accepted now, and the values are refused again.
        """
        answer = self.update(body=body, service=service)
        what = name_body(body)
        if (
            answer.reaction != "accepted"
            and self.update(f"{_PLAIN} beside {what}", service=service).reaction == "accepted"
        ):
            self.update(f"{what} again", body, service=service, judged=Judged(rule, "accept"))
        require_reaction(answer, "accepted")

    def require_plain_update(self, caller: str) -> Answer:
        """Return the accepted update of the deployed service by a caller; raise CannotSee if it is not accepted."""
        kind = caller.partition("-")[0]
        return require_reaction(self.update(f"{_PLAIN} as {kind}", caller=caller), "accepted")

    def remember(self, name: str, value: str) -> str:
        """Return the value that was given first under a name."""
        return self._values.setdefault(name, value)

    def _record_plain(self, kind: str) -> None:
        """Record the rule that is broken where an update of nothing is redirected, or only a whole one accepted."""
        context = self.wire.open_context()
        context.services["service"] = str(self.find_shared(kind).id)
        step = Step("updateContainer", self.find_owner().role, body={}, expect="accept", as_is=True)
        self.wire.send(context, step, "update-partial", _PLAIN)


def name_body(body: Mapping[str, Any] | None) -> str:
    """Return a body in words."""
    text = json.dumps(body or {})
    return f"with {text if len(text) <= _MAX_BODY else text[:_MAX_BODY] + '…'}"
