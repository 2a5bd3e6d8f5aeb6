"""The report in a terminal: one row per rule, by grade, then the findings."""

import io
import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO

import click
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from contract_tests.cases.model import Layer
from contract_tests.reports.content.blocks import Reproduction, group_blocks, plan_reproduction
from contract_tests.reports.content.common import (
    ASSUMED_HEADING,
    CHOICES_HEADING,
    GRADES,
    Label,
    escape_console,
    format_broken,
    format_comparison,
    format_passed,
    group_by_rule,
    group_by_severity,
    group_unjudged,
    list_known,
    list_layers,
    list_new_findings,
    list_notes,
    list_warnings,
    summarize_deviations,
    verdict_label,
)
from contract_tests.reports.content.headline import Tone, choose_tone, format_confidence, format_last_line
from contract_tests.reports.terminal_findings import print_block, print_line, print_sentence
from contract_tests.results.comparison import Comparison
from contract_tests.results.findings import Finding
from contract_tests.results.statistics import format_percent
from contract_tests.results.verdict import Report, RuleVerdict

_STYLES: dict[Label, str] = {
    "conforms": "green",
    "violated": "bold red",
    "note": "yellow",
    "inconclusive": "yellow",
    "not observed": "dim",
    "waived": "magenta",
    "known": "magenta",
}
_TONES: dict[Tone, str] = {"conforms": "bold green", "inconclusive": "bold yellow", "violated": "bold red"}
_PIPE_COLUMNS = 160
_COMPARED = {"new": "red", "fixed": "green", "chosen otherwise": "yellow", "no longer judged": "yellow"}
_WIDE_COLUMNS = 96  # columns; narrower terminals get short layer names, no gaps, and no column of the rates
_SHORT_LAYERS = {"lifecycle": "life", "properties": "prop"}


def show_report(report: Report, *, quiet: bool, folder: str | None = None, replay_options: str = "") -> None:
    """Print the report on standard output, or only its last line.

    A file or a pipe gets lines of at most ``COLUMNS`` or 160 columns, without blanks at their ends. ``folder`` is the
    report folder, None if no file is written; ``replay_options`` name the target and the callers.
    """
    if quiet:
        click.echo(escape_console(format_last_line(report)))
        return
    console = Console()
    reproduction = replace(plan_reproduction(report, folder, replay_options), command=_name_command())
    if console.is_terminal:
        print_report(report, console, reproduction)
        return
    width = int(columns[:4]) if (columns := os.environ.get("COLUMNS", "")).isdecimal() else _PIPE_COLUMNS
    _escape_unencodable(sys.stdout)
    text = io.StringIO()
    print_report(report, Console(width=max(width, 1), file=text), reproduction)
    for line in text.getvalue().split("\n")[:-1]:
        click.echo(line.rstrip())


def print_report(report: Report, console: Console, reproduction: Reproduction | None = None) -> None:
    """Print the matrix, the target's choices, rules that were not judged, the findings and the last line."""
    _escape_unencodable(console.file)
    groups = group_by_severity(report)
    print_line(console, f"{report.target}  seed {report.seed}{'  strict' if report.strict else ''}", "bold")
    console.print(_fit_matrix(report, console))
    _print_choices(console, report, groups["note"])
    if unjudged := group_unjudged(report):
        rows = ((f"{name}: {why}", ", ".join(ids), _STYLES[name]) for (name, why), ids in unjudged.items())
        _print_list(console, "Not judged, or waived", rows)
    if known := list_known(report):
        rows = ((rule, text, _STYLES["known"]) for rule, text in known.items())
        _print_list(console, "Known from the baseline (they do not fail the run)", rows)
    reproduction = reproduction or plan_reproduction(report, None)
    new = list_new_findings(report)
    for block in group_blocks(groups["failure"]):
        print_block(console, block, reproduction, new=any(one.id in new for one in block.findings))
    if report.comparison:
        _print_comparison(console, report.comparison)
    console.print()
    for remark in reproduction.remarks if groups["failure"] else ():
        print_sentence(console, remark, "dim")
    if confidence := format_confidence(report):
        print_sentence(console, confidence, "dim")
    # A script that reads a file or a pipe finds each note, and the outcome as the last line, in one line.
    show = print_sentence if console.is_terminal else print_line
    for note in list_notes(report):
        show(console, f"note: {note}", "yellow")
    for warning in list_warnings(report):
        show(console, warning, "bold red" if report.exit_code else "bold yellow")
    show(console, format_last_line(report), _TONES[choose_tone(report)])


def _print_choices(console: Console, report: Report, notes: Sequence[Finding]) -> None:
    """Print how the deployment chose on assumed rules, and where the pages leave a point open."""
    if notes:
        _print_list(console, ASSUMED_HEADING, _iter_deviations(notes))
    if unusual := [chosen for chosen in report.chosen if chosen.is_unusual]:
        rows = ((one.choice.id, f"{one.summary}; usual: {one.choice.usual}", "yellow") for one in unusual)
        _print_list(console, CHOICES_HEADING, rows)


