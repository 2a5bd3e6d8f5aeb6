"""Workers: run items in parallel threads until the time is up."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from functools import partial
from itertools import islice
from typing import Any

from contract_tests.targets.clock import RunClock, RunStopped


class Workers:
    """Runs items in ``width`` threads, or in this thread if ``width`` is 1, until the ``clock`` stops."""

    def __init__(self, width: int, clock: RunClock) -> None:
        self.clock, self._width = clock, width

    def run_all(
        self, run: Callable[[Any], Any], items: Iterable[Any], *, serial: bool = False
    ) -> Iterator[Any]:
        """Yield the results in the order of the items; skip the items that remain when the time is up.

        Whatever ends this early also ends the items that run.
        """
        run_in_time = partial(self._run_in_time, run)
        if serial or self._width == 1:
            yield from filter(None, map(run_in_time, items))
            return
        with self._open_threads() as threads:
            yield from filter(None, threads.map(run_in_time, items))

    def run_every(self, run: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
        """Return the results in the order of the items; raise RunStopped if the time is up before all of them ran."""
        if self._width == 1:
            return [run(item) for item in items]
        with self._open_threads() as threads:
            return list(threads.map(run, items))

    def run_ready(self, run: Callable[[Any], Any], items: Iterator[Any]) -> Iterator[Any]:
        """Yield each result once it is there; take an item only when a thread is free and the results are used."""
        if self._width == 1:
            yield from self.run_all(run, items)
            return
        with self._open_threads() as threads:
            running: set[Future[Any]] = set()
            while True:
                free = islice(items, self._width - len(running))
                running |= {threads.submit(self._run_in_time, run, item) for item in free}
                if not running:
                    return
                ended, running = wait(running, return_when=FIRST_COMPLETED)
                yield from filter(None, (future.result() for future in ended))

    def _run_in_time(self, run: Callable[[Any], Any], item: Any) -> Any:
        try:
            return None if self.clock.is_time_up() else run(item)
        except RunStopped:
            return None

    @contextmanager
    def _open_threads(self) -> Iterator[ThreadPoolExecutor]:
        with ThreadPoolExecutor(self._width) as threads:
            try:
                yield threads
            except BaseException:
                self.clock.stop()
                raise
            finally:
                threads.shutdown(cancel_futures=True)
