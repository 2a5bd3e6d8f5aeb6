"""A progress bar per layer, on stderr."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from contract_tests.cases.model import Layer
from contract_tests.runs.options import Progress


@contextmanager
def show_progress(*, quiet: bool, seconds: float | None) -> Iterator[Progress]:
    """Show the progress of each layer; with a time limit, generated bodies show the time they have used."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description:<10}"), BarColumn(), MofNCompleteColumn(),
               TextColumn("{task.fields[found]} findings"), TimeRemainingColumn())  # fmt: skip
    console = Console(stderr=True)
    with Bar(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as bar:
        tasks: dict[Layer, Any] = {}
        started = time.monotonic()

        def update_bar(layer: Layer, done: int, total: int, found: int) -> None:
            if seconds is not None and layer == "properties":
                done, total = int(time.monotonic() - started), int(seconds)
            if layer not in tasks:
                tasks[layer] = bar.add_task(layer, total=total, found=0)
            bar.update(tasks[layer], completed=done, total=total, found=found)

        yield update_bar
