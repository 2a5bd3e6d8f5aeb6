"""Which runs have nothing left that a resumed run could send."""

import pytest

from contract_tests.cli.long_runs.resume import is_finished
from contract_tests.runs.checkpoint import RunState


@pytest.mark.parametrize(
    ("cut_short", "finished"),
    [
        ("", True),
        ("stopped after --time 10s as asked", True),
        ("interrupted", False),
        ("the target stopped responding: the connection was refused", False),
    ],
)
def test_a_run_that_ended_early_after_its_last_layer_goes_on(cut_short: str, finished: bool) -> None:
    """Its repeats and explanations are left; it printed its report again, with exit code 130 or 3 for good."""
    state = RunState("http://h/api/v1", "now", done_layers=["cases"], finished=True, cut_short=cut_short)
    assert is_finished({"layers": ("cases",), "seconds": None, "budget": None}, state) is finished
