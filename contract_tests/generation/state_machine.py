"""Draws random traces: a Hypothesis state machine with the model of teams, callers, slugs, types and status.

The model says beforehand what each step must get, so nothing is sent while a trace is drawn.
"""

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import hypothesis.strategies as st
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.configuration import set_hypothesis_home_dir
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test
from platformdirs import user_cache_path

from contract_tests.cases.model import Expect, Step
from contract_tests.execution.random_scenarios import Move, Plan, Stage
from contract_tests.generation.oracle import CREDENTIAL
from contract_tests.generation.state_model import Model

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


def draw(on: Stage, number: int, examples: int, steps: int) -> list[Plan]:
    """Return ``examples`` random traces of at most ``steps`` steps; the same ``number`` makes the same traces."""
    drawn: list[list[Move]] = []
    machine: Any = seed(number)(type("Trace", (Trace,), {"on": on, "drawn": drawn}))
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
    return [tuple(moves) for moves in drawn if moves]


def _one_of(options: Callable[["Trace"], Any]) -> Any:
    """Draw one of what the machine offers at that moment."""
    return st.runner().flatmap(lambda machine: st.sampled_from(options(machine)))


_ROLE = _one_of(lambda machine: machine.on.roles)
_SERVICE = _one_of(lambda machine: sorted(machine.model.services))


class Trace(RuleBasedStateMachine):
    """One random trace, as the model sees it: each step is added to ``moves``, which ``drawn`` collects."""

    on: Stage
    drawn: list[list[Move]] | None = None

    def __init__(self) -> None:
        super().__init__()
        self.model: Model = Model()
        self.moves: list[Move] = []
        if self.drawn is not None:
            self.drawn.append(self.moves)

    @rule(role=_ROLE, slug=st.sampled_from(_SLUGS), kind=st.sampled_from(list(_CREATES)))
    def create(self, role: str, slug: str, kind: str) -> None:
        """Create a service, with a slug that may be taken."""
        team, body = role.rpartition("-")[2], _CREATES[kind]
        expect, why = self.model.expect_create(team, slug, body)
        label = f"s{len(self.moves)}"
        self.add(Step(caller=role, body=body, slug=slug, as_=label), expect, why)
        if expect == "accept":
            self.model.created(label, team, slug, body)

    @precondition(lambda self: bool(self.model.services))
    @rule(role=_ROLE, body=st.sampled_from(_UPDATES), service=_SERVICE)
    def update(self, role: str, body: dict[str, Any], service: str) -> None:
        """Update a service, which may be another team's, with what may be wrong for its type."""
        expect, why = self.model.expect_update(service, role.rpartition("-")[2], body)
        self.add(Step("updateContainer", role, body=body, service=service), expect, why)
        if expect == "accept":
            self.model.updated(service, body)

    @precondition(lambda self: bool(self.model.services) and self.on.hook)
    @rule(status=st.sampled_from(_STATUSES), service=_SERVICE)
    def change_status(self, status: str, service: str) -> None:
        """Set the status of a service through the control hook."""
        self.add(Step("setStatus", service=service, status=status), "accept", "not-while-busy")
        self.model.status(service, status)

    @precondition(lambda self: bool(self.model.services) and self.on.readback)
    @rule(service=_SERVICE)
    def read(self, service: str) -> None:
        """Read a service back: its type, and its credential where it may have one."""
        stored = self.model.services[service]
        role = next((r for r in self.on.roles if r.endswith(stored.team)), self.on.roles[0])
        external = stored.service_type == "external"
        shown = (CREDENTIAL, stored.credential) if external else ("service_type", stored.service_type)
        why = "external-credential-null-keeps" if stored.credential else "service-type-immutable"
        self.add(Step("readContainer", role, service=service, shows=(shown,)), "accept", why)

    def add(self, step: Step, expect: Expect, why: str) -> None:
        """Add a step with what it must get, and why."""
        self.moves.append(Move(replace(step, expect=expect), why))


#: How often each kind of step is walked, where it can be.
_OFTEN = {"create": 3, "update": 6, "change_status": 2, "read": 1}


def walk(on: Stage, number: int, traces: int, steps: int) -> list[Plan]:
    """Return traces of the same steps that go more where much can go wrong, and are made in no time."""
    chance = random.Random(number)  # noqa: S311 - an order, not a secret
    walked = []
    for _ in range(traces):
        trace = Trace()
        trace.on = on
        while len(trace.moves) < steps:
            _step(trace, chance)
        walked.append(tuple(trace.moves))
    return walked


def _step(trace: Trace, chance: random.Random) -> None:
    on, services = trace.on, sorted(trace.model.services)
    able = {"update": True, "change_status": on.hook, "read": on.readback}
    names = ["create", *(name for name in able if services and able[name])]
    (name,) = chance.choices(names, [_OFTEN[name] for name in names])
    if name == "create":
        return trace.create(chance.choice(on.roles), chance.choice(_SLUGS), chance.choice(list(_CREATES)))
    service = chance.choice(services)
    if name == "change_status":
        return trace.change_status(chance.choice(_STATUSES), service)
    if name == "read":
        return trace.read(service)
    owners = [role for role in on.roles if role.endswith(trace.model.services[service].team)]
    return trace.update(chance.choice([*owners * 3, *on.roles]), chance.choice(_UPDATES), service)
