"""One fault does not hide another: a target that wrongly refuses some values is judged by the others."""

import pytest

from tests.quality.faults import FAULTS
from tests.support.gate.gate import describe_findings, judge_app, violated_rules
from tests.support.gate.planting import (
    Fault,
    add_interceptor,
    refuses,
)
from tests.support.sampling import keep_first

pytestmark = pytest.mark.slow

_TEN_REFUSED = refuses("", "replica_count", lambda value: value == 10)
_SAMPLE = [fault for number, fault in enumerate(FAULTS) if number % 96 == 0]


@pytest.mark.parametrize("fault", keep_first(2, _SAMPLE), ids=lambda fault: fault.name)
def test_a_fault_is_found_beside_a_strict_one(fault: Fault) -> None:
    """A target with the fault that also refuses ten replicas is told both."""
    report = judge_app(add_interceptor(fault.app(), _TEN_REFUSED))
    assert {*fault.breaks, "replica-count-range"} <= violated_rules(report), describe_findings(report)
