"""The report as Markdown for the summary of a CI job (``$GITHUB_STEP_SUMMARY``), always under 1 MiB."""

import re
from collections.abc import Iterable, Iterator

from contract_tests.reports.common import (
    GRADES,
    LABELS,
    alarms,
    by_rule,
    by_weight,
    choice,
    commands,
    cut,
    expected,
    headline,
    label,
    last_line,
    replay,
    unjudged,
    visible,
)
from contract_tests.results.findings import Finding
from contract_tests.results.verdict import Report

LIMIT = 1024 * 1024
_ROOM = 4 * 1024  # for the word that says what was cut
_MOST_CURL = 8 * 1024
_SPECIAL = re.compile(r"[&<>|`*_~\[\]\\#$@]|:(?=\w+:)")
_SIGNS = {"VIOLATED": "❌", "NOT JUDGED": "⚠️"}


def markdown_summary(report: Report) -> str:
    """Return the summary; what does not fit is counted at its end, and is in the other reports."""
    parts, size, left_out = [], 0, 0
    for part in _parts(report):
        size += len(part.encode()) + 1
        if size > LIMIT - _ROOM:
            size -= len(part.encode()) + 1
            left_out += 1
            continue
        parts.append(part)
    if left_out:
        parts.append(f"\n**Cut here: {left_out} more parts did not fit; report.html has everything.**\n")
    return "\n".join(parts)


def escaped(text: str) -> str:
    """Return text on one line that Markdown, HTML and a table cell show as it is."""
    plain = " ".join(visible(text).split())
    return _SPECIAL.sub(lambda match: f"&#{ord(match[0])};", plain)


def _parts(report: Report) -> Iterator[str]:
    weights = by_weight(report)
    yield f"## {_SIGNS.get(headline(report), '✅')} {escaped(last_line(report))}\n"
    yield f"Target {_code(report.target)}, seed {report.seed}{', strict' if report.strict else ''}.\n"
    for text in (*alarms(report), *report.notes):
        yield f"> {escaped(text)}\n"
    yield _counts(report)
    if weights["failure"]:
        yield f"### Findings ({len(weights['failure'])})\n"
        yield from (_finding(finding, report) for finding in weights["failure"])
    if weights["note"]:
        yield "### The deployment's own choices (assumed rules; not held against it)\n"
        yield _choices(weights["note"])
    if groups := unjudged(report):
        yield "### Not judged, or waived\n"
        yield _table(
            ("Verdict", "Why", "Rules"), [(n, why, ", ".join(ids)) for (n, why), ids in groups.items()]
        )


def _counts(report: Report) -> str:
    shown = [name for name in LABELS if report.counts().get(name)]
    rows = []
    for grade in GRADES:
        names = [label(row) for row in report.verdicts if row.rule.grade == grade]
        rows.append((grade, *(str(names.count(name) or "") for name in shown)))
    return _table(("Grade", *shown), rows)


def _choices(notes: Iterable[Finding]) -> str:
    rows = [(rule, found[0].rule.statement, choice(found)) for rule, found in by_rule(notes).items()]
    return _table(("Rule", "Our guess", "The deployment"), rows)


def _finding(finding: Finding, report: Report) -> str:
    curl = visible(cut("\n".join(commands(finding)), _MOST_CURL))
    fence = "`" * max(3, *(len(run) + 1 for run in re.findall("`+", curl) or [""]))
    times = f", seen {finding.count} times" if finding.count > 1 else ""
    where = f"{finding.rule.grade}, {finding.operation}, {' and '.join(finding.layers)}{times}"
    return (
        f"<details><summary><b>{escaped(finding.rule.id)}</b>: {escaped(finding.reason)} ({where})</summary>\n\n"
        f"- **The contract**: {escaped(finding.rule.statement)} ({escaped(finding.rule.source)})\n"
        f"- **Received**: {escaped(finding.received)}\n"
        f"- **Expected**: {escaped(expected(finding))}\n"
        f"- **Again**: {_code(replay(finding, report))}\n\n"
        f"{fence}sh\n{curl}\n{fence}\n\n</details>\n"
    )


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *(tuple(map(escaped, row)) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _code(text: str) -> str:
    return f"<code>{escaped(text)}</code>"
