"""Random traces: a Hypothesis state machine with the model of teams, callers, slugs, types and status."""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import hypothesis.strategies as st
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.configuration import set_hypothesis_home_dir
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test
from platformdirs import user_cache_path

from contract_tests.callers import Cast
from contract_tests.case import Case, Expect, Step
from contract_tests.judge import Judgement
from contract_tests.model import Model
from contract_tests.oracle import CREDENTIAL
from contract_tests.player import Player, Result, Uncontrolled
from contract_tests.scene import NotObserved, Scene

_CREATES: dict[str, dict[str, Any]] = {
    "deployed": {"display_name": "Traced", "service_type": "deployed", "docker_image": "nginx:1.27"},
    "external": {
        "display_name": "Traced",
        "service_type": "external",
        "external_url": "https://t.example.com",
    },
    "external-with-credential": {
        "display_name": "Traced",
        "service_type": "external",
        "external_url": "https://t.example.com",
        CREDENTIAL: "0192f0c1-2b3c-7d4e-8f50-616263646566",
    },
    "invalid": {"display_name": "Traced", "docker_image": "nginx:1.27", "replica_count": 11},
}
_UPDATES: tuple[dict[str, Any], ...] = (
    {},
    {"display_name": "Renamed"},
    {"external_url": "https://u.example.com"},
    {CREDENTIAL: "3c90c3cc-0d44-4b50-8888-8dd25736052a"},
    {CREDENTIAL: None},
    {"service_type": "external"},
    {"service_type": "deployed"},
    {"exposed_port": 0},
    {"exposed_port": 65535, "replica_count": 10},
)
_STATUSES = ("deploying", "running", "stopping", "stopped")
_SLUGS = ("a", "b", "c")


@dataclass(frozen=True, slots=True)
class Context:
    """What all traces of a run share: who plays, in which roles, where results go, when to stop."""

    player: Player
    roles: tuple[str, ...]
    found: Callable[[Result], None]
    stop: Callable[[], bool]


def explore(context: Context, number: int, examples: int, steps: int) -> None:
    """Play ``examples`` random traces of at most ``steps`` steps; the same ``number`` makes the same traces."""
    machine: Any = seed(number)(type("Trace", (Trace,), {"context": context}))
    profile = settings(
        max_examples=examples,
        stateful_step_count=steps,
        phases=[Phase.generate],  # a violation is made smaller by us, within a few requests
        database=None,
        deadline=None,
        derandomize=False,
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    state = random.getstate()
    set_hypothesis_home_dir(user_cache_path("cyberun-contract-kit") / "hypothesis")  # not the user's folder
    try:
        run_state_machine_as_test(machine, settings=profile)
    finally:
        random.setstate(state)
        del machine.context  # Hypothesis keeps every machine's class for good


def roles(cast: Cast) -> tuple[str, ...]:
    """Return the roles of a trace: every kind of caller of team red, and one caller of team blue."""
    red = sorted({f"{caller.kind}-red" for caller in cast.workers()})
    blue = cast.find("blue")
    return (*red, f"{blue.kind}-blue") if blue else tuple(red)


def _one_of(options: Callable[["Trace"], Any]) -> Any:
    """Draw one of what the machine offers at that moment."""
    return st.runner().flatmap(lambda machine: st.sampled_from(options(machine)))


_ROLE = _one_of(lambda machine: machine.context.roles)
_SERVICE = _one_of(lambda machine: sorted(machine.model.services))


class Trace(RuleBasedStateMachine):
    """One random trace. It never fails by itself: what it sees goes to ``context.found``."""

    context: ClassVar[Context]

    def __init__(self) -> None:
        super().__init__()
        self.model: Model = Model()
        self.scene = Scene(self.context.player.cast, self.context.player.slugs)
        self.played: list[Step] = []
        self.exchanges: list[Any] = []
        self.over = self.context.stop()

    @rule(role=_ROLE, slug=st.sampled_from(_SLUGS), kind=st.sampled_from(list(_CREATES)))
    def create(self, role: str, slug: str, kind: str) -> None:
        """Create a service, with a slug that may be taken."""
        team, body = role.rpartition("-")[2], _CREATES[kind]
        expect, why = self.model.expect_create(team, slug, body)
        label = f"s{len(self.played)}"
        if self.play(Step(caller=role, body=body, slug=slug, as_=label), expect, why).answer == "accepted":
            self.model.created(label, team, slug, body)

    @precondition(lambda self: bool(self.model.services))
    @rule(role=_ROLE, body=st.sampled_from(_UPDATES), service=_SERVICE)
    def update(self, role: str, body: dict[str, Any], service: str) -> None:
        """Update a service, which may be another team's, with what may be wrong for its type."""
        expect, why = self.model.expect_update(service, role.rpartition("-")[2], body)
        step = Step("updateContainer", role, body=body, service=service)
        if self.play(step, expect, why).answer == "accepted":
            self.model.updated(service, body)

    @precondition(lambda self: bool(self.model.services) and self.context.player.hook is not None)
    @rule(status=st.sampled_from(_STATUSES), service=_SERVICE)
    def change_status(self, status: str, service: str) -> None:
        """Set the status of a service through the control hook."""
        step = Step("setStatus", service=service, status=status)
        if self.play(step, "accept", "not-while-busy").outcome == "passed":
            self.model.status(service, status)

    @precondition(lambda self: bool(self.model.services) and self.context.player.readback)
    @rule(service=_SERVICE)
    def read(self, service: str) -> None:
        """Read a service back: its type, and its credential where it may have one."""
        stored = self.model.services[service]
        role = next((r for r in self.context.roles if r.endswith(stored.team)), self.context.roles[0])
        external = stored.service_type == "external"
        shown = (CREDENTIAL, stored.credential) if external else ("service_type", stored.service_type)
        why = "external-credential-null-keeps" if stored.credential else "service-type-immutable"
        self.play(Step("readContainer", role, service=service, shows=(shown,)), "accept", why)

    def play(self, step: Step, expect: Expect, why: str) -> Judgement:
        """Play one step and hand on what it showed; a trace ends where the target and the model part."""
        if self.over or self.context.stop():
            self.over = True
            return Judgement("not observed", why, "the trace has ended")
        player, step = self.context.player, replace(step, expect=expect)
        self.played.append(step)
        case = Case(f"trace/random-{why}", why, "lifecycle", tuple(self.played))
        try:
            judgement = player.play_step(case, player.catalogue[why], step, self.scene, self.exchanges)
        except Uncontrolled as missing:
            judgement = Judgement("inconclusive", why, str(missing))
        except NotObserved as missing:
            judgement = Judgement("not observed", why, str(missing))
        self.context.found(Result(case, judgement, tuple(self.exchanges)))
        self.over = judgement.outcome != "passed"
        return judgement
