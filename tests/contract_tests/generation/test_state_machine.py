"""Random scenarios, drawn and walked."""

from collections import Counter

from contract_tests.generation.scenario_types import ScenarioCapabilities
from contract_tests.generation.state_machine import draw_scenarios, walk_scenarios

ON = ScenarioCapabilities(("dk-red", "jwt-red", "sk-red", "sk-blue"), readback=True, hook=True)


def test_walks_prefer_updates() -> None:
    """Equal seeds walk equal scenarios of the requested length, and about half of the steps are updates."""
    assert walk_scenarios(ON, 5, 40, 10) == walk_scenarios(ON, 5, 40, 10) != walk_scenarios(ON, 6, 40, 10)
    expected_steps = [expected for scenario in walk_scenarios(ON, 5, 40, 10) for expected in scenario]
    often = Counter(expected.step.operation for expected in expected_steps)
    assert len(expected_steps) == 400
    assert 120 < often["updateContainer"] < 240
    assert min(often.values()) > 10
    assert len(often) == 4
    assert {expected.step.expect for expected in expected_steps} == {"accept", "refuse", "open"}


def test_walks_respect_capabilities() -> None:
    """Without a hook no walk sets a status, and without a read-back no walk reads."""
    plain = ScenarioCapabilities(ON.roles, readback=False, hook=False)
    steps = {
        expected.step.operation for scenario in walk_scenarios(plain, 5, 40, 10) for expected in scenario
    }
    assert steps == {"createContainer", "updateContainer"}


def test_equal_seeds_draw_equal_scenarios() -> None:
    """Equal seeds draw equal scenarios, other seeds draw others, and none is longer than requested."""
    first, again, other = (draw_scenarios(ON, seed, 8, 10) for seed in (1, 1, 2))
    assert first == again != other
    assert max(map(len, first)) <= 10
    assert {expected.step.operation for scenario in first for expected in scenario} >= {
        "createContainer",
        "updateContainer",
    }


def test_drawn_scenarios_respect_capabilities() -> None:
    """Without a hook no scenario sets a status, and without a read-back no scenario reads."""
    plain = draw_scenarios(ScenarioCapabilities(ON.roles, readback=False, hook=False), 0, 8, 10)
    seen = {expected.step.operation for scenario in plain for expected in scenario}
    assert seen == {"createContainer", "updateContainer"}
