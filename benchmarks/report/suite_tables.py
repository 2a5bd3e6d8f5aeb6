"""The tables of the sections that measure the conformance suite: gate, fuzzing and mutants."""

from collections.abc import Mapping
from typing import Any

from benchmarks.report.table import Table, format_median

#: The layers of a run, as its report names them.
LAYERS = ("cases", "wire", "lifecycle", "race", "properties")


def build_gate_tables(figures: Mapping[str, Any]) -> list[Table]:
    """Return the seconds of a full verdict by latency, in total and by layer."""
    names = ("seconds", "CPU seconds", "requests", "start and reports", *LAYERS)
    rows = tuple(
        (f"{latency} ms", *(format_median(run[name]) if name in run else "" for name in names))
        for latency, run in figures.items()
    )
    return [Table("A full verdict on the mock", ("latency", *names), rows)]


def build_fuzzing_tables(figures: Mapping[str, Any]) -> list[Table]:
    """Return the faults that each fuzzer finds with its work, and the same fault by fault."""
    fuzzers = figures["fuzzers"]
    head = (
        "",
        "found",
        "named by their rule",
        "requests per run",
        "found per 1000 requests",
        "found per minute",
        "requests per CPU second",
        "seconds per run",
        "alarms",
    )
    rows = tuple((name, *_format_summary(summary)) for name, summary in fuzzers.items())
    faults = tuple(
        (table, fault, *("yes" if fault in summary["found"] else "" for summary in fuzzers.values()))
        for fault, table in figures["faults"].items()
    )
    return [
        Table("Faults found", head, rows),
        Table("Faults found, one by one", ("table", "fault", *fuzzers), faults),
    ]


def build_curve_tables(figures: Mapping[str, Any]) -> list[Table]:
    """Return the share of the faults that each contender finds in a number of requests."""
    head = ("", *(f"{budget:,}" for budget in figures["budgets"]), "all")
    rows = tuple(
        (name, *(f"{100 * share:.0f}%" for share in shares)) for name, shares in figures["shares"].items()
    )
    title = f"Share found of {figures['faults']} faults, {figures['seeds']} seeds each, by requests"
    return [Table(title, head, rows)]


def build_mutation_tables(figures: Mapping[str, Any]) -> list[Table]:
    """Return the mutants tried per second."""
    count, seconds, cpu_seconds = figures["mutants"], figures["seconds"], figures["CPU seconds"]
    row = (
        str(count),
        f"{seconds:.1f}",
        f"{count / seconds:.1f}",
        f"{count / cpu_seconds:.1f}",
        str(figures["jobs"]),
    )
    head = ("mutants", "seconds", "per second", "per CPU second", "processes")
    return [Table("Mutants tried, including the start of Python", head, (row,))]


def _format_summary(summary: Mapping[str, Any]) -> tuple[str, ...]:
    found, requests = len(summary["found"]), max(1, summary["requests"])
    runs, seconds = max(1, summary["runs"]), max(1, summary["seconds"])
    return (
        f"{found} of {summary['runs']}",
        str(len(summary["named"])) if summary["named"] else "",
        f"{summary['requests'] / runs:.0f}",
        f"{found / requests * 1000:.2f}",
        f"{found / seconds * 60:.1f}",
        f"{summary['requests per CPU second']:.0f}",
        f"{summary['seconds'] / runs:.1f}",
        str(len(summary["alarms"])),
    )
