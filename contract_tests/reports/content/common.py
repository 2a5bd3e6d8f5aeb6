"""Wording shared by all reports: labels, headline, groups of findings, text that is safe to show."""

import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Literal

from contract_tests.cases.model import LAYERS, Layer
from contract_tests.contract.choices import list_deciding_choices, load_choices
from contract_tests.contract.profile import Departure
from contract_tests.reports.content.blocks import Block, Severity, group_blocks
from contract_tests.results.comparison import Comparison, format_age
from contract_tests.results.findings import Finding
from contract_tests.results.judge import Outcome
from contract_tests.results.verdict import Report, RuleVerdict

Label = Literal["violated", "known", "note", "inconclusive", "not observed", "waived", "conforms"]
LABELS: tuple[Label, ...] = (
    "conforms",
    "violated",
    "known",
    "note",
    "inconclusive",
    "not observed",
    "waived",
)
GRADES = ("documented", "provider", "assumed")

# Terminal control, characters that XML 1.0 or UTF-8 cannot represent, and invisible or reordering ones.
_UNSHOWABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff\ufff9-\uffff]"
)

# What a CI runner reads as a command: "##[" and "##vso[" anywhere, "::name::" at the start of a line, which may be
# a wrapped one.
_RUNNER_COMMAND = re.compile(r"(?<=#)#(?=(?:vso)?\[)|(?<=:):(?=[\w-]+(?: [^\n]*)?::)", re.IGNORECASE)


def verdict_label(row: RuleVerdict) -> Label:
    """Return the label of a verdict; a violated rule that is only assumed is a note."""
    return "note" if row.verdict == "violated" and not row.fails else row.verdict


def list_new_findings(report: Report) -> frozenset[str]:
    """Return the ids of the findings that an earlier report does not have; none without such a report."""
    new = report.comparison.new if report.comparison else ()
    return frozenset(finding.id for finding in report.findings if any(key in new for key in finding.keys))


def list_known(report: Report, rule: str = "") -> dict[str, str]:
    """Return what the baseline has: the rules of failing findings, each with what is wrong, and since when.

    With ``rule`` only those of that rule.
    """
    groups = group_by_rule(group_by_severity(report)["known"])
    chosen = {name: findings for name, findings in groups.items() if rule in ("", name)}
    return {
        name: f"{summarize_deviations(findings)}; {_format_oldest(report, findings)}"
        for name, findings in chosen.items()
    }


def _format_oldest(report: Report, findings: Iterable[Finding]) -> str:
    return format_age(min(report.known[finding.id] for finding in findings), report.started)


def format_comparison(comparison: Comparison) -> str:
    """Return how the findings differ from those of an earlier report, in one line."""
    counts = comparison.groups
    found = (
        ", ".join(f"{len(keys)} {name}" for name, keys in counts.items() if keys) or "no finding in either"
    )
    day = comparison.earlier.started.replace("T", " ").removesuffix("+00:00")
    what = "the baseline " if comparison.is_baseline else ""
    name = f"{what}{escape_unprintable(comparison.earlier.name)}"
    return f"Compared with {name} of {escape_unprintable(day)}: {found}"


def format_broken(outcomes: Mapping[Outcome, int]) -> str:
    """Return how many of the deciding cases of a rule and layer broke it: ``9/40``."""
    broken = outcomes.get("violated", 0)
    return f"{broken}/{broken + outcomes.get('passed', 0)}"


def format_passed(row: RuleVerdict, number: int) -> str:
    """Return the number of cases that passed, in brackets if the rule was not observed all the same."""
    return f"({number})" if row.verdict == "not observed" else str(number)


def format_counts(counts: Mapping[str, int]) -> str:
    """Return the number of rules per verdict, in words."""
    return ", ".join(
        f"{counts[name]} {name}{'s' if name == 'note' and counts[name] > 1 else ''}"
        for name in LABELS
        if counts.get(name)
    )


def group_by_severity(report: Report) -> dict[Severity, tuple[Finding, ...]]:
    """Return the findings that fail the run, those of the baseline, the waived ones, and the target's choices.

    Each group has the order of the matrix.
    """
    rows = sorted(report.verdicts, key=lambda row: GRADES.index(row.rule.grade))
    order = {row.rule.id: place for place, row in enumerate(rows)}
    waived = {row.rule.id for row in report.verdicts if row.verdict == "waived"}
    findings = sorted(
        report.findings, key=lambda f: (order.get(f.rule.id, len(order)), f.operation, f.reason)
    )
    severe = [finding for finding in findings if finding.severity == "failure"]
    failing, known = [finding for finding in severe if finding.rule.id not in waived], report.known
    return {
        "failure": tuple(f for f in failing if f.id not in known),
        "known": tuple(f for f in failing if f.id in known),
        "waived": tuple(f for f in severe if f.rule.id in waived),
        "note": tuple(f for f in findings if f.severity == "note"),
    }


