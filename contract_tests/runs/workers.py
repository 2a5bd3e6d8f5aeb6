"""Workers: run items in parallel threads until the time is up."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from contract_tests.targets.clock import RunClock, RunStopped


class Workers:
    """Runs items in ``width`` threads, or in this thread if ``width`` is 1, until the ``clock`` stops."""

    def __init__(self, width: int, clock: RunClock) -> None:
        self.clock, self._width = clock, width

    def run_all(
        self, run: Callable[[Any], Any], items: Sequence[Any], *, serial: bool = False
    ) -> Iterator[Any]:
        """Yield the results in the order of the items; skip the items that remain when the time is up.

        Whatever ends this early also ends the items that run.
        """

        def run_in_time(item: Any) -> Any:
            try:
                return None if self.clock.is_time_up() else run(item)
            except RunStopped:
                return None

        if serial or self._width == 1:
            yield from filter(None, map(run_in_time, items))
            return
        with ThreadPoolExecutor(self._width) as threads:
            try:
                yield from filter(None, threads.map(run_in_time, items))
            except BaseException:
                self.clock.stop()
                raise
            finally:
                threads.shutdown(cancel_futures=True)
