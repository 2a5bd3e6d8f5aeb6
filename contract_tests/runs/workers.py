"""Workers: run items in parallel threads until the time is up."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any


class Workers:
    """Runs items in ``width`` threads, or in this thread if ``width`` is 1; ``seconds`` is a time limit."""

    def __init__(self, width: int, seconds: float | None) -> None:
        """Set the limits; the time runs from ``start_clock`` on."""
        self._width, self._seconds = width, seconds
        self._deadline = float("inf")

    def start_clock(self) -> None:
        """Start the time limit."""
        if self._seconds is not None:
            self._deadline = time.monotonic() + self._seconds

    def is_time_up(self) -> bool:
        """Return whether the time limit is over."""
        return time.monotonic() >= self._deadline

    def run_all(
        self, run: Callable[[Any], Any], items: Sequence[Any], *, serial: bool = False
    ) -> Iterator[Any]:
        """Yield the results in the order of the items; skip the items that remain when the time is up."""

        def run_in_time(item: Any) -> Any:
            return None if self.is_time_up() else run(item)

        if serial or self._width == 1:
            yield from filter(None, map(run_in_time, items))
            return
        with ThreadPoolExecutor(self._width) as threads:
            try:
                yield from filter(None, threads.map(run_in_time, items))
            finally:
                threads.shutdown(cancel_futures=True)