def group_unjudged(report: Report) -> dict[tuple[Label, str], tuple[str, ...]]:
    """Return the rules that were not judged or are waived, by label and reason."""
    groups: dict[tuple[Label, str], tuple[str, ...]] = {}
    for name in ("inconclusive", "not observed", "waived"):
        for row in report.verdicts:
            if verdict_label(row) == name:
                key = verdict_label(row), row.reason
                groups[key] = (*groups.get(key, ()), row.rule.id)
    return groups


def list_warnings(report: Report) -> tuple[str, ...]:
    """Return warnings beside the verdicts: expired waivers, a drift that fails, and why the run ended early."""
    conforming = {row.rule.id for row in report.verdicts if row.verdict == "conforms"}
    expired = [
        f"the waiver of {w.rule} expired on {w.until}: {w.reason}"
        f"{'; the rule conforms, so the waiver can go' if w.rule in conforming else ''}"
        for w in report.expired
    ]
    drift = [format_departure(departure) for departure in report.drift]
    if not report.cut_short:
        return (*expired, *drift)
    start = "cut short" if report.judged else "not judged"
    end = report.cut_short if report.stopped_as_asked else f"{start}: {report.cut_short}"
    return (*expired, *drift, end)


def list_notes(report: Report) -> tuple[str, ...]:
    """Return the notes of a run, and the departures from its profile that do not fail it."""
    others = (departure for departure in report.departures if departure not in report.drift)
    return (*report.notes, *map(format_departure, others))


def format_departure(departure: Departure) -> str:
    """Return in one line that the deployment departs from its profile."""
    seen = departure.seen
    doubt = "" if seen.is_certain else " (not certain)"
    return (
        f"drift: {departure.choice}: the deployment chose {seen.option}{doubt}, its profile says "
        f"{departure.expected}: {seen.evidence}"
    )


def list_layers(report: Report) -> tuple[Layer, ...]:
    """Return the layers that ran, or that have an outcome."""
    return tuple(n for n in LAYERS if n in report.layers or any(row.layers.get(n) for row in report.verdicts))


def group_by_rule(findings: Iterable[Finding]) -> dict[str, list[Finding]]:
    """Return the findings by rule id."""
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(finding.rule.id, []).append(finding)
    return groups


def summarize_deviations(findings: Iterable[Finding]) -> str:
    """Return in one line how the target differs on one assumed rule, and the choices that decide it."""
    found = list(findings)
    choices = name_choices(found)
    summary = "; ".join(f"{block.reason}: {block.summary}" for block in group_blocks(found))
    return f"{summary} (choice: {choices})" if choices else summary


def name_choices(findings: Iterable[Finding]) -> str:
    """Return the choices that decide whether a deployment follows the assumed rules of findings."""
    rules = dict.fromkeys(finding.rule.id for finding in findings if finding.rule.grade == "assumed")
    return ", ".join(name for rule in rules for name in list_deciding_choices(rule, load_choices()))


def format_expectation(finding: Finding) -> str:
    """Return the expectation without the rule's statement, which reports show beside it."""
    return finding.expected.removesuffix(f": {finding.rule.statement}")


def list_facts(block: Block) -> list[tuple[str, str]]:
    """Return as rows what is known: how often it shows, or else the nearest request that behaved; its choices."""
    sibling = next((finding.sibling for finding in block.findings if finding.sibling), None)
    rate = next((finding.rate for finding in block.findings if finding.rate), None)
    rows = [("How often", str(rate))] if rate else []
    rows += [("Behaves", f"{sibling.edit}: {sibling.received}")] if sibling and not rate else []
    choices = name_choices(block.findings)
    return [*rows, ("Choice", choices)] if choices else rows


#: Headings of the two ways in which a deployment may differ and conform, in the words of docs/choices.md.
ASSUMED_HEADING = "Assumed rules that differ here (they do not fail the run)"
CHOICES_HEADING = "Choices that are not usual (the pages leave these points open)"


def reason_phrase(status: int) -> str:
    """Return the standard phrase of a status, or an empty string."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def escape_unprintable(text: str) -> str:
    """Return the text with unprintable characters escaped, except newline and tab."""
    return _UNSHOWABLE.sub(_escape_character, text)


def escape_console(text: str) -> str:
    """Return the text for a terminal or a CI log, in which it can form no command of the runner."""
    return _RUNNER_COMMAND.sub(_escape_character, escape_unprintable(text))


def truncate_text(text: str, limit: int, where: str = "complete in the finding's file") -> str:
    """Return the text, or its beginning with a notice that it was cut."""
    return text if len(text) <= limit else f"{text[:limit]} … (cut; {where})"


def _escape_character(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"
