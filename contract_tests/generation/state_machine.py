"""Random scenarios from a Hypothesis state machine over teams, callers, slugs, types and statuses.

The state model predicts each step's expectation, so drawing a scenario sends no request.
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
from contract_tests.generation.oracle import CREDENTIAL_PROPERTY
from contract_tests.generation.scenario_types import ExpectedStep, Scenario, ScenarioCapabilities
from contract_tests.generation.state_model import StateModel

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
        CREDENTIAL_PROPERTY: "0192f0c1-2b3c-7d4e-8f50-616263646566",
    },
    "invalid": {"display_name": "Traced", "docker_image": "nginx:1.27", "replica_count": 11},
}
_UPDATES: tuple[dict[str, Any], ...] = (
    {},
    {"display_name": "Renamed"},
    {"external_url": "https://u.example.com"},
    {CREDENTIAL_PROPERTY: "3c90c3cc-0d44-4b50-8888-8dd25736052a"},
    {CREDENTIAL_PROPERTY: None},
    {"service_type": "external"},
    {"service_type": "deployed"},
    {"exposed_port": 0},
    {"exposed_port": 65535, "replica_count": 10},
)
_STATUSES = ("deploying", "running", "stopping", "stopped")
_SLUGS = ("a", "b", "c")


def draw_scenarios(
    capabilities: ScenarioCapabilities, number: int, examples: int, steps: int
) -> list[Scenario]:
    """Return ``examples`` random scenarios of at most ``steps`` steps; ``number`` is the seed."""
    collected: list[list[ExpectedStep]] = []
    attributes = {"capabilities": capabilities, "collected": collected}
    machine: Any = seed(number)(type("Trace", (ScenarioMachine,), attributes))
    profile = settings(
        max_examples=examples,
        stateful_step_count=steps,
        phases=[Phase.generate],  # execution/shrink.py shrinks a violation within a few requests
        database=None,
        deadline=None,
        derandomize=False,
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    state = random.getstate()
    # Hypothesis would otherwise create a folder in the user's working directory.
    set_hypothesis_home_dir(user_cache_path("cyberun-contract-kit") / "hypothesis")
    try:
        run_state_machine_as_test(machine, settings=profile)
    finally:
        random.setstate(state)
    return [tuple(expected_steps) for expected_steps in collected if expected_steps]


def _sample_from(list_options: Callable[["ScenarioMachine"], Any]) -> Any:
    """Return a strategy that draws one of the machine's current options."""
    return st.runner().flatmap(lambda machine: st.sampled_from(list_options(machine)))


_ROLE = _sample_from(lambda machine: machine.capabilities.roles)
_SERVICE = _sample_from(lambda machine: sorted(machine.model.services))


class ScenarioMachine(RuleBasedStateMachine):
    """One random scenario: each rule adds a step to ``expected_steps``, which ``collected`` gathers."""

    capabilities: ScenarioCapabilities
    collected: list[list[ExpectedStep]] | None = None

    def __init__(self) -> None:
        super().__init__()
        self.model: StateModel = StateModel()
        self.expected_steps: list[ExpectedStep] = []
        if self.collected is not None:
            self.collected.append(self.expected_steps)

    @rule(role=_ROLE, slug=st.sampled_from(_SLUGS), kind=st.sampled_from(list(_CREATES)))
    def create(self, role: str, slug: str, kind: str) -> None:
        """Create a service, with a slug that may be taken."""
        team, body = role.rpartition("-")[2], _CREATES[kind]
        expect, reason_rule = self.model.expect_create(team, slug, body)
        label = f"s{len(self.expected_steps)}"
        self.add_step(Step(caller=role, body=body, slug=slug, as_=label), expect, reason_rule)
        if expect == "accept":
            self.model.apply_create(label, team, slug, body)

    @precondition(lambda self: bool(self.model.services))
    @rule(role=_ROLE, body=st.sampled_from(_UPDATES), service=_SERVICE)
    def update(self, role: str, body: dict[str, Any], service: str) -> None:
        """Update a service, perhaps another team's, with a body that may be invalid for its type."""
        expect, reason_rule = self.model.expect_update(service, role.rpartition("-")[2], body)
        self.add_step(Step("updateContainer", role, body=body, service=service), expect, reason_rule)
        if expect == "accept":
            self.model.apply_update(service, body)

    @precondition(lambda self: bool(self.model.services) and self.capabilities.hook)
    @rule(status=st.sampled_from(_STATUSES), service=_SERVICE)
    def change_status(self, status: str, service: str) -> None:
        """Set the status of a service through the control hook."""
        self.add_step(Step("setStatus", service=service, status=status), "accept", "not-while-busy")
        self.model.set_status(service, status)

    @precondition(lambda self: bool(self.model.services) and self.capabilities.readback)
    @rule(service=_SERVICE)
    def read(self, service: str) -> None:
        """Read a service back: its type, and its credential if it may have one."""
        stored = self.model.services[service]
        roles = self.capabilities.roles
        role = next((r for r in roles if r.endswith(stored.team)), roles[0])
        external = stored.service_type == "external"
        shows = (
            (CREDENTIAL_PROPERTY, stored.credential) if external else ("service_type", stored.service_type)
        )
        reason_rule = "external-credential-null-keeps" if stored.credential else "service-type-immutable"
        self.add_step(Step("readContainer", role, service=service, shows=(shows,)), "accept", reason_rule)

    def add_step(self, step: Step, expect: Expect, reason_rule: str) -> None:
        """Add a step with its expectation and the rule that gives it."""
        self.expected_steps.append(ExpectedStep(replace(step, expect=expect), reason_rule))


#: Weight of each kind of step in a random walk.
_STEP_WEIGHTS = {"create": 3, "update": 6, "change_status": 2, "read": 1}


def walk_scenarios(
    capabilities: ScenarioCapabilities, number: int, scenarios: int, steps: int
) -> list[Scenario]:
    """Return scenarios of the same steps from a weighted random walk, which is faster than Hypothesis."""
    rng = random.Random(number)  # noqa: S311 - an order, not a secret
    walks = []
    for _ in range(scenarios):
        machine = ScenarioMachine()
        machine.capabilities = capabilities
        while len(machine.expected_steps) < steps:
            _walk_step(machine, rng)
        walks.append(tuple(machine.expected_steps))
    return walks


def _walk_step(machine: ScenarioMachine, rng: random.Random) -> None:
    capabilities, services = machine.capabilities, sorted(machine.model.services)
    available = {"update": True, "change_status": capabilities.hook, "read": capabilities.readback}
    names = ["create", *(name for name in available if services and available[name])]
    (name,) = rng.choices(names, [_STEP_WEIGHTS[name] for name in names])
    if name == "create":
        role, slug = rng.choice(capabilities.roles), rng.choice(_SLUGS)
        return machine.create(role, slug, rng.choice(list(_CREATES)))
    service = rng.choice(services)
    if name == "change_status":
        return machine.change_status(rng.choice(_STATUSES), service)
    if name == "read":
        return machine.read(service)
    team = machine.model.services[service].team
    owners = [role for role in capabilities.roles if role.endswith(team)]
    return machine.update(rng.choice([*owners * 3, *capabilities.roles]), rng.choice(_UPDATES), service)
