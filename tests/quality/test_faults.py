"""Each planted fault is found, under the rules that it breaks, and nothing is named that does not follow."""

from collections import Counter

import pytest

from tests.quality.faults import CORE_FAULTS, FAULTS, FOUND_OTHERWISE, NOT_FOUND
from tests.quality.faults.consequences import CONSEQUENCES, MISSED, OTHERWISE
from tests.support.gate.gate import catalogue, describe_findings, judge_app, violated_rules
from tests.support.gate.planting import Fault
from tests.support.sampling import keep_first

pytestmark = pytest.mark.slow

#: A few of each kind, played in another order and with other random traces.
SAMPLE = [fault for number, fault in enumerate(FAULTS) if number % 180 == 0]
_FEW = keep_first(2, SAMPLE)


def assert_found(fault: Fault, seed: int) -> None:
    """The gate is red and names what the fault breaks."""
    report = judge_app(fault.app(), seed=seed)
    found = violated_rules(report)
    assert report.exit_code == 1
    assert fault.breaks <= found <= fault.breaks | set(fault.also), describe_findings(report)


#: Each run of the tests plants every 60th core fault and every 200th of the others; `make mutants` plants all core
#: faults, and `make test-exhaustive` all.
_BEYOND = [fault for fault in FAULTS if fault not in CORE_FAULTS]


def mark_exhaustive(number: int, fault: Fault, every: int) -> object:
    """Return a parameter that only an exhaustive run of the tests has, but for one of ``every`` few."""
    marks = () if number % every == 0 else (pytest.mark.exhaustive,)
    return pytest.param(fault, id=fault.name, marks=marks)


@pytest.mark.parametrize(
    "fault",
    [
        *(mark_exhaustive(number, fault, 60) for number, fault in enumerate(CORE_FAULTS)),
        *(mark_exhaustive(number, fault, 200) for number, fault in enumerate(_BEYOND)),
    ],
)
def test_a_fault_is_found_under_its_rules(fault: Fault) -> None:
    """The gate is red, names every rule that the fault breaks, and none but those that truly follow."""
    assert_found(fault, 0)


@pytest.mark.parametrize("seed", keep_first(1, [1, 2]))
@pytest.mark.parametrize("fault", _FEW, ids=lambda fault: fault.name)
def test_a_fault_is_found_whatever_the_seed(fault: Fault, seed: int) -> None:
    """The same holds for other seeds, which order the cases and draw the random traces."""
    assert_found(fault, seed)


@pytest.mark.parametrize("seed", keep_first(1, [1, 0]))
@pytest.mark.parametrize("fault", _FEW, ids=lambda fault: fault.name)
def test_a_fault_is_found_on_the_second_run(fault: Fault, seed: int) -> None:
    """A run on a server that keeps what the run before sent finds the same rules."""
    app = fault.app()
    first, second = (violated_rules(judge_app(app, seed=each)) for each in (0, seed))
    assert fault.breaks <= first & second
    assert first | second <= fault.breaks | set(fault.also)


@pytest.mark.parametrize("fault", keep_first(2, FOUND_OTHERWISE), ids=lambda fault: fault.name)
def test_a_fault_under_another_name_is_found(fault: Fault) -> None:
    """The gate is red, though under the rules of what it happened to send."""
    assert judge_app(fault.app()).exit_code == 1


@pytest.mark.parametrize("fault", keep_first(2, NOT_FOUND), ids=lambda fault: fault.name)
def test_a_listed_fault_is_still_missed(fault: Fault) -> None:
    """A fault that is listed as missed is not found; once it is, its entry goes."""
    assert violated_rules(judge_app(fault.app())) == set()


def test_each_listed_fault_exists() -> None:
    """The tables of consequences, other names and misses name planted faults only."""
    planted = {fault.name for fault in (*FAULTS, *FOUND_OTHERWISE, *NOT_FOUND)}
    assert {*CONSEQUENCES, *OTHERWISE, *MISSED} <= planted


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
