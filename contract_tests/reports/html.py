"""The report as one self-contained HTML page, with a policy that lets the browser load nothing else."""

import hashlib
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from contract_tests.cases.model import Layer
from contract_tests.contract.resources import VERSION
from contract_tests.reports.content.advice import suggest_change
from contract_tests.reports.content.blocks import (
    Block,
    Reproduction,
    group_blocks,
    name_operation,
    plan_reproduction,
)
from contract_tests.reports.content.common import (
    GRADES,
    LABELS,
    Label,
    escape_unprintable,
    format_broken,
    format_comparison,
    format_expectation,
    format_passed,
    group_by_severity,
    group_unjudged,
    list_facts,
    list_layers,
    list_new_findings,
    list_notes,
    list_warnings,
    reason_phrase,
    truncate_text,
    verdict_label,
)
from contract_tests.reports.content.headline import (
    Tone,
    choose_tone,
    format_confidence,
    format_extent,
    format_headline,
)
from contract_tests.results.comparison import format_age
from contract_tests.results.statistics import format_percent
from contract_tests.results.verdict import Report, RuleVerdict

_TEMPLATES = Path(__file__).parent / "templates"
_MAX_BODY = 4 * 1024
_MAX_EXCHANGES = 6
_ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="4" fill="{}"/>'
    '<path d="{}" fill="none" stroke="#fff" stroke-width="2" stroke-linecap="round"/></svg>'
)
_ICONS: dict[Tone, tuple[str, str]] = {
    "conforms": ("#1a7f4b", "M4 8.5 7 11.5 12 5"),
    "violated": ("#c62f3a", "M5 5 11 11M11 5 5 11"),
    "inconclusive": ("#85590a", "M8 3.5V9M8 12.2V12.3"),
}


@dataclass(frozen=True, slots=True)
class Cell:
    """One rule in one layer: its color, its text, and the text in full."""

    tone: Label | None
    text: str
    title: str


def render_html(report: Report, reproduction: Reproduction | None = None) -> str:
    """Return the whole page."""
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: value if isinstance(value, Markup) else escape_unprintable(str(value)),
    )
    style, script = (Markup((_TEMPLATES / name).read_text("utf-8")) for name in ("report.css", "report.js"))  # noqa: S704 - our own files
    return environment.get_template("report.html.j2").render(
        _template_values(report, reproduction or plan_reproduction(report)),
        style=style,
        script=script,
        policy=f"default-src 'none'; style-src {_csp_hash(style)}; script-src {_csp_hash(script)}; img-src data:; "
        "base-uri 'none'; form-action 'none'",
    )


def _template_values(report: Report, reproduction: Reproduction) -> Mapping[str, Any]:
    groups = {name: group_blocks(findings) for name, findings in group_by_severity(report).items()}
    anchors = {block.findings[0].id: f"{block.id}-known" for block in groups["known"]}
    counts = report.count_verdicts()
    headline, tone, new = format_headline(report), choose_tone(report), list_new_findings(report)
    return {
        "report": report,
        "version": VERSION,
        "headline": headline,
        "title": headline.capitalize() + format_extent(report).removeprefix(headline),
        "tone": tone,
        "icon": "data:image/svg+xml," + quote(_ICON.format(*_ICONS[tone])),
        "comparison": format_comparison(report.comparison) if report.comparison else "",
        "is_new": lambda block: any(finding.id in new for finding in block.findings),
        "age": partial(_format_age, report),
        "counts": {name: counts[name] for name in LABELS if counts.get(name)},
        "grades": {g: rows for g in GRADES if (rows := [r for r in report.verdicts if r.rule.grade == g])},
        "layers": list_layers(report),
        "groups": groups,
        "anchor": lambda block: anchors.get(block.findings[0].id, block.id),
        "first": {
            rule: anchors.get(b.findings[0].id, b.id)
            for b in reversed([b for group in groups.values() for b in group])
            for rule in b.rule_ids
        },
        "unjudged": group_unjudged(report),
        "warnings": list_warnings(report),
        "notes": list_notes(report),
        "label": verdict_label,
        "cell": _build_cell,
        "advice": lambda finding, *others: suggest_change(finding, others),
        "facts": list_facts,
        "confidence": format_confidence(report),
        "percent": format_percent,
        "expected": format_expectation,
        "operation": name_operation,
        "remark": " ".join(reproduction.page_remarks),
        "replay": reproduction.replay,
        "commands": lambda finding: "\n".join(reproduction.commands(finding)),
        "examples": Block.list_examples,
        "shown": lambda finding: finding.exchanges[-_MAX_EXCHANGES:],
        "body": _truncate_body,
        "status": lambda exchange: (
            f"{exchange.status} {reason_phrase(exchange.status)}"
            if exchange.status
            else f"no response: {exchange.reason}"
        ),
    }


def _format_age(report: Report, block: Block) -> str:
    """Return since when the findings of a block are known; an empty string if the baseline has none of them."""
    known = [report.known[finding.id] for finding in block.findings if finding.id in report.known]
    return format_age(min(known), report.started) if known else ""


def _build_cell(row: RuleVerdict, layer: Layer) -> Cell:
    outcomes = row.layers.get(layer, {})
    title = ", ".join(f"{count} {outcome}" for outcome, count in outcomes.items()) or "no case ran"
    if outcomes.get("violated"):
        return Cell(verdict_label(row), f"{format_broken(outcomes)} ✗", title)
    if outcomes.get("passed"):
        judged = row.verdict != "not observed"
        return Cell("conforms" if judged else None, format_passed(row, outcomes["passed"]), title)
    return (
        Cell("inconclusive", "?", title)
        if outcomes.get("inconclusive")
        else Cell(None, "–" if outcomes else "", title)
    )


def _truncate_body(text: str | None) -> str:
    return truncate_text(text, _MAX_BODY) if text else ""


def _csp_hash(text: str) -> str:
    return f"'sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
