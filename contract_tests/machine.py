"""Random traces: a Hypothesis state machine with the model of teams, callers, slugs, types and status."""

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import hypothesis.strategies as st
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from contract_tests.case import Case, Expect, Step
from contract_tests.judge import Judgement
from contract_tests.model import Model
from contract_tests.oracle import CREDENTIAL
from contract_tests.player import Player, Result
from contract_tests.scene import NotObserved, Scene

_CREATES: dict[str, dict[str, Any]] = {
    "deployed": {"display_name": "Traced", "service_type": "deployed", "docker_image": "nginx:1.27"},
    "external": {"display_name": "Traced", "service_type": "external", "external_url": "https://t.example.com"},
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


def explore(
    player: Player, number: int, examples: int, steps: int, found: Callable[[Result], None], stop: Callable[[], bool]
) -> None:
    """Play ``examples`` random traces of at most ``steps`` steps; the same ``number`` makes the same traces."""
    roles = sorted({f"{c.kind}-red" for c in player.cast.workers()})
    blue = player.cast.find("blue")
    if blue is not None:
        roles.append(f"{blue.kind}-blue")
    if not roles:
        return
    machine = _machine(player, roles, found, stop)
    profile = settings(
        max_examples=examples,
        stateful_step_count=steps,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        derandomize=False,
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    state = random.getstate()
    try:
        run_state_machine_as_test(seed(number)(lambda: machine()), settings=profile)
    finally:
        random.setstate(state)


def _machine(
    player: Player, roles: list[str], found: Callable[[Result], None], stop: Callable[[], bool]
) -> type[RuleBasedStateMachine]:
    class Trace(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.model = Model()
            self.scene = Scene(player.cast, player.slugs)
            self.played: list[Step] = []
            self.exchanges: list[Any] = []
            self.over = stop()

        @rule(role=st.sampled_from(roles), slug=st.sampled_from(_SLUGS), kind=st.sampled_from(list(_CREATES)))
        def create(self, role: str, slug: str, kind: str) -> None:
            team, body = role.rpartition("-")[2], _CREATES[kind]
            expect, why = self.model.expect_create(team, slug, body)
            label = f"s{len(self.played)}"
            step = Step(caller=role, body=body, slug=slug, as_=label)
            if self.do(step, expect, why).answer == "accepted":
                self.model.created(label, team, slug, body)

        @precondition(lambda self: self.model.services)
        @rule(role=st.sampled_from(roles), body=st.sampled_from(_UPDATES), data=st.data())
        def update(self, role: str, body: dict[str, Any], data: st.DataObject) -> None:
            label = data.draw(st.sampled_from(sorted(self.model.services)))
            expect, why = self.model.expect_update(label, role.rpartition("-")[2], body)
            answer = self.do(Step("updateContainer", role, body=body, service=label), expect, why).answer
            if answer == "accepted":
                self.model.updated(label, body)

        @precondition(lambda self: self.model.services and player.hook)
        @rule(status=st.sampled_from(_STATUSES), data=st.data())
        def change_status(self, status: str, data: st.DataObject) -> None:
            label = data.draw(st.sampled_from(sorted(self.model.services)))
            step = Step("setStatus", service=label, status=status)
            if self.do(step, "accept", "not-while-busy").outcome == "passed":
                self.model.status(label, status)

        @precondition(lambda self: self.model.services and player.readback)
        @rule(data=st.data())
        def read(self, data: st.DataObject) -> None:
            label = data.draw(st.sampled_from(sorted(self.model.services)))
            stored = self.model.services[label]
            role = next((r for r in roles if r.endswith(stored.team)), roles[0])
            shows: tuple[tuple[str, Any], ...] = (("service_type", stored.service_type),)
            if stored.service_type == "external":
                shows = ((CREDENTIAL, stored.credential),)
            why = "external-credential-null-keeps" if stored.credential else "service-type-immutable"
            self.do(Step("readContainer", role, service=label, shows=shows), "accept", why)

        def do(self, step: Step, expect: Expect, why: str) -> Judgement:
            if self.over or stop():
                self.over = True
                return Judgement("not observed", why, "the trace has ended")
            step = replace(step, expect=expect)
            self.played.append(step)
            case = Case(f"trace/random-{why}", why, "lifecycle", tuple(self.played))
            try:
                judgement = player.play_step(case, player.catalogue[why], step, self.scene, self.exchanges)
            except NotObserved as missing:
                judgement = Judgement("not observed", why, str(missing))
            found(Result(case, judgement, tuple(self.exchanges)))
            self.over = judgement.outcome != "passed"
            return judgement

    return Trace
