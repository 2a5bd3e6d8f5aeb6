"""The report in a terminal: one row per rule, by grade, findings below."""

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
    Label,
    alarms,
    by_rule,
    by_weight,
    choice,
    commands,
    cut,
    expected,
    label,
    last_line,
    unjudged,
    visible,
)
from contract_tests.results.findings import Finding
from contract_tests.results.verdict import Report, RuleVerdict

__all__ = ["GRADES", "label", "last_line", "print_report", "show"]

_STYLES: dict[Label, str] = {
    "conforms": "green",
    "violated": "bold red",
    "note": "yellow",
    "inconclusive": "yellow",
    "not observed": "dim",
    "waived": "magenta",
}
_WIDE = 96  # columns; below this the layers have short names and no room between them
_SHORT = {"lifecycle": "life", "properties": "prop"}
_MOST = 600
_LAST = 4  # requests shown of a finding


def show(report: Report, *, quiet: bool) -> None:
    """Print the report on standard output, or its last line alone; a file or a pipe gets it wide."""
    console = Console()
    if quiet:
        click.echo(last_line(report))
    else:
        print_report(report, console if console.is_terminal else Console(width=160))


def print_report(report: Report, console: Console) -> None:
    """Print the matrix, the target's choices, what was not judged, the findings and the last line."""
    if isinstance(console.file, io.TextIOWrapper):
        console.file.reconfigure(errors="backslashreplace")  # answers hold what not every terminal can show
    weights = by_weight(report)
    _say(console, f"{report.target}  seed {report.seed}{'  strict' if report.strict else ''}", "bold")
    console.print(_matrix(report, wide=console.width >= _WIDE))
    if weights["note"]:
        heading = "The deployment's own choices (assumed rules; not held against it)"
        _print_list(console, heading, _choices(weights["note"]))
    if groups := unjudged(report):
        rows = ((f"{name}: {why}", ", ".join(ids), _STYLES[name]) for (name, why), ids in groups.items())
        _print_list(console, "Not judged, or waived", rows)
    for finding in weights["failure"]:
        _print_finding(console, finding)
    console.print()
    for note in report.notes:
        _say(console, f"note: {note}", "yellow")
    for alarm in alarms(report):
        _say(console, alarm, "bold red" if report.exit_code else "bold yellow")
    _say(console, last_line(report), "bold red" if report.exit_code else "bold green")


def _matrix(report: Report, *, wide: bool) -> Table:
    gap = 2 if wide else 1
    table = Table(box=None, pad_edge=False, padding=(0, gap, 0, 0), header_style="dim")
    table.add_column("rule", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    for layer in LAYERS:
        table.add_column(layer if wide else _SHORT.get(layer, layer), justify="right", no_wrap=True)
    for grade in GRADES:
        rows = [row for row in report.verdicts if row.rule.grade == grade]
        table.add_row(Text(f"{grade} ({len(rows)})", style="bold"))
        for row in rows:
            table.add_row(*_row(row))
    table.add_row()
    for name in ("cases", "requests", "seconds"):
        table.add_row(f"  {name}", "", *(_taken(report, layer, name) for layer in LAYERS), style="dim")
    return table


def _row(row: RuleVerdict) -> Iterator[Text]:
    name = label(row)
    failed = name == "violated"
    yield Text(f"{'✗' if failed else ' '} {row.rule.id}", style="bold red" if failed else "")
    yield Text(name.upper() if failed else name, style=_STYLES[name])
    for layer in LAYERS:
        yield _cell(row, layer)


def _cell(row: RuleVerdict, layer: Layer) -> Text:
    tally = row.layers.get(layer, {})
    if tally.get("violated"):
        style = "bold red reverse" if row.fails else _STYLES[label(row)]
        return Text.assemble((f"{tally['violated']}!", style))
    if tally.get("passed"):
        return Text(str(tally["passed"]), style="green")
    return Text("?" if tally.get("inconclusive") else "", style="yellow")


def _taken(report: Report, layer: Layer, name: str) -> str:
    summary = report.layers.get(layer)
    if summary is None:
        return ""
    return f"{summary.seconds:.1f}" if name == "seconds" else str(getattr(summary, name))


def _choices(notes: Iterable[Finding]) -> Iterator[tuple[str, str, str]]:
    for rule, found in by_rule(notes).items():
        yield rule, choice(found), _STYLES["note"]


def _print_list(console: Console, heading: str, rows: Iterable[tuple[str, str, str]]) -> None:
    """Print pairs under a heading, side by side where both are short and the terminal is not."""
    console.print()
    _say(console, heading, "bold")
    lines = [(Text(visible(name), style=style), Text(visible(text))) for name, text, style in rows]
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
        ("Seen", finding.reason),
        ("Received", finding.received),
        ("Expected", expected(finding)),
    ):
        table.add_row(name, Text(visible(text)))
    console.print(Padding(table, (0, 0, 0, 2)))
    earlier = len(finding.exchanges) - _LAST
    if earlier > 0:
        _say(console, f"  # {earlier} requests before these are in the finding's file", "dim")
    for command in commands(finding)[-_LAST:]:
        _say(console, f"  {cut(command, _MOST)}", "dim")


def _say(console: Console, text: str, style: str) -> None:
    """Print text as it is on one logical line, so that it can be copied whole."""
    console.print(Text(visible(text)), style=style, soft_wrap=True)
