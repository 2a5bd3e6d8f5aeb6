"""The report as JSON, described by docs/report.schema.json: everything except the traffic."""

import json
from dataclasses import asdict
from typing import Any

from contract_tests.contract.resources import VERSION
from contract_tests.reports.content.common import verdict_label
from contract_tests.results.chosen import Chosen
from contract_tests.results.comparison import Comparison
from contract_tests.results.verdict import Report, RuleVerdict

REPORT_FORMAT = 1  # raise it when readers of the file must change


def render_json(report: Report) -> str:
    """Return the report as JSON text."""
    return json.dumps(report_to_json(report), indent=2) + "\n"


def report_to_json(report: Report) -> dict[str, Any]:
    """Return the report as plain JSON values."""
    return {
        "format": REPORT_FORMAT,
        "kit": VERSION,
        "contract": report.contract,
        "target": report.target,
        "started": report.started,
        "seconds": report.seconds,
        "seed": report.seed,
        "strict": report.strict,
        "exit_code": report.exit_code,
        "cut_short": report.cut_short,
        "callers": list(report.callers),
        "requests": report.requests,
        "created": report.created,
        "counts": dict(report.count_verdicts()),
        "layers": {name: asdict(layer) for name, layer in report.layers.items()},
        "rules": [_verdict_to_json(row) for row in report.verdicts],
        "findings": [finding.to_json() for finding in report.findings],
        "finding_keys": [
            {
                **asdict(known.key),
                "severity": "note" if known.is_choice else "failure",
                "first_seen": known.first_seen,
            }
            for known in report.summarize().findings
        ],
        "choices": [_chosen_to_json(chosen) for chosen in report.chosen],
        "notes": list(report.notes),
        "drift": [departure.to_json() for departure in report.departures],
        "comparison": _comparison_to_json(report.comparison),
        "expired_waivers": [
            {"rule": waiver.rule, "reason": waiver.reason, "until": waiver.until.isoformat()}
            for waiver in report.expired
        ],
    }


def _chosen_to_json(chosen: Chosen) -> dict[str, Any]:
    return {
        "choice": chosen.choice.id,
        "question": chosen.choice.question,
        "usual": chosen.choice.usual,
        "unusual": chosen.is_unusual,
        "answers": dict(chosen.answers),
    }


def _comparison_to_json(comparison: Comparison | None) -> dict[str, Any] | None:
    if comparison is None:
        return None
    lists = {name: getattr(comparison, name) for name in ("new", "still", "fixed", "chosen", "unjudged")}
    return {
        "earlier": comparison.earlier.name,
        "started": comparison.earlier.started,
        "baseline": comparison.is_baseline,
        **{name: [asdict(key) for key in keys] for name, keys in lists.items()},
    }


def _verdict_to_json(row: RuleVerdict) -> dict[str, Any]:
    rule = row.rule
    return {
        "rule": rule.id,
        "kind": rule.kind,
        "grade": rule.grade,
        "statement": rule.statement,
        "source": rule.source,
        "operations": list(rule.operations),
        "verdict": row.verdict,
        "severity": row.severity,
        "label": verdict_label(row),
        "reason": row.reason,
        "tries": row.tries,
        "excluded_rate": row.excluded_rate,
        "layers": {layer: dict(outcomes) for layer, outcomes in row.layers.items() if outcomes},
    }
