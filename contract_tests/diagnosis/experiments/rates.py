"""Rates: how often a violation shows if its case is run again, and in which pattern."""

from dataclasses import replace

from contract_tests.execution.executor import Executor
from contract_tests.execution.sending.context import CannotRun
from contract_tests.results.observation import Observation
from contract_tests.results.statistics import Rate, find_pattern

#: A violation that shows each of so many times is called reproducible. One of half the requests is, 1 time in 16.
_CHECKS = 4
_TRIES = 20


def add_rate(executor: Executor, observation: Observation) -> Observation:
    """Return a violation with its rate, if it does not show each time.

    The tries that decide whether it is measured are not counted, since they would shift the rate.
    """
    if observation.case.layer == "race":
        return observation
    try:
        if all(_shows_again(executor, observation) for _ in range(_CHECKS)):
            return observation
        hits = [_shows_again(executor, observation) for _ in range(_TRIES)]
    except CannotRun:
        return observation
    return replace(observation, rate=Rate(sum(hits), len(hits), find_pattern(hits)))


def _shows_again(executor: Executor, observation: Observation) -> bool:
    """Run a case once more and return whether it is violated; raise CannotRun if that proves nothing."""
    outcome = executor.run_case(observation.case).judgement.outcome
    if outcome not in ("violated", "passed"):
        raise CannotRun("the repeated case proves nothing")
    return outcome == "violated"
