"""The report in a terminal: one row per rule, by grade, findings below."""

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from contract_tests.case import LAYERS, Layer
from contract_tests.findings import Finding
from contract_tests.verdict import Report, RuleVerdict

_STYLES = {
    "conforms": "green",
    "violated": "bold red",
    "note": "yellow",
    "inconclusive": "yellow",
    "not observed": "dim",
    "waived": "magenta",
}
GRADES = ("documented", "provider", "assumed")


def label(row: RuleVerdict) -> str:
    """Return the verdict as it is shown: an assumed rule that is chosen otherwise is a note."""
    return "note" if row.verdict == "violated" and not row.fails else row.verdict


def print_report(report: Report, console: Console) -> None:
    """Print the matrix, the findings and the last line."""
    console.print(_matrix(report))
    for finding in report.findings:
        _print_finding(finding, console)
    for note in report.notes:
        console.print(f"note: {note}", style="yellow", markup=False)
    for waiver in report.expired:
        console.print(f"the waiver of {waiver.rule} expired on {waiver.until}", style="bold red", markup=False)
    console.print(_layers(report), style="dim", markup=False)
    if report.cut_short:
        console.print(f"cut short: {report.cut_short}", style="bold yellow", markup=False)
    console.print(last_line(report), style="bold red" if report.exit_code else "bold green", markup=False)


def last_line(report: Report) -> str:
    """Return the outcome in one line."""
    counts = report.counts()
    said = ", ".join(f"{counts[name]} {name}" for name in _STYLES if counts[name])
    word = "VIOLATED" if report.exit_code else "CONFORMS"
    return f"{word}: {said}; {report.requests} requests in {report.seconds:.1f} s, {report.created} services created"


def _matrix(report: Report) -> Table:
    table = Table(box=None, pad_edge=False, title=report.target, title_justify="left", title_style="bold")
    table.add_column("rule", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    for layer in LAYERS:
        table.add_column(layer, justify="right")
    table.add_column("why", overflow="ellipsis", no_wrap=True)
    for grade in GRADES:
        rows = [row for row in report.verdicts if row.rule.grade == grade]
        table.add_row(Text(f"{grade} ({len(rows)})", style="bold"), end_section=False)
        for row in rows:
            name = label(row)
            cells = [_cell(row, layer) for layer in LAYERS]
            table.add_row(f"  {row.rule.id}", Text(name, style=_STYLES[name]), *cells, escape(row.reason))
    return table


def _cell(row: RuleVerdict, layer: Layer) -> Text:
    tally = row.layers[layer]
    if tally.get("violated"):
        return Text(f"{tally['violated']}!", style="red")
    if tally.get("passed"):
        return Text(str(tally["passed"]), style="green")
    return Text("?" if tally.get("inconclusive") else "", style="yellow")


def _print_finding(finding: Finding, console: Console) -> None:
    colour = "red" if finding.severity == "failure" else "yellow"
    times = f", {finding.count} cases" if finding.count > 1 else ""
    console.print()
    console.print(
        f"[bold {colour}]{finding.severity}[/] [bold]{finding.rule.id}[/] "
        f"({finding.rule.grade}; {finding.operation}; {', '.join(finding.layers)}{times})"
    )
    for name, text in (
        ("The contract", f"{finding.rule.statement} [{finding.rule.source}]"),
        ("Seen", finding.reason),
        ("Received", finding.received),
        ("Expected", finding.expected),
    ):
        console.print(f"  {name}: {text}", markup=False, highlight=False)
    lines = finding.curl.splitlines()
    for line in lines[-4:]:
        console.print(f"    {_cut(line)}", style="dim", markup=False, highlight=False, soft_wrap=True)


def _cut(line: str, most: int = 600) -> str:
    return line if len(line) <= most else line[:most] + " … (whole in the finding's file)"


def _layers(report: Report) -> str:
    parts = [
        f"{name}: {layer.cases} cases, {layer.requests} requests, {layer.seconds:.1f} s"
        for name, layer in report.layers.items()
    ]
    return "; ".join(parts) + f"; seed {report.seed}"
