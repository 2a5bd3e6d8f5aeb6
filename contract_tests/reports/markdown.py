"""The report as Markdown for the summary of a CI job (``$GITHUB_STEP_SUMMARY``), always under 1 MiB."""

from collections.abc import Iterable, Iterator

from contract_tests.reports.content.advice import suggest_change
from contract_tests.reports.content.blocks import (
    Block,
    Reproduction,
    group_blocks,
    name_operation,
    plan_reproduction,
)
from contract_tests.reports.content.common import (
    ASSUMED_HEADING,
    CHOICES_HEADING,
    GRADES,
    LABELS,
    escape_unprintable,
    format_comparison,
    format_expectation,
    group_by_rule,
    group_by_severity,
    group_unjudged,
    list_facts,
    list_known,
    list_notes,
    list_warnings,
    summarize_deviations,
    verdict_label,
)
from contract_tests.reports.content.escaping import escape_html, escape_markdown, fence_code
from contract_tests.reports.content.headline import Tone, choose_tone, format_confidence, format_last_line
from contract_tests.results.comparison import Comparison
from contract_tests.results.findings import Finding
from contract_tests.results.verdict import Report

MAX_SUMMARY_BYTES = 1024 * 1024
_NOTICE_BYTES = 4 * 1024  # reserved for the notice about sections that did not fit
_SIGNS: dict[Tone, str] = {"conforms": "✅", "violated": "❌", "inconclusive": "⚠️"}


def render_markdown(report: Report, reproduction: Reproduction | None = None) -> str:
    """Return the summary; sections that do not fit are counted at its end."""
    parts, size, left_out = [], 0, 0
    for part in _iter_sections(report, reproduction or plan_reproduction(report)):
        size += len(part.encode()) + 1
        if size > MAX_SUMMARY_BYTES - _NOTICE_BYTES:
            size -= len(part.encode()) + 1
            left_out += 1
            continue
        parts.append(part)
    if left_out:
        parts.append(f"\n**Cut here: {left_out} more parts did not fit; report.html has everything.**\n")
    return "\n".join(parts)


def _iter_sections(report: Report, reproduction: Reproduction) -> Iterator[str]:
    groups = group_by_severity(report)
    blocks = group_blocks(groups["failure"])
    yield f"## {_SIGNS[choose_tone(report)]} {escape_markdown(format_last_line(report))}\n"
    yield f"Target {_format_code(report.target)}, seed {report.seed}{', strict' if report.strict else ''}.\n"
    for text in (*list_warnings(report), *list_notes(report)):
        yield f"> {escape_markdown(text)}\n"
    if report.comparison:
        yield from _format_comparison(report.comparison)
    yield _grade_table(report)
    if confidence := format_confidence(report):
        yield f"{escape_markdown(confidence)}.\n"
    if blocks:
        yield f"### Findings ({len(blocks)})\n"
        yield f"{escape_markdown(' '.join(reproduction.page_remarks))}\n"
        yield from (_format_block(block, reproduction) for block in blocks)
    if known := list_known(report):
        yield "### Known from the baseline (they do not fail the run)\n"
        yield _format_table(("Rule", "What is wrong, and since when"), known.items())
    if groups["note"]:
        yield f"### {ASSUMED_HEADING}\n"
        yield _deviation_table(groups["note"])
    if unusual := [chosen for chosen in report.chosen if chosen.is_unusual]:
        yield f"### {CHOICES_HEADING}\n"
        rows = [(one.choice.id, one.choice.question, one.summary, str(one.choice.usual)) for one in unusual]
        yield _format_table(("Choice", "Question", "Answers", "Usual"), rows)
    if unjudged := group_unjudged(report):
        yield "### Not judged, or waived\n"
        yield _format_table(
            ("Verdict", "Why", "Rules"), [(n, why, ", ".join(ids)) for (n, why), ids in unjudged.items()]
        )


def _format_comparison(comparison: Comparison) -> Iterator[str]:
    yield f"{escape_markdown(format_comparison(comparison))}.\n"
    groups = {name: keys for name, keys in comparison.groups.items() if name != "still broken"}
    rows = [(name, key.rule, key.input, key.seen) for name, keys in groups.items() for key in keys]
    if rows:
        yield _format_table(("", "Rule", "Request", "Reason"), rows)


def _grade_table(report: Report) -> str:
    shown = [name for name in LABELS if report.count_verdicts().get(name)]
    rows = []
    for grade in GRADES:
        names = [verdict_label(row) for row in report.verdicts if row.rule.grade == grade]
        if not names:
            continue
        rows.append((grade, *(str(names.count(name) or "") for name in shown)))
    return _format_table(("Grade", *shown), rows)


def _deviation_table(notes: Iterable[Finding]) -> str:
    rows = [
        (rule, findings[0].rule.statement, summarize_deviations(findings))
        for rule, findings in group_by_rule(notes).items()
    ]
    return _format_table(("Rule", "Assumption", "The deployment"), rows)


def _format_block(block: Block, reproduction: Reproduction) -> str:
    first = block.findings[0]
    what = escape_html(f"{block.reason}: {block.summary}")
    title = f"<b>{escape_html(block.title)}</b>: {what} ({block.where()})"
    place = f"{first.line}; " if first.line else ""
    facts = [("The contract", f"{block.rule.statement} ({place}{block.rule.source})")]
    if block.story:
        facts.append(("What happened", block.story))
    if not block.differences:
        facts += [("Received", first.received), ("Expected", format_expectation(first))]
    facts += list_facts(block)
    facts.append(("What to change", suggest_change(first, block.findings)))
    if len(block.rule_ids) > 1:
        facts.insert(1, ("Rules", ", ".join(block.rule_ids)))
    lines = "\n".join(f"- **{name}**: {escape_markdown(text)}" for name, text in facts)
    table = _format_table(("Property", "Received", "Expected"), block.differences)
    parts = [
        f"<details><summary>{title}</summary>\n",
        f"{lines}\n",
        *([table] if block.differences else []),
        *(_format_finding(block, finding, reproduction) for finding in block.findings),
        "</details>\n",
    ]
    return "\n".join(parts)


def _format_finding(block: Block, finding: Finding, reproduction: Reproduction) -> str:
    """Return the different requests of a finding, and the commands that send it again."""
    commands = escape_unprintable("\n".join(reproduction.commands(finding)))
    examples = "".join(f"- {escape_markdown(line)}\n" for line in block.list_examples(finding))
    replay = escape_unprintable(reproduction.replay(finding))
    heading = f"**{name_operation(finding).capitalize()}**:\n"
    return f"{heading}\n{examples}\n{fence_code(replay)}\n\n{fence_code(commands)}\n"


def _format_table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *(tuple(map(escape_markdown, row)) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _format_code(text: str) -> str:
    return f"<code>{escape_markdown(text)}</code>"
