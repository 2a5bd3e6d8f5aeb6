"""The report as the comment of a pull request: short, and with a marker by which its next version finds it."""

import hashlib
from collections.abc import Iterator

from contract_tests.reports.content.blocks import group_blocks
from contract_tests.reports.content.common import (
    format_comparison,
    format_counts,
    group_by_severity,
    list_warnings,
)
from contract_tests.reports.content.escaping import escape_markdown
from contract_tests.reports.content.headline import Tone, choose_tone, format_extent
from contract_tests.results.verdict import Report

#: GitHub refuses a comment of more than 65,536 characters.
MAX_COMMENT = 60_000
_MAX_FINDINGS = 20
_MAX_TEXT = 400
_SIGNS: dict[Tone, str] = {"conforms": "✅", "violated": "❌", "inconclusive": "⚠️"}


def render_comment(report: Report) -> str:
    """Return the comment; its first line is the marker, the same for each run on a target."""
    text = "\n".join((build_marker(report.target), *_iter_lines(report)))
    return f"{text[:MAX_COMMENT]}\n"


def build_marker(target: str) -> str:
    """Return an HTML comment that no reader sees, with a digest of the target."""
    digest = hashlib.sha256(target.encode("utf-8", "surrogatepass")).hexdigest()
    return f"<!-- contract-tests {digest[:12]} -->"


def _iter_lines(report: Report) -> Iterator[str]:
    yield f"### {_SIGNS[choose_tone(report)]} Contract: {escape_markdown(format_extent(report))}\n"
    yield f"{escape_markdown(report.target)}: {format_counts(report.count_verdicts())}.\n"
    if report.comparison:
        yield f"{escape_markdown(format_comparison(report.comparison))}.\n"
    for text in list_warnings(report):
        yield f"> {escape_markdown(text[:_MAX_TEXT])}\n"
    blocks = group_blocks(group_by_severity(report)["failure"])
    for block in blocks[:_MAX_FINDINGS]:
        what = escape_markdown(f"{block.reason}: {block.summary}"[:_MAX_TEXT])
        yield f"- **{escape_markdown(block.title)}** ({block.rule.grade}, {block.operations}): {what}"
    if len(blocks) > _MAX_FINDINGS:
        yield f"- and {len(blocks) - _MAX_FINDINGS} more"
    yield "\nThe summary of the job and its artifact have the requests, and commands that send them again."
