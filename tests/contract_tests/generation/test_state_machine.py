"""Random scenarios, drawn and walked."""

from collections import Counter

from contract_tests.generation.scenario_types import ScenarioCapabilities
from contract_tests.generation.state_machine import draw_scenarios, walk_scenarios

ON = ScenarioCapabilities(("dk-red", "jwt-red", "sk-red", "sk-blue"), readback=True, hook=True)


def test_walks_prefer_updates() -> None:
    """Equal seeds walk equal scenarios of the requested length, and about half of the steps are updates."""
    assert walk_scenarios(ON, 5, 40, 10) == walk_scenarios(ON, 5, 40, 10) != walk_scenarios(ON, 6, 40, 10)
    moves = [move for plan in walk_scenarios(ON, 5, 40, 10) for move in plan]
    often = Counter(move.step.operation for move in moves)
    assert len(moves) == 400
    assert 120 < often["updateContainer"] < 240
    assert min(often.values()) > 10
    assert len(often) == 4
    assert {move.step.expect for move in moves} == {"accept", "refuse", "open"}


def test_walks_respect_capabilities() -> None:
    """Without a hook no walk sets a status, and without a read-back no walk reads."""
    plain = ScenarioCapabilities(ON.roles, readback=False, hook=False)
    steps = {move.step.operation for plan in walk_scenarios(plain, 5, 40, 10) for move in plan}
    assert steps == {"createContainer", "updateContainer"}


def test_equal_seeds_draw_equal_scenarios() -> None:
    """Equal seeds draw equal scenarios, other seeds draw others, and none is longer than requested."""
    first, again, other = (draw_scenarios(ON, seed, 8, 10) for seed in (1, 1, 2))
    assert first == again != other
    assert max(map(len, first)) <= 10
    assert {move.step.operation for plan in first for move in plan} >= {"createContainer", "updateContainer"}


def test_drawn_scenarios_respect_capabilities() -> None:
    """Without a hook no scenario sets a status, and without a read-back no scenario reads."""
    plain = draw_scenarios(ScenarioCapabilities(ON.roles, readback=False, hook=False), 0, 8, 10)
    seen = {move.step.operation for plan in plain for move in plan}
    assert seen == {"createContainer", "updateContainer"}
