"""The progress of long work on stderr, and what to do after it.

A terminal shows one line that is redrawn, and a bar per layer of a run. A pipe gets a plain line every half minute.
"""

import shlex
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import click

from contract_tests.cases.model import Layer
from contract_tests.contract.rules import Catalogue
from contract_tests.reports.content.blocks import list_failing_blocks
from contract_tests.reports.content.headline import only_waivers_fail
from contract_tests.results.verdict import Report
from contract_tests.runs.checkpoint import RunState
from contract_tests.runs.options import Progress

PIPE_SECONDS = 30.0  # between two lines in a pipe
_REDRAW_SECONDS = 0.1
_ESTIMATE_SECONDS = 10.0  # the first items of some work are no measure of the rest
_MAX_NAMES = 3
_Item = TypeVar("_Item")


class RunTotals:
    """Requests, kinds of findings and time of a run so far, its earlier parts included."""

    def __init__(
        self,
        state: RunState,
        catalogue: Catalogue,
        count_sent: Callable[[], int],
        seconds: float | None,
        clock: Callable[[], float] = time.monotonic,
        *,
        budget: int | None = None,
    ) -> None:
        """Start from the state of a run; ``seconds`` is the time that is left to it, None without a limit.

        ``budget`` is the number of requests of a run that has one.
        """
        self._of_budget = f" of {budget:,}" if budget else ""
        self._catalogue, self._count_sent, self._clock = catalogue, count_sent, clock
        self._earlier_requests, self._earlier_seconds = state.requests, state.seconds
        self._started = clock()
        self.limit = None if seconds is None else seconds + state.seconds
        self.layers: Mapping[Layer, int] = {
            name: summary.cases for name, summary in state.layers.items() if name in state.done_layers
        }
        self._kinds: tuple[str, ...] = ()
        self.count_findings(state)

    @property
    def elapsed(self) -> float:
        """The seconds that the run has taken."""
        return self._earlier_seconds + self._clock() - self._started

    def count_findings(self, state: RunState) -> None:
        """Count the kinds of findings in a newer state, as the report shows them."""
        report = state.build_report(self._catalogue)
        self._kinds = tuple(block.rule.id for block in list_failing_blocks(report.findings, report.verdicts))

    def format_line(self) -> str:
        """Return all totals in one line, with their units; the names of rules, which a terminal may cut, end it."""
        sent, seconds = self._count_sent(), self._clock() - self._started
        amount = f"{self._earlier_requests + sent:,}{self._of_budget} requests"
        parts = [amount, self.format_time(), format_kinds(self._kinds)]
        if sent and seconds > 0:
            parts.insert(1, f"{sent / seconds:,.0f}/s")
        return ", ".join(parts)

    def format_time(self) -> str:
        """Return the time that the run has taken, its limit, and the time that is left.

        Once the limit is reached, a run only ends the requests on their way and explains its findings.
        """
        seconds = self.elapsed
        if self.limit is None:
            return format_duration(seconds)
        left = f"{format_duration(self.limit - seconds)} left" if seconds < self.limit else "finishing"
        return f"{format_duration(seconds)} of {format_duration(self.limit)}, {left}"


def format_kinds(rules: Sequence[str]) -> str:
    """Return the number of kinds of findings, by the rule of each, with the first few rules."""
    names = list(dict.fromkeys(rules))
    shown = ", ".join([*names[:_MAX_NAMES], *(["…"] if len(names) > _MAX_NAMES else [])])
    kinds = "1 kind of finding" if len(rules) == 1 else f"{len(rules)} kinds of findings"
    return f"{kinds} ({shown})" if shown else kinds


@dataclass(slots=True)
class WorkTotals:
    """Counts of the work that is done, and of its results."""

    unit: str
    total: int
    clock: Callable[[], float] = time.monotonic
    done: int = 0
    results: Counter[str] = field(default_factory=Counter)
    _started: float = field(init=False)

    def __post_init__(self) -> None:
        """Start to measure the time."""
        self._started = self.clock()

    def format_line(self) -> str:
        """Return all totals in one line, with their units."""
        elapsed = self.clock() - self._started
        parts = [f"{self.done:,} of {self.total:,} {self.unit}"]
        if self.done and elapsed > 0:
            rate = self.done / elapsed
            parts.append(f"{rate:,.0f}/s" if rate >= 10 else f"{rate:.1f}/s")
        parts.append(format_duration(elapsed))
        if left := format_left(self.done, self.total, elapsed):
            parts.append(left)
        return ", ".join([*parts, *(f"{number:,} {name}" for name, number in self.results.items())])


def format_left(done: int, total: int, elapsed: float) -> str:
    """Return the time that the rest takes at the rate so far; an empty string while the rate is unknown."""
    if not 0 < done < total or elapsed < _ESTIMATE_SECONDS:
        return ""
    return f"about {format_duration(elapsed / done * (total - done))} left"


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


