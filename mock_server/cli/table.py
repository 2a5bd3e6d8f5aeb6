"""A table of texts: one row a line in a pipe, wrapped lines in a terminal."""

import shutil
import sys
import textwrap
from collections.abc import Iterator, Sequence

import click

_GAP = "  "
#: A last column of fewer characters is not readable.
_MIN_WIDTH = 24


def print_table(*rows: Sequence[str]) -> None:
    """Print rows, of which the first is the head; in a terminal, their last column is wrapped to its width."""
    columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    for line in format_table(rows, columns):
        click.echo(line)


def format_table(rows: Sequence[Sequence[str]], columns: int | None = None) -> Iterator[str]:
    """Yield the lines of a table with aligned columns, each at most `columns` long."""
    widths = [max(map(len, column)) for column in zip(*(row[:-1] for row in rows), strict=True)]
    indent = sum(width + len(_GAP) for width in widths)
    for row in rows:
        start = "".join(f"{text:<{width}}{_GAP}" for text, width in zip(row, widths, strict=False))
        last = row[-1]
        parts = [last] if columns is None else textwrap.wrap(last, max(columns - indent, _MIN_WIDTH)) or [""]
        yield start + parts[0]
        yield from (" " * indent + part for part in parts[1:])
