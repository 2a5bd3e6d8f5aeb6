"""Measure the benchmarks, print their tables, and write the results and their page."""

import argparse
import json
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import rich.table
from rich.console import Console

from benchmarks.processes.errors import BenchmarkError
from benchmarks.processes.folders import ROOT
from benchmarks.report.machine import describe_machine
from benchmarks.report.page import write_page
from benchmarks.report.regression import list_regressions
from benchmarks.report.sections import SECTIONS
from benchmarks.report.table import Table
from benchmarks.servers.progress import Progress
from benchmarks.suites.curve import measure_curve
from benchmarks.suites.fuzzing import measure_fuzzing
from benchmarks.suites.gate import measure_gate
from benchmarks.suites.mock import measure_mock
from benchmarks.suites.mutation import measure_mutation
from benchmarks.suites.scale import FULL, QUICK, Scale
from benchmarks.suites.services import measure_services
from benchmarks.suites.sizes import measure_sizes
from benchmarks.suites.stores import measure_stores
from contract_tests.cli.long_runs.progress import format_duration

BENCHMARKS: dict[str, Callable[[Scale, Progress], dict[str, Any]]] = {
    "mock": measure_mock,
    "stores": measure_stores,
    "services": measure_services,
    "sizes": measure_sizes,
    "gate": measure_gate,
    "fuzzing": measure_fuzzing,
    "curve": measure_curve,
    "mutation": measure_mutation,
}
_SIGTERM_EXIT_CODE = 143
_PIPE_WIDTH = 200


def main() -> int:
    """Run the named benchmarks, or all; report those that fail, run the others, and return 1."""
    options = _parse_arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(_SIGTERM_EXIT_CODE))
    scale = QUICK if options.quick else FULL
    folder = ROOT / "reports/benchmarks" if options.quick else ROOT / "benchmarks"
    folder.mkdir(parents=True, exist_ok=True)
    machine = describe_machine()  # before files are written, so that the commit is not marked as dirty
    path = folder / "results.json"
    results = _load_results(path, machine)
    failures = 0
    names = () if options.page else tuple(options.names or BENCHMARKS)
    started = time.monotonic()
    for done, name in enumerate(names):
        left = estimate_left(results["benchmarks"], names[done:], scale.name)
        print(format_progress(done, len(names), name, time.monotonic() - started, left), file=sys.stderr)
        try:
            results["benchmarks"][name] = _measure_benchmark(name, scale)
        except BenchmarkError as error:
            print(f"{name}: {error}", file=sys.stderr)
            failures += 1
            continue
        results["machine"] = machine
        path.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    page_folder = folder if options.quick else ROOT / "docs"
    write_page(results, page_folder)
    print(
        f"next: read {page_folder / 'benchmarks.md'}; git diff shows what changed since the last time",
        file=sys.stderr,
    )
    slower = _compare_recorded(results, names) if options.compare else []
    for line in slower:
        print(f"slower than recorded: {line}", file=sys.stderr)
    return 1 if failures or slower else 0


def _compare_recorded(results: dict[str, Any], names: Sequence[str]) -> list[str]:
    """Return what got slower since the results in the repository; nothing if the mock was not measured."""
    recorded = json.loads((ROOT / "benchmarks/results.json").read_text("utf-8"))["benchmarks"]
    parts = [part["mock"]["figures"] for part in (results["benchmarks"], recorded) if "mock" in part]
    return list(list_regressions(*parts)) if "mock" in names and len(parts) == 2 else []


def estimate_left(earlier: Mapping[str, Any], names: Sequence[str], scale: str) -> float | None:
    """Return the seconds that the benchmarks took at their last time, None if one never ran at this scale."""
    known = {name: part["seconds"] for name, part in earlier.items() if part.get("scale") == scale}
    return sum(known[name] for name in names) if known.keys() >= set(names) else None


def format_progress(done: int, total: int, name: str, elapsed: float, left: float | None) -> str:
    """Return which benchmark is next, the time so far, and the time that is left if it is known."""
    rest = "" if left is None else f", about {format_duration(left)} left, as the last time"
    return f"benchmark {done + 1} of {total}: {name}; {format_duration(elapsed)}{rest}"


def _parse_arguments() -> argparse.Namespace:
    available = ", ".join(BENCHMARKS)
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"benchmarks to run (all): {available}")
    parser.add_argument("--quick", action="store_true", help="measure less, and write to reports/benchmarks")
    parser.add_argument("--compare", action="store_true", help="fail if the mock got slower, with --quick")
    parser.add_argument("--page", action="store_true", help="write the page from earlier results")
    options = parser.parse_args()
    if unknown := set(options.names) - BENCHMARKS.keys():
        parser.error(f"unknown benchmark: {', '.join(sorted(unknown))}; available: {available}")
    return options


def _load_results(path: Path, machine: dict[str, Any]) -> dict[str, Any]:
    results: dict[str, Any] = {"machine": machine, "benchmarks": {}}
    if path.exists():
        results |= json.loads(path.read_text(encoding="utf-8"))
    return results


def _measure_benchmark(name: str, scale: Scale) -> dict[str, Any]:
    """Measure a benchmark, print its tables, and return its part of the results."""
    progress = Progress(name)
    date, started = datetime.now(UTC), time.monotonic()
    figures = BENCHMARKS[name](scale, progress)
    for table in SECTIONS[name].build_tables(figures):
        _print_table(table)
    return {
        "date": date.strftime("%Y-%m-%d"),
        "scale": scale.name,
        "seconds": round(time.monotonic() - started),
        "notes": progress.notes,
        "figures": figures,
    }


def _print_table(table: Table) -> None:
    grid = rich.table.Table(*table.head, title=table.title, title_justify="left")
    for row in table.rows:
        grid.add_row(*row)
    console = Console()
    (console if console.is_terminal else Console(width=_PIPE_WIDTH)).print(grid)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
