"""The findings in a terminal: one block per cause, with everything that is needed to act on it."""

from collections.abc import Iterable

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from contract_tests.reports.content.advice import suggest_change
from contract_tests.reports.content.blocks import Block, Reproduction, name_operation
from contract_tests.reports.content.common import escape_console, format_expectation, list_facts
from contract_tests.results.findings import Finding
from contract_tests.results.judge import Difference

_MAX_COMMANDS = 12  # per finding
_MAX_FINDINGS = 4  # per block
#: That of the longest label: a block is made of several grids, whose texts are below each other.
_LABEL_WIDTH = len("How often")


def print_block(console: Console, block: Block, reproduction: Reproduction, *, new: bool = False) -> None:
    """Print what is wrong, then for each operation the file of the finding and the commands that show it again."""
    console.print()
    console.print(
        Text.assemble((f"✗ {block.title}", "bold red"), f"  {'new; ' if new else ''}{block.where()}")
    )
    first = block.findings[0]
    several = len(block.rule_ids) > 1
    place = f"{first.line}; " if first.line else ""
    contract = ("Contract", f"{block.rule.statement} [{place}{block.rule.source}]")
    rows = [
        ("Rules", ", ".join(block.rule_ids)) if several else contract,
        ("Reason", block.reason if block.story else f"{block.reason}: {block.summary}"),
        *([("Happened", block.story)] if block.story else []),
    ]
    if not block.differences:
        rows += [("Received", first.received), ("Expected", format_expectation(first))]
    _print_rows(console, rows, indent=2)
    if block.differences:
        _print_differences(console, block.differences)
    _print_rows(console, [*list_facts(block), ("Change", suggest_change(first, block.findings))], indent=2)
    for finding in block.findings[:_MAX_FINDINGS]:
        _print_finding(console, block, finding, reproduction)
    more = len(block.findings) - _MAX_FINDINGS
    if more > 0:
        where = "report.html shows them" if reproduction.folder else "--report DIR writes them to files"
        print_line(console, f"  # {more} more findings got the same response; {where}", "dim")


def print_line(console: Console, text: str, style: str) -> None:
    """Print text as one logical line, so that it can be copied whole."""
    console.print(Text(escape_console(text)), style=style, soft_wrap=True)


def print_sentence(console: Console, text: str, style: str) -> None:
    """Print text that nobody pastes: it is wrapped between words."""
    console.print(Text(escape_console(text)), style=style)


def _print_finding(console: Console, block: Block, finding: Finding, reproduction: Reproduction) -> None:
    file = reproduction.file_of(finding)
    rows = [("Finding", f"{finding.id}, {name_operation(finding)}")]
    rows += [("Seen as" if n == 0 else "", line) for n, line in enumerate(block.list_examples(finding))]
    rows += [("File", file)] if file else []
    _print_rows(console, rows, indent=2)
    if file:
        print_line(console, f"  {reproduction.replay(finding)}", "")
    for command in _select_commands(reproduction.commands(finding), file):
        print_line(console, f"  {command}", "dim")


def _select_commands(commands: list[str], file: str) -> list[str]:
    """Return the commands, or where they are if they are many: a part of them cannot be pasted."""
    if len(commands) <= _MAX_COMMANDS:
        return commands
    where = f"are in {file}" if file else "are not shown; --report DIR writes them to a file"
    return [f"# the {len(commands)} commands {where}"]


def _print_rows(console: Console, rows: Iterable[tuple[str, str]], *, indent: int) -> None:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, style="dim", min_width=_LABEL_WIDTH)
    table.add_column(overflow="fold")
    for name, text in rows:
        table.add_row(name, Text(escape_console(text)))
    console.print(Padding(table, (0, 0, 0, indent)))


def _print_differences(console: Console, differences: Iterable[Difference]) -> None:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for heading in ("Property", "Received", "Expected"):
        table.add_column(heading, overflow="fold", no_wrap=heading == "Property")
    for difference in differences:
        table.add_row(*(Text(escape_console(part)) for part in difference))
    console.print(Padding(table, (0, 0, 0, 2)))
