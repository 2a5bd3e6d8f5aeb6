"""docs/benchmarks.md and its charts, from the results and the hand-written notes."""

import statistics
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.load.figures import Figure, relative_spread
from benchmarks.processes.folders import ROOT
from benchmarks.report.sections import SECTIONS, Section
from benchmarks.report.table import render_markdown

_NOTES = ROOT / "benchmarks/notes.md"
_INTRODUCTION = """# Benchmarks

`make bench` writes this page in about 25 minutes on two cores. `make bench ARGS=--quick` is a first look that writes
to `reports/benchmarks`. `make bench ARGS='mock gate'` measures only the named benchmarks. The peers are installed by
name into `benchmarks/node_modules`; contenders that are not installed are left out. All figures come from
[results.json](../benchmarks/results.json), except those in the notes at the end. Only figures of the same table were
measured side by side.
"""


def write_page(results: Mapping[str, Any], folder: Path) -> None:
    """Write benchmarks.md and its charts to a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = [_INTRODUCTION, _describe_machine(results["machine"])]
    for name, section in SECTIONS.items():
        if name in results["benchmarks"]:
            parts.append(_write_section(name, section, results["benchmarks"][name], folder))
    if _NOTES.exists():
        parts.append(_NOTES.read_text(encoding="utf-8"))
    page = "\n\n".join(part.strip() for part in parts) + "\n"
    (folder / "benchmarks.md").write_text(page, encoding="utf-8")


def _write_section(name: str, section: Section, result: Mapping[str, Any], folder: Path) -> str:
    """Write the chart of a section, and return its text."""
    figures = result["figures"]
    parts = [f"## {section.title}", section.method]
    if section.draw_chart is not None:
        path = folder / f"benchmarks-{name}.svg"
        path.write_text(section.draw_chart(figures), encoding="utf-8")
        parts.append(f"![{section.title}]({path.name})")
    parts += [render_markdown(table) for table in section.build_tables(figures)]
    notes = [*result["notes"], *figures.get("notes", ())]
    parts += ["\n".join(f"- {note}" for note in notes)] if notes else []
    return "\n\n".join([*parts, _describe_run(result)])


def _describe_run(result: Mapping[str, Any]) -> str:
    spreads = _collect_spreads(result["figures"])
    measured = f"Measured {result['date']} ({result['scale']}, {result['seconds']:.0f} s)"
    if not spreads:
        return f"{measured}."
    spread = f"{statistics.median(spreads):.0%} of the median (middle value of {len(spreads)} figures)"
    return f"{measured}. The highest round is above the lowest by {spread}."


def _describe_machine(machine: Mapping[str, Any]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    return (
        f"{machine['cores']} cores ({machine['processor']}), {machine['memory']}, {machine['system']}; "
        f"commit {machine['commit']}. {versions}."
    )


def _collect_spreads(figures: Any) -> list[float]:
    """Return the relative spreads of all figures of CPU and seconds."""
    if not isinstance(figures, Mapping):
        return []
    own = [
        relative_spread(value)
        for name, value in figures.items()
        if name in {"cpu", "seconds"} and _is_figure(value)
    ]
    return own + [spread for inner in figures.values() for spread in _collect_spreads(inner)]


def _is_figure(value: Any) -> bool:
    return isinstance(value, Mapping) and value.keys() == Figure.__annotations__.keys()
