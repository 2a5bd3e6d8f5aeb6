"""Runs against hostile servers end in time, with a verdict or one sentence."""

import pytest

from tests.support.gate.odd_servers import run_command
from tests.support.hostile_server import ANSWERS, POSTPONED, serve_always, serve_answers

#: In each run of the tests; the others are alike.
_SAMPLE = {"body-drips", "gzip-bomb", "busy-for-a-day"}


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name in _SAMPLE else (pytest.mark.exhaustive,))
        for name in (*ANSWERS, *POSTPONED)
    ],
)
def test_a_run_against_a_hostile_server_ends(name: str) -> None:
    """The run ends with its time limit: with findings, or with one sentence and exit code 3."""
    with serve_answers(serve_always(name)) as (url, _):
        done = run_command("run", "--target", url, "--timeout", "0.5s", "--time", "5s", timeout=60)
    assert done.code in (1, 3), done.out + done.err
    if done.code == 3 and not done.out:
        lines = [line for line in done.err.splitlines() if not line.startswith("waiting ")]
        assert len(lines) == 1
        assert lines[0].startswith("contract-tests: http://127.0.0.1:")
    assert "\x1b" not in done.out + done.err
