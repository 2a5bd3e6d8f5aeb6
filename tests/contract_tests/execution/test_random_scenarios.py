"""Random traces: drawn beforehand from the model, kept as data, played until the target and the model part."""

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
    """A player of the mock that has passed its preflight."""
    app = WsgiTarget(create_app(without=without))
    player = open_executor(app, options=ExecutorOptions(control_hook=MOCK_HOOK if hook else None))
    Run(player, RunOptions(layers=())).execute()
    return player


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the user's in which nothing is."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("hook", [True, False])
def test_the_traces_of_the_gate_are_shipped(cache: Path, *, hook: bool) -> None:
    """For the callers of the fixtures nothing is drawn, and nothing is left in the user's cache."""
    assert len(load_scenarios(read_capabilities(open_ready_executor(hook=hook)), 0)) == 8
    assert list(cache.rglob("*")) == []


def test_traces_are_drawn_once(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of another seed are drawn, and recalled as they were drawn from then on."""
    drawn = load_scenarios(ON, 77)
    assert len(drawn) == 8
    assert len(list(cache.rglob("traces-*.jsonl"))) == 1
    monkeypatch.setattr("contract_tests.generation.state_machine.draw_scenarios", None)
    assert load_scenarios(ON, 77) == drawn


def test_a_target_that_keeps_the_rules_plays_every_step() -> None:
    """On the mock each step of each trace gets what the model says."""
    player = open_ready_executor(hook=True)
    for plan in load_scenarios(read_capabilities(player), 0):
        results = run_scenario(player, plan)
        assert [result.judgement.outcome for result in results] == ["passed"] * len(plan)


def test_a_trace_ends_where_the_target_parts_from_the_model() -> None:
    """On a mock that forgot a rule some trace is violated for it, and that is its last step."""
    player = open_ready_executor(hook=True, without=frozenset({"slug-unique"}))
    played = [run_scenario(player, plan) for plan in load_scenarios(read_capabilities(player), 0)]
    broken = [results for results in played if results[-1].judgement.outcome == "violated"]
    assert {results[-1].judgement.rule for results in broken} == {"slug-unique"}
    assert all(result.judgement.outcome == "passed" for results in broken for result in results[:-1])
