"""`python -m benchmarks [--quick] [NAME …]`: measures, prints tables, and writes the results and their page."""

import argparse
import json
import signal
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table as Shown

from benchmarks.processes.server import ROOT, BrokenError
from benchmarks.report import machine, page
from benchmarks.report.tables import Table
from benchmarks.suites import fuzzing, gate, growth, mock, mutation
from benchmarks.suites.rounds import Tell
from benchmarks.suites.scale import FULL, QUICK, Scale

BENCHMARKS: dict[str, Callable[[Scale, Tell], dict[str, Any]]] = {
    "mock": mock.measured,
    "stores": growth.stores,
    "services": growth.services,
    "sizes": growth.sizes,
    "gate": gate.measured,
    "fuzzing": fuzzing.measured,
    "mutation": mutation.measured,
}


def main() -> int:
    """Runs the benchmarks that are named, or all; what breaks is told, and the rest goes on."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--quick", action="store_true", help="a glance; written to reports/benchmarks")
    parser.add_argument("--page", action="store_true", help="measure nothing, write the page anew")
    given = parser.parse_args()
    if unknown := set(given.names) - BENCHMARKS.keys():
        parser.error(
            f"no benchmark is called {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}"
        )
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    scale = QUICK if given.quick else FULL
    folder = ROOT / "reports/benchmarks" if given.quick else ROOT / "benchmarks"
    folder.mkdir(parents=True, exist_ok=True)
    here = machine.told()  # before anything is written, so that it is of a commit
    results = _results(folder / "results.json")
    broken = 0
    for name in () if given.page else given.names or BENCHMARKS:
        try:
            results["benchmarks"][name] = _measured(name, scale)
        except BrokenError as error:
            print(f"{name}: {error}", file=sys.stderr)
            broken += 1
            continue
        results["machine"] = here
        (folder / "results.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    page.written(results, folder if given.quick else ROOT / "docs")
    return 1 if broken else 0


def _results(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = {"machine": machine.told(), "benchmarks": {}}
    if path.exists():
        found |= json.loads(path.read_text(encoding="utf-8"))
    return found


def _measured(name: str, scale: Scale) -> dict[str, Any]:
    notes: list[str] = []

    def tell(line: str) -> None:
        print(f"{name}: {line}", file=sys.stderr, flush=True)
        if "left out" in line:
            notes.append(line)

    date, started = datetime.now(UTC), time.monotonic()
    figures = BENCHMARKS[name](scale, tell)
    for table in page.SECTIONS[name].tables(figures):
        _print(table)
    return {
        "date": date.strftime("%Y-%m-%d"),
        "scale": scale.name,
        "seconds": round(time.monotonic() - started),
        "notes": list(dict.fromkeys(notes)),
        "figures": figures,
    }


def _print(table: Table) -> None:
    shown = Shown(*table.head, title=table.title, title_justify="left")
    for row in table.rows:
        shown.add_row(*row)
    console = Console()
    (console if console.is_terminal else Console(width=200)).print(shown)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
