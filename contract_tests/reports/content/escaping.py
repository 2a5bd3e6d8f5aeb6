"""Texts of a target in Markdown and HTML: escaped, so that nothing in them is markup."""

import html
import re

from contract_tests.reports.content.common import escape_unprintable

#: Characters that Markdown, HTML or GitHub may read as markup; an underscore within a word is none.
_SPECIAL = re.compile(r"[<>|`*~\[\]\\#$@]|(?<![^\W_])_|_(?![^\W_])|&(?=#?\w+;)|:(?=\w+:)")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def escape_markdown(text: str) -> str:
    """Return the text on one line, escaped for Markdown, HTML and table cells."""
    return _SPECIAL.sub(lambda match: _ENTITIES.get(match[0], f"\\{match[0]}"), _join_lines(text))


def escape_html(text: str) -> str:
    """Return the text on one line, escaped for a line of HTML, in which nothing is Markdown."""
    return html.escape(_join_lines(text), quote=False)


def _join_lines(text: str) -> str:
    return " ".join(escape_unprintable(text).split())


def fence_code(commands: str) -> str:
    """Return commands as a block of code that no backtick in them ends."""
    fence = "`" * max(3, *(len(run) + 1 for run in re.findall("`+", commands) or [""]))
    return f"{fence}sh\n{commands}\n{fence}"
