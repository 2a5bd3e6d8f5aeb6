"""Random scenarios: drawn from the model, stored as data, run until the target differs from the model."""

from pathlib import Path

import pytest

from contract_tests.execution.executor import Executor
from contract_tests.execution.factory import ExecutorOptions, open_executor
from contract_tests.execution.random_scenarios import load_scenarios, read_capabilities, run_scenario
from contract_tests.generation.scenario_types import ScenarioCapabilities
from contract_tests.runs.options import RunOptions
from contract_tests.runs.run import Run
from contract_tests.targets.wsgi import WsgiTarget
from mock_server import create_app
from tests.support.gate.gate import MOCK_HOOK

ON = ScenarioCapabilities(("dk-red", "jwt-red", "sk-red", "sk-blue"), readback=True, hook=True)


def open_ready_executor(*, hook: bool, without: frozenset[str] = frozenset()) -> Executor:
    """Return an executor for the mock after its preflight."""
    app = WsgiTarget(create_app(disabled_rules=without))
    executor = open_executor(app, options=ExecutorOptions(control_hook=MOCK_HOOK if hook else None))
    Run(executor, RunOptions(layers=())).execute()
    return executor


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty cache folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("hook", [True, False])
def test_gate_scenarios_are_shipped(cache: Path, *, hook: bool) -> None:
    """For the fixtures' callers nothing is drawn, and the user's cache stays empty."""
    assert len(load_scenarios(read_capabilities(open_ready_executor(hook=hook)), 0)) == 8
    assert list(cache.rglob("*")) == []


def test_scenarios_are_drawn_once(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Scenarios of another seed are drawn once, and then loaded from the cache."""
    drawn = load_scenarios(ON, 77)
    assert len(drawn) == 8
    assert len(list(cache.rglob("traces-*.jsonl"))) == 1
    monkeypatch.setattr("contract_tests.generation.state_machine.draw_scenarios", None)
    assert load_scenarios(ON, 77) == drawn


def test_conforming_target_passes_every_step() -> None:
    """On the mock each step of each scenario meets the model's expectation."""
    executor = open_ready_executor(hook=True)
    for scenario in load_scenarios(read_capabilities(executor), 0):
        results = run_scenario(executor, scenario)
        assert [result.judgement.outcome for result in results] == ["passed"] * len(scenario)


def test_scenario_ends_at_the_first_deviation() -> None:
    """A mock without a rule violates it in some scenario, which ends at that step."""
    executor = open_ready_executor(hook=True, without=frozenset({"slug-unique"}))
    runs = [run_scenario(executor, scenario) for scenario in load_scenarios(read_capabilities(executor), 0)]
    broken = [results for results in runs if results[-1].judgement.outcome == "violated"]
    assert {results[-1].judgement.rule for results in broken} == {"slug-unique"}
    assert all(result.judgement.outcome == "passed" for results in broken for result in results[:-1])