def _print_comparison(console: Console, comparison: Comparison) -> None:
    """Print which findings are new, fixed, chosen otherwise, or no longer judged since an earlier report."""
    console.print()
    print_line(console, format_comparison(comparison), "bold")
    for name, style in _COMPARED.items():
        for key in comparison.groups[name]:
            print_line(console, f"  {name}: {key}", style)


def _name_command() -> str:
    """Return the command as this shell finds it: by its path if it is on no search path."""
    name = Path(sys.argv[0]).name
    return sys.argv[0] if name == "contract-tests" and shutil.which(name) is None else "contract-tests"


def _escape_unencodable(stream: IO[str]) -> None:
    """Escape the characters of responses that a terminal or a file cannot encode."""
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")


def _fit_matrix(report: Report, console: Console) -> Table:
    """Return the matrix of rules and layers, with short names of the layers where the long ones do not fit."""
    wide = console.width >= _WIDE_COLUMNS
    matrix = _build_matrix(report, wide=wide, short=not wide)
    unbounded = console.options.update_width(_PIPE_COLUMNS * 2)
    fits = console.measure(matrix, options=unbounded).maximum <= console.width
    return matrix if fits else _build_matrix(report, wide=wide, short=True)


def _build_matrix(report: Report, *, wide: bool, short: bool) -> Table:
    gap = 2 if wide else 1
    table = Table(box=None, pad_edge=False, padding=(0, gap, 0, 0), header_style="dim")
    table.add_column("rule", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    if wide:
        table.add_column("excludes", justify="right", no_wrap=True)
    layers = list_layers(report)
    for layer in layers:
        name = _SHORT_LAYERS.get(layer, layer) if short else layer
        table.add_column(name, justify="right", no_wrap=True)
    for grade in GRADES:
        rows = [row for row in report.verdicts if row.rule.grade == grade]
        if rows:
            table.add_row(Text(f"{grade} ({len(rows)})", style="bold"))
        for row in rows:
            table.add_row(*_rule_cells(row, layers, wide=wide))
    table.add_row()
    for name in ("cases", "requests", "seconds"):
        table.add_row(
            f"  {name}",
            *[""] * (1 + wide),
            *(_layer_total(report, layer, name) for layer in layers),
            style="dim",
        )
    return table


def _rule_cells(row: RuleVerdict, layers: Iterable[Layer], *, wide: bool) -> Iterator[Text]:
    name = verdict_label(row)
    failed = name == "violated"
    yield Text(f"{'✗' if failed else ' '} {row.rule.id}", style="bold red" if failed else "")
    yield Text(name.upper() if failed else name, style=_STYLES[name])
    if wide:
        rate = row.excluded_rate
        yield Text("" if rate is None else f"over {format_percent(rate)}%", style="dim")
    for layer in layers:
        yield _layer_cell(row, layer)


def _layer_cell(row: RuleVerdict, layer: Layer) -> Text:
    outcomes = row.layers.get(layer, {})
    if outcomes.get("violated"):
        style = "bold red reverse" if row.fails else _STYLES[verdict_label(row)]
        return Text.assemble((f"{format_broken(outcomes)}!", style))
    if outcomes.get("passed"):
        return Text(
            format_passed(row, outcomes["passed"]), style="dim" if row.verdict == "not observed" else "green"
        )
    return Text("?" if outcomes.get("inconclusive") else "", style="yellow")


def _layer_total(report: Report, layer: Layer, name: str) -> str:
    summary = report.layers.get(layer)
    if summary is None:
        return ""
    return f"{summary.seconds:.1f}" if name == "seconds" else str(getattr(summary, name))


def _iter_deviations(notes: Iterable[Finding]) -> Iterator[tuple[str, str, str]]:
    for rule, findings in group_by_rule(notes).items():
        yield rule, summarize_deviations(findings), _STYLES["note"]


def _print_list(console: Console, heading: str, rows: Iterable[tuple[str, str, str]]) -> None:
    """Print pairs under a heading, side by side if the terminal is wide enough."""
    console.print()
    print_line(console, heading, "bold")
    lines = [
        (Text(escape_console(name), style=style), Text(escape_console(text))) for name, text, style in rows
    ]
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column()
    longest = max(len(name) for name, _ in lines)
    for name, text in lines:
        if longest + 40 <= console.width:
            table.add_row(name, text)
        else:
            console.print(Padding(name, (0, 0, 0, 2)))
            console.print(Padding(text, (0, 0, 0, 4)))
    if table.row_count:
        console.print(Padding(table, (0, 0, 0, 2)))
