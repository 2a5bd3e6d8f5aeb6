"""The report in a terminal: one row per rule, by grade, then the findings."""

import io
from collections.abc import Iterable, Iterator

import click
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from contract_tests.cases.model import LAYERS, Layer
from contract_tests.reports.common import (
    GRADES,
    MAX_CURL,
    Label,
    escape_unprintable,
    format_commands,
    format_expectation,
    format_last_line,
    group_by_rule,
    group_by_severity,
    group_unjudged,
    list_warnings,
    summarize_deviations,
    truncate_text,
    verdict_label,
)
from contract_tests.results.findings import Finding
from contract_tests.results.verdict import Report, RuleVerdict

_STYLES: dict[Label, str] = {
    "conforms": "green",
    "violated": "bold red",
    "note": "yellow",
    "inconclusive": "yellow",
    "not observed": "dim",
    "waived": "magenta",
}
_WIDE_COLUMNS = 96  # columns; narrower terminals get short layer names without gaps
_SHORT_LAYERS = {"lifecycle": "life", "properties": "prop"}
_MAX_COMMANDS = 4  # curl commands shown per finding


def show_report(report: Report, *, quiet: bool) -> None:
    """Print the report on standard output, or only its last line; files and pipes get a wide one."""
    console = Console()
    if quiet:
        click.echo(format_last_line(report))
    else:
        print_report(report, console if console.is_terminal else Console(width=160))


def print_report(report: Report, console: Console) -> None:
    """Print the matrix, the target's choices, rules that were not judged, the findings and the last line."""
    if isinstance(console.file, io.TextIOWrapper):
        console.file.reconfigure(errors="backslashreplace")  # not every terminal can encode every response
    groups = group_by_severity(report)
    _print_line(console, f"{report.target}  seed {report.seed}{'  strict' if report.strict else ''}", "bold")
    console.print(_build_matrix(report, wide=console.width >= _WIDE_COLUMNS))
    if groups["note"]:
        heading = "The deployment's own choices (assumed rules; they do not fail the run)"
        _print_list(console, heading, _iter_deviations(groups["note"]))
    if unjudged := group_unjudged(report):
        rows = ((f"{name}: {why}", ", ".join(ids), _STYLES[name]) for (name, why), ids in unjudged.items())
        _print_list(console, "Not judged, or waived", rows)
    for finding in groups["failure"]:
        _print_finding(console, finding)
    console.print()
    for note in report.notes:
        _print_line(console, f"note: {note}", "yellow")
    for warning in list_warnings(report):
        _print_line(console, warning, "bold red" if report.exit_code else "bold yellow")
    _print_line(console, format_last_line(report), "bold red" if report.exit_code else "bold green")


def _build_matrix(report: Report, *, wide: bool) -> Table:
    gap = 2 if wide else 1
    table = Table(box=None, pad_edge=False, padding=(0, gap, 0, 0), header_style="dim")
    table.add_column("rule", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    for layer in LAYERS:
        table.add_column(layer if wide else _SHORT_LAYERS.get(layer, layer), justify="right", no_wrap=True)
    for grade in GRADES:
        rows = [row for row in report.verdicts if row.rule.grade == grade]
        table.add_row(Text(f"{grade} ({len(rows)})", style="bold"))
        for row in rows:
            table.add_row(*_rule_cells(row))
    table.add_row()
    for name in ("cases", "requests", "seconds"):
        table.add_row(f"  {name}", "", *(_layer_total(report, layer, name) for layer in LAYERS), style="dim")
    return table


def _rule_cells(row: RuleVerdict) -> Iterator[Text]:
    name = verdict_label(row)
    failed = name == "violated"
    yield Text(f"{'✗' if failed else ' '} {row.rule.id}", style="bold red" if failed else "")
    yield Text(name.upper() if failed else name, style=_STYLES[name])
    for layer in LAYERS:
        yield _layer_cell(row, layer)


def _layer_cell(row: RuleVerdict, layer: Layer) -> Text:
    outcomes = row.layers.get(layer, {})
    if outcomes.get("violated"):
        style = "bold red reverse" if row.fails else _STYLES[verdict_label(row)]
        return Text.assemble((f"{outcomes['violated']}!", style))
    if outcomes.get("passed"):
        return Text(str(outcomes["passed"]), style="green")
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
    _print_line(console, heading, "bold")
    lines = [
        (Text(escape_unprintable(name), style=style), Text(escape_unprintable(text)))
        for name, text, style in rows
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


def _print_finding(console: Console, finding: Finding) -> None:
    times = f", seen {finding.count} times" if finding.count > 1 else ""
    where = f"{finding.rule.grade}; {finding.operation}; {', '.join(finding.layers)}{times}"
    console.print()
    console.print(Text.assemble((f"✗ {finding.rule.id}", "bold red"), f"  {where}"))
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, style="dim")
    table.add_column()
    for name, text in (
        ("Contract", f"{finding.rule.statement} [{finding.rule.source}]"),
        ("Reason", finding.reason),
        ("Received", finding.received),
        ("Expected", format_expectation(finding)),
    ):
        table.add_row(name, Text(escape_unprintable(text)))
    console.print(Padding(table, (0, 0, 0, 2)))
    earlier = len(finding.exchanges) - _MAX_COMMANDS
    if earlier > 0:
        _print_line(console, f"  # {earlier} earlier requests are in the finding's file", "dim")
    for command in format_commands(finding)[-_MAX_COMMANDS:]:
        _print_line(console, "  " + truncate_text(command, MAX_CURL["terminal"]), "dim")


def _print_line(console: Console, text: str, style: str) -> None:
    """Print text as one logical line, so that it can be copied whole."""
    console.print(Text(escape_unprintable(text)), style=style, soft_wrap=True)
