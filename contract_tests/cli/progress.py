"""The progress of a run on stderr: a bar per layer, and a line with the totals."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import click

from contract_tests.cases.model import Layer
from contract_tests.contract.rules import Catalogue
from contract_tests.reports.blocks import count_kinds
from contract_tests.runs.checkpoint import RunState
from contract_tests.runs.options import Progress


class RunTotals:
    """Requests, kinds of findings and time of a run so far, its earlier parts included."""

    def __init__(
        self,
        state: RunState,
        catalogue: Catalogue,
        count_sent: Callable[[], int],
        seconds: float | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start from the state of a run; ``seconds`` is the time that is left to it, None without a limit."""
        self._catalogue, self._count_sent, self._clock = catalogue, count_sent, clock
        self._earlier_requests, self._earlier_seconds = state.requests, state.seconds
        self._started = clock()
        self.limit = None if seconds is None else seconds + state.seconds
        self.layers: Mapping[Layer, int] = {
            name: summary.cases for name, summary in state.layers.items() if name in state.done_layers
        }
        self._kinds = 0
        self.count_findings(state)

    @property
    def elapsed(self) -> float:
        """The seconds that the run has taken."""
        return self._earlier_seconds + self._clock() - self._started

    def count_findings(self, state: RunState) -> None:
        """Count the kinds of findings in a newer state, as the report shows them."""
        report = state.build_report(self._catalogue)
        self._kinds = count_kinds(report.findings, report.verdicts)

    def format_line(self) -> str:
        """Return all totals in one line, with their units."""
        sent, seconds = self._count_sent(), self._clock() - self._started
        kinds = "1 kind of finding" if self._kinds == 1 else f"{self._kinds} kinds of findings"
        parts = [f"{self._earlier_requests + sent:,} requests", kinds, self.format_time()]
        if sent and seconds > 0:
            parts.insert(1, f"{sent / seconds:,.0f}/s")
        return ", ".join(parts)

    def format_time(self) -> str:
        """Return the time that the run has taken, and its limit."""
        elapsed = format_duration(self.elapsed)
        return elapsed if self.limit is None else f"{elapsed} of {format_duration(self.limit)}"


def format_duration(seconds: float) -> str:
    """Return a duration as ``5s``, ``1m 10s``, ``30m`` or ``2h 5m``."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole}s"
    large, small, units = (
        (whole // 60, whole % 60, "ms") if whole < 3600 else (whole // 3600, whole // 60 % 60, "hm")
    )
    return f"{large}{units[0]}" + (f" {small}{units[1]}" if small else "")


def announce_wait(seconds: float) -> None:
    """Print that the run waits as long as the target asks."""
    click.echo(f"waiting {seconds:.0f}s: the target asks for it with Retry-After", err=True)


def announce_resumed(totals: RunTotals) -> None:
    """Print at once what the earlier parts of a resumed run have done."""
    done = ", ".join(totals.layers)
    click.echo(f"resumed: {totals.format_line()}; layers done: {done or 'none'}", err=True)


@contextmanager
def show_progress(totals: RunTotals, *, quiet: bool) -> Iterator[Progress]:
    """Show the progress of each layer and the totals; with a time limit, generated bodies show the time."""
    from rich.console import Console, Group
    from rich.live import Live
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bars
    from rich.text import Text

    class Line:
        """The totals at the time at which they are drawn."""

        def __rich__(self) -> Text:
            return Text(totals.format_line())

    console = Console(stderr=True)
    bars = Bars(TextColumn("{task.description:<10}"), BarColumn(), TextColumn("{task.fields[amount]}"))
    tasks: dict[Layer, Any] = {}

    def update_bar(layer: Layer, done: int, total: int, _violations: int) -> None:
        amount = f"{done:,} of {total:,} cases"
        if totals.limit is not None and layer == "properties":
            done, total, amount = int(totals.elapsed), int(totals.limit), totals.format_time()
        if layer not in tasks:
            tasks[layer] = bars.add_task(layer, total=total, amount=amount)
        bars.update(tasks[layer], completed=done, total=total, amount=amount)

    for layer, cases in totals.layers.items():
        update_bar(layer, cases, cases, 0)
    if quiet or not console.is_terminal:
        yield lambda *_: None
        return
    with Live(Group(bars, Line()), console=console, transient=True):
        yield update_bar
