"""Workers: items that run in parallel threads."""

from collections.abc import Iterator
from threading import Event

import pytest

from contract_tests.execution.workers import Workers
from contract_tests.targets.clock import RunClock, RunStopped


def test_a_long_item_does_not_hold_up_the_others() -> None:
    """Results come as they are there: those of the second thread, while the first one still works."""
    last_used = Event()

    def run(item: int) -> int:
        if item == 1:
            assert last_used.wait(10)
        return item

    results = []
    for result in Workers(2, RunClock()).run_ready(run, iter(range(1, 6))):
        results.append(result)
        if result == 5:
            last_used.set()
    assert results == [2, 3, 4, 5, 1]


@pytest.mark.parametrize("width", [1, 3])
def test_an_item_is_taken_when_the_results_so_far_are_used(width: int) -> None:
    """What the results say can still change or end the items, except for those that run."""
    used: list[int] = []

    def take() -> Iterator[int]:
        number = 0
        while 3 not in used:
            yield (number := number + 1)

    used.extend(Workers(width, RunClock()).run_ready(lambda item: item, take()))
    assert 3 in used
    assert len(used) < 3 + width


@pytest.mark.parametrize("width", [1, 3])
def test_no_item_is_run_once_the_time_is_up(width: int) -> None:
    """A time limit that is over lets nothing begin."""
    clock = RunClock()
    clock.start(0)
    assert list(Workers(width, clock).run_ready(lambda item: item, iter((1, 2, 3)))) == []


@pytest.mark.parametrize("width", [1, 3])
def test_an_item_that_is_stopped_is_not_left_out(width: int) -> None:
    """Where each result is needed, the end of the time ends the whole."""

    def run(item: int) -> int:
        if item == 2:
            raise RunStopped
        return item

    workers = Workers(width, RunClock())
    assert workers.run_every(lambda item: -item, (1, 2, 3)) == [-1, -2, -3]
    with pytest.raises(RunStopped):
        workers.run_every(run, (1, 2, 3))
