"""History: an update that is refused for what happened to its service before."""

import pytest

from tests.quality.faults.state_company import STATE_COMPANY
from tests.support.gate.gate import describe_findings, judge_app, violated_rules


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.slow
def test_a_lock_after_a_refusal_is_blamed_alone(seed: int) -> None:
    """Whatever update meets the lock first, the rule that lets services be updated is named, and no other."""
    fault = next(f for f in STATE_COMPANY if f.name == "lock-stays-after-a-refused-update")
    report = judge_app(fault.app(), seed=seed, layers=("cases", "lifecycle"))
    assert violated_rules(report) == {"not-while-busy"}, describe_findings(report)
    (finding,) = report.findings
    assert "was refused (400)" in finding.story
