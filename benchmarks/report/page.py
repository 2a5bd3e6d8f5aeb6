"""docs/benchmarks.md and its charts, made of the results; the notes are written by hand."""

import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.load.workloads import WORKLOADS
from benchmarks.report import chart, tables
from benchmarks.report.tables import LAYERS, Table

NOTES = Path(__file__).parents[1] / "notes.md"
_INTRODUCTION = """# Benchmarks

Made by `make bench` (about 25 minutes on two cores; `make bench ARGS=--quick` for a glance, which writes to
`reports/benchmarks`; `make bench ARGS='mock gate'` for some). What is not installed is left out. The peers are
installed by name into `benchmarks/node_modules`. But for the notes at the end no figure on this page was typed: all
are from [results.json](../benchmarks/results.json). Only figures of the same table were measured side by side.
"""


@dataclass(frozen=True, slots=True)
class Section:
    """A benchmark on the page: what is measured how, its tables, its chart."""

    title: str
    how: str
    tables: Callable[[Mapping[str, Any]], list[Table]]
    chart: Callable[[Mapping[str, Any]], str] | None = None


def _mock_chart(found: Mapping[str, Any]) -> str:
    rows = {
        name: {workload.name: of[workload.name]["cpu"]["median"] for workload in WORKLOADS}
        for name, of in found["costs"].items()
    }
    return chart.bars("Microseconds of CPU per request", rows)


def _services_chart(found: Mapping[str, Any]) -> str:
    rows: dict[str, list[tuple[float, float]]] = {}
    for name, of in found["costs"].items():
        kind, _, stored = name.removesuffix(" stored").partition(", ")
        point = (float(stored.replace(",", "")), of["valid create"]["cpu"]["median"])
        rows.setdefault(kind, []).append(point)
    return chart.lines("Microseconds of CPU per valid create, by services stored", rows)


def _gate_chart(found: Mapping[str, Any]) -> str:
    parts = ("start and reports", *LAYERS)
    rows = {
        f"{latency} ms a request": {name: of[name]["median"] for name in parts if name in of}
        for latency, of in found.items()
    }
    return chart.stacked("Seconds to a full verdict", rows)


def _fuzzing_chart(found: Mapping[str, Any]) -> str:
    rows = {name: {"found": float(len(of["found"]))} for name, of in found["fuzzers"].items()}
    return chart.bars(f"Faults found, of {len(found['faults'])}", rows)


SECTIONS: dict[str, Section] = {
    "mock": Section(
        "The mock beside other mocks",
        "All contenders serve at the same time, and are asked one after the other in every round: 8 connections that "
        "stay open, the next request as soon as an answer is there. CPU is user and system time of the server and "
        "all its children; that of the client is not in it. *bare Flask* is a view that parses the JSON and answers "
        "an id, on the server of `mock-server` with its settings: the limit. *mock* and *Prism* log as they do "
        "unless told otherwise, into a pipe that is read. openapi-backend is 20 lines of glue; it, Prism and Scalar "
        "keep nothing, and bare Flask refuses nothing. All are warm: Node takes some thousand requests until then.",
        tables.mock,
        _mock_chart,
    ),
    "stores": Section(
        "The mock's stores",
        "The mock with `--quiet`, on each store. What the database server does is not in the CPU; each create and "
        "update waits for its disk.",
        tables.stores,
    ),
    "services": Section(
        "How it grows with what is stored",
        "Mocks whose store was filled before, side by side for each store.",
        tables.services,
        _services_chart,
    ),
    "sizes": Section(
        "How it grows with the size of a body",
        "A valid create with more and more variables of environment.",
        tables.sizes,
    ),
    "gate": Section(
        "The gate",
        "`contract-tests run` with all reports, on a new mock each time, from the start of Python to its end; CPU is "
        "the client's. For a latency, everything that the client sends is held back so long on its way.",
        tables.gate,
        _gate_chart,
    ),
    "fuzzing": Section(
        "Finding faults",
        "Faults planted in the mock: every so manieth of the table of this kit's own tests, so that the gate as a "
        "whole is known to find them; what is compared is how much work that is, and what a part of it finds. Each "
        "run has one fault, is on a new server, and goes on to its own end; two run at a time. A fault is found by "
        "`contract-tests` if it says that a rule is violated; by `st run` if it tells of a failure (its kind, "
        "operation and invalid part) that it does not also tell of the correct mock: those are the *alarms*. "
        "*Tuned* is the `oneOf` view of the contract, two filters (`benchmarks/st_hooks.py`) against alarms, and as "
        "many examples as make about a thousand requests. `st run` knows one caller, and generates what it sends; "
        "`contract-tests run` knows several, and has tables beside what it generates, which *generated requests "
        "alone* does without. *A quarter* is `--shard 1/4`, for a comparison with who sends as little. *Per 1000 "
        "requests* are the faults found to the requests of all runs.",
        tables.fuzzing,
        _fuzzing_chart,
    ),
    "mutation": Section("Mutants", "`contract-tests mutate` on the mock, in process.", tables.mutation),
}


def written(results: Mapping[str, Any], folder: Path) -> None:
    """Writes benchmarks.md and its charts."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = [_INTRODUCTION, _machine(results["machine"])]
    for name, section in SECTIONS.items():
        if name in results["benchmarks"]:
            parts.append(_section(name, section, results["benchmarks"][name], folder))
    if NOTES.exists():
        parts.append(NOTES.read_text(encoding="utf-8").strip())
    (folder / "benchmarks.md").write_text("\n\n".join(p.strip() for p in parts) + "\n", encoding="utf-8")


def markdown(table: Table) -> str:
    """A table of the page."""
    rows = [table.head, tuple("---" for _ in table.head), *table.rows]
    lines = "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows)
    return f"**{table.title}**\n\n{lines}"


def _section(name: str, section: Section, result: Mapping[str, Any], folder: Path) -> str:
    found = result["figures"]
    parts = [f"## {section.title}", section.how]
    if section.chart is not None:
        drawn = folder / f"benchmarks-{name}.svg"
        drawn.write_text(section.chart(found), encoding="utf-8")
        parts.append(f"![{section.title}]({drawn.name})")
    parts += [markdown(table) for table in section.tables(found)]
    told = [*result["notes"], *(found.get("notes", ()) if isinstance(found, Mapping) else ())]
    parts += ["\n".join(f"- {note}" for note in told)] if told else []
    return "\n\n".join([*parts, _when(result, found)])


def _when(result: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    spreads = tables.noise(found)
    apart = ""
    if spreads:
        middle = f"{statistics.median(spreads):.0%} of the median (the middle one of {len(spreads)} figures)"
        apart = f"; the highest round is above the lowest by {middle}"
    return f"Measured {result['date']} ({result['scale']}, {result['seconds']:.0f} s){apart}."


def _machine(told: Mapping[str, Any]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in told["versions"].items())
    return (
        f"{told['cores']} cores ({told['processor']}), {told['memory']}, {told['system']}; "
        f"commit {told['commit']}. {versions}."
    )