class Display:
    """Shows a line during work: redrawn in a terminal, printed every half minute elsewhere."""

    def __init__(
        self,
        describe: Callable[[], str],
        *,
        quiet: bool = False,
        above: Any = None,
        threaded: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare a display of ``describe()``, below what is ``above``.

        A thread shows the line while the work goes on; with ``threaded`` false, only ``update`` does, for work
        that forks.
        """
        self._describe, self._quiet, self._above = describe, quiet, above
        self._threaded, self._clock = threaded, clock
        self._live: Any = None
        self._printed = clock()
        self._lock, self._ended = threading.Lock(), threading.Event()

    @property
    def redraws(self) -> bool:
        """True in a terminal, while the line is shown."""
        return self._live is not None

    def __enter__(self) -> "Display":
        """Start to show the line."""
        if self._quiet:
            return self
        from rich.console import Console, Group
        from rich.live import Live
        from rich.text import Text

        def draw() -> Group:
            return Group(
                *([self._above] if self._above else []),
                Text(self._describe(), no_wrap=True, overflow="ellipsis"),
            )

        console = Console(stderr=True)
        if console.is_terminal:
            self._live = Live(
                get_renderable=draw, console=console, transient=True, auto_refresh=self._threaded
            )
            self._live.start(refresh=True)
        elif self._threaded:
            threading.Thread(target=self._print_lines, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the line from a terminal, and print no more lines."""
        self._ended.set()
        if self._live:
            self._live.stop()

    def update(self) -> None:
        """Show the line if it is time for it."""
        with self._lock:
            wait = _REDRAW_SECONDS if self._live else PIPE_SECONDS
            if self._quiet or self._clock() - self._printed < wait:
                return
            self._printed = self._clock()
            if self._live:
                self._live.refresh()
            else:
                click.echo(self._describe(), err=True)

    def _print_lines(self) -> None:
        """Print a line in a pipe each time it is due, even while no item of the work ends."""
        while not self._ended.wait(max(_REDRAW_SECONDS, self._printed + PIPE_SECONDS - self._clock())):
            self.update()


def track_work(
    items: Iterable[_Item],
    total: int,
    unit: str,
    name_result: Callable[[_Item], str] | None = None,
    *,
    quiet: bool = False,
) -> Iterator[_Item]:
    """Yield the items while their number, rate, time and results are shown; nothing runs in another thread."""
    totals = WorkTotals(unit, total)
    with Display(totals.format_line, threaded=False, quiet=quiet) as display:
        for item in items:
            yield item
            totals.done += 1
            if name_result:
                totals.results[name_result(item)] += 1
            display.update()


@contextmanager
def show_progress(totals: RunTotals, *, quiet: bool) -> Iterator[Progress]:
    """Show the progress of each layer and the totals; with a time limit, generated bodies show the time."""
    if quiet:
        yield lambda *_: None
        return
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bars

    bars = Bars(TextColumn("{task.description:<10}"), BarColumn(20), TextColumn("{task.fields[amount]}"))
    tasks: dict[Layer, Any] = {}
    started: dict[Layer, float] = {}
    current = ""

    def update_bar(layer: Layer, done: int, total: int, _violations: int) -> None:
        nonlocal current
        left = format_left(done, total, totals.elapsed - started.setdefault(layer, totals.elapsed))
        amount = f"{done:,} of {total:,} cases{f', {left}' if left else ''}"
        if totals.limit is not None and layer == "properties":
            done, total, amount = int(totals.elapsed), int(totals.limit), totals.format_time()
            current = layer
        else:
            current = f"{layer}, {amount}"
        if layer not in tasks:
            tasks[layer] = bars.add_task(layer, total=total, amount=amount)
        bars.update(tasks[layer], completed=done, total=total, amount=amount)
        display.update()

    def describe() -> str:
        return (
            f"{current}: {totals.format_line()}" if current and not display.redraws else totals.format_line()
        )

    display = Display(describe, above=bars)
    for layer, cases in totals.layers.items():
        update_bar(layer, cases, cases, 0)
    with display:
        yield update_bar


def suggest_next(report: Report, folder: str | None, options: str) -> str:
    """Return what to do after a run in one line, an empty string if nothing; ``options`` name the target."""
    interrupted = report.cut_short == "interrupted"
    violated = report.exit_code == 1 and not interrupted
    if violated and only_waivers_fail(report):
        return f"remove these waivers, or give them a later day: {', '.join(w.rule for w in report.expired)}"
    if violated and folder is None:
        return "add --report DIR for a page, and a file per finding that contract-tests replay sends again"
    if violated:
        return f"open {folder}/report.html; after a fix, --previous {folder}/report.json tells what changed"
    if report.cut_short and options:
        if folder is None:
            return "add --report DIR, so that a run can be resumed; another --seed sends other requests"
        more = " --time 30m" if report.stopped_as_asked else ""
        return f"contract-tests run --resume {shlex.quote(folder)} {options}{more} goes on from here"
    if report.unusable_callers:
        return f"correct the callers file, or a token: {', '.join(report.unusable_callers)}"
    if report.judged_too_little:
        return "the reasons are above; more callers, or --control-hook, let more rules be judged"
    return ""
