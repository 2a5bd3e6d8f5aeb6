"""The mock with the profile of a deployment answers as that deployment: each request of the gate, sent to both."""

import pytest

from examples.deployment.choices import DEFAULT, USUAL, VARIANTS
from tests.support.gate.gate import EXAMPLE_HOOK, judge_app
from tests.support.gate.profiles import TwinApp

SETS = {"default": DEFAULT, "usual": USUAL, **VARIANTS}
#: Played in each run of the tests; the others are exhaustive.
_SOME = ("default", "order-path-first", "absent-empty")


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in _SOME else pytest.mark.exhaustive) for name in SETS]
)
def test_the_mock_answers_as_the_deployment(name: str) -> None:
    """Status, form of a refusal, and every stored value agree on each of some 2,000 requests."""
    app = TwinApp(SETS[name])
    report = judge_app(app, hook=EXAMPLE_HOOK, strict=False, seed=0)
    assert report.exit_code == 0
    assert app.requests > 1500
    assert app.differences == []
