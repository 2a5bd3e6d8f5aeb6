"""Random scenarios: drawn from the state model, stored as data, run until the target differs from the model."""

from contract_tests.cases.callers import CallerPool, build_caller_pool, load_callers
from contract_tests.cases.model import Case
from contract_tests.contract.resources import data_file
from contract_tests.execution.executor import Executor, judge_missing
from contract_tests.execution.sending.context import CannotRun
from contract_tests.generation import cache
from contract_tests.generation.scenario_types import (
    Scenario,
    ScenarioCapabilities,
    scenario_from_json,
    scenario_to_json,
)
from contract_tests.results.observation import Observation

_FORMAT = 1
_SCENARIOS, _STEPS = 8, 10


def read_capabilities(executor: Executor) -> ScenarioCapabilities:
    """Return the roles, read-back and control hook that scenarios can use with this executor."""
    roles = _list_roles(executor.controls.caller_pool)
    return ScenarioCapabilities(roles, executor.readback, executor.hook is not None)


def load_scenarios(capabilities: ScenarioCapabilities, seed: int) -> list[Scenario]:
    """Return the stored scenarios of a seed, or draw and store them; none without callers."""
    if not capabilities.roles:
        return []
    name = _cache_name(capabilities, seed)
    known = cache.load_values(name)
    if known is not None:
        return [scenario_from_json(data) for data in known]
    # Loads Hypothesis, which a run with stored scenarios never needs.
    from contract_tests.generation.state_machine import draw_scenarios

    drawn = draw_scenarios(capabilities, seed, _SCENARIOS, _STEPS)
    cache.save_values(name, map(scenario_to_json, drawn))
    return drawn


def walk_more_scenarios(capabilities: ScenarioCapabilities, seed: int, scenarios: int) -> list[Scenario]:
    """Return scenarios beyond the gate's, from a random walk; none without callers."""
    from contract_tests.generation.state_machine import walk_scenarios

    return walk_scenarios(capabilities, seed, scenarios, _STEPS) if capabilities.roles else []


def freeze_scenarios(seed: int) -> None:
    """Write the scenarios that are shipped for the gate, for the callers of the fixtures."""
    from contract_tests.generation.state_machine import draw_scenarios

    for old in cache.SHIPPED_FOLDER.glob("traces-*.jsonl"):
        old.unlink()
    roles = _list_roles(build_caller_pool(load_callers(data_file("fixtures/callers.yaml"))))
    for hook in (False, True):
        capabilities = ScenarioCapabilities(roles, readback=True, hook=hook)
        drawn = draw_scenarios(capabilities, seed, _SCENARIOS, _STEPS)
        cache.save_values(_cache_name(capabilities, seed), map(scenario_to_json, drawn), cache.SHIPPED_FOLDER)


def run_scenario(executor: Executor, scenario: Scenario) -> list[Observation]:
    """Run a scenario and return an observation per step; a deviation ends it, as the model knows no further."""
    context = executor.open_context()
    observations: list[Observation] = []
    for number, expected in enumerate(scenario, 1):
        rule = executor.catalogue[expected.rule]
        steps = tuple(earlier.step for earlier in scenario[:number])
        case = Case(f"trace/random-{rule.id}", rule.id, "lifecycle", steps)
        try:
            judgement = executor.run_step(case, rule, expected.step, context)
        except CannotRun as error:
            judgement = judge_missing(rule, error)
        observations.append(Observation(case, judgement, tuple(context.exchanges)))
        if judgement.outcome != "passed":
            break
    return observations


def _list_roles(pool: CallerPool) -> tuple[str, ...]:
    """Return every kind of caller of team red, and one caller of team blue."""
    red = sorted({f"{caller.kind}-red" for caller in pool.list_red_callers()})
    blue = pool.find_caller("blue")
    return (*red, f"{blue.kind}-blue") if red and blue else tuple(red)


def _cache_name(capabilities: ScenarioCapabilities, seed: int) -> str:
    return cache.build_name(
        "traces",
        _FORMAT,
        capabilities.roles,
        capabilities.readback,
        capabilities.hook,
        seed,
        _SCENARIOS,
        _STEPS,
    )
