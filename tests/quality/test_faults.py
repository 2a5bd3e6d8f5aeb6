"""Each planted fault is found, under the rules that it breaks, and nothing is named that does not follow."""

from collections import Counter

import pytest

from tests.quality.faults import FAULTS
from tests.support.gate.gate import catalogue, describe_findings, judge_app, violated_rules
from tests.support.gate.planting import Fault

pytestmark = pytest.mark.slow

#: A few of each kind, played in another order and with other random traces.
SAMPLE = [fault for number, fault in enumerate(FAULTS) if number % 24 == 0]


def assert_found(fault: Fault, seed: int) -> None:
    """The gate is red and names what the fault breaks."""
    report = judge_app(fault.app(), seed=seed)
    found = violated_rules(report)
    assert report.exit_code == 1
    assert fault.breaks <= found <= fault.breaks | set(fault.also), describe_findings(report)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_is_found_under_its_rules(fault: Fault) -> None:
    """The gate is red, names every rule that the fault breaks, and none but those that truly follow."""
    assert_found(fault, 0)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("fault", SAMPLE, ids=lambda fault: fault.name)
def test_a_fault_is_found_whatever_the_seed(fault: Fault, seed: int) -> None:
    """The same holds for other seeds, which order the cases and draw the random traces."""
    assert_found(fault, seed)


def test_the_table_is_in_order() -> None:
    """Every fault has a name of its own, breaks something, and speaks of rules that there are."""
    assert [name for name, count in Counter(fault.name for fault in FAULTS).items() if count > 1] == []
    for fault in FAULTS:
        assert fault.breaks
        assert fault.breaks | set(fault.also) <= set(catalogue()), fault.name
        assert all(fault.also.values())


def test_the_table_breaks_every_rule() -> None:
    """For every rule there is a fault that is found under it."""
    unbroken = set(catalogue()) - {rule for fault in FAULTS for rule in fault.breaks}
    assert unbroken == set()
