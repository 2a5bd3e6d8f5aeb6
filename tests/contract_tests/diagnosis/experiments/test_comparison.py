"""Comparison: two cases differ only if they do so whenever they are sent."""

import itertools
from collections.abc import Callable
from dataclasses import replace

from contract_tests.cases.model import Case, Step
from contract_tests.diagnosis.experiments.comparison import differs_reliably
from mock_server import create_app
from tests.support.gate.gate import open_app_executor
from tests.support.gate.messages import REFUSED, Request
from tests.support.gate.planting import add_interceptor

STEP = Step(caller="jwt-red", body={"display_name": "a", "docker_image": "a"}, expect="accept")
USUAL = Case("usual", "created", "lifecycle", (STEP,))
OTHER = replace(USUAL, steps=(replace(STEP, headers=(("Accept", "*/*"),)),))


def differs(refuse: Callable[[Request], bool]) -> bool:
    """Return whether a create with a further header differs from a usual one on a mock that refuses some creates."""
    app = add_interceptor(create_app(), lambda r, send: REFUSED if refuse(r) else send(r))
    return differs_reliably(open_app_executor(app), OTHER, USUAL)


def test_a_fault_that_shows_by_chance_is_no_difference() -> None:
    """Three creates are refused and the next accepted, whatever their headers: the header is not the reason."""
    numbers = itertools.count()
    assert not differs(lambda request: request.operation == "create" and next(numbers) < 3)


def test_a_fault_that_shows_each_time_is_a_difference() -> None:
    """Each create with the header is refused, and no other."""
    assert differs(lambda request: request.header("Accept") is not None)
