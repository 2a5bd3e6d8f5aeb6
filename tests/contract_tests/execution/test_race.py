"""Races: what only many requests at once can show."""

import pytest

from contract_tests.execution.factory import ExecutorOptions, open_executor
from contract_tests.execution.race import build_race_cases, run_race
from contract_tests.results.judge import Judgement
from contract_tests.targets.wsgi import WsgiTarget
from mock_server import create_app
from tests.quality.faults.bleeding import resets
from tests.support.gate.gate import App, spec

DIFFERENT = next(case for case in build_race_cases() if case.id == "race/update-different-1")


def judge_updates(app: App) -> Judgement:
    """Return the judgement on updates of different properties at the same moment."""
    executor = open_executor(WsgiTarget(app), options=ExecutorOptions(spec=spec()))
    executor.readback = True
    return run_race(executor, DIFFERENT).judgement


def test_updates_that_lose_a_value_in_turn_show_no_race() -> None:
    """A target whose updates always drop what they omit is not called racy."""
    judgement = judge_updates(create_app(disabled_rules={"update-keeps-omitted"}))
    assert (judgement.outcome, judgement.reason) == (
        "inconclusive",
        "the same updates lose a value one after another, too",
    )


@pytest.mark.parametrize("name", list(DIFFERENT.steps[1].body) + list(DIFFERENT.steps[-1].body))
def test_a_property_that_each_other_update_resets_shows_no_race(name: str) -> None:
    """A target whose updates drop one omitted property is not called racy, whichever update comes last in turn."""
    fault = resets(name, {"display_name": "d", "replica_count": 1}[name])
    judgement = judge_updates(fault.app())
    assert judgement.outcome != "violated", judgement.reason


def test_right_updates_pass() -> None:
    """All values of concurrent updates stay on the mock."""
    assert judge_updates(create_app()).outcome == "passed"
