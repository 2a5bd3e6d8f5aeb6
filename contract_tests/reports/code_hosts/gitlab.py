"""The report as code quality of GitLab, which a merge request shows."""

import json

from contract_tests.contract.profile import Departure
from contract_tests.reports.code_hosts.places import RulePlaces
from contract_tests.reports.content.common import escape_unprintable, format_departure, group_by_severity
from contract_tests.results.findings import Finding
from contract_tests.results.verdict import Report

_SEVERITIES = {"documented": "critical", "provider": "major", "assumed": "minor"}


def render_gitlab(report: Report, places: RulePlaces) -> str:
    """Return a list of issues: the violations, and as information the deployment's choices; no waived finding."""
    groups = group_by_severity(report)
    issues = [_describe_issue(finding, places) for finding in (*groups["failure"], *groups["note"])]
    issues += [_describe_drift(departure, places) for departure in report.drift]
    return json.dumps(issues, indent=2) + "\n"


def _describe_issue(finding: Finding, places: RulePlaces) -> dict[str, object]:
    place = places.find_finding(finding)
    note = finding.severity == "note"
    text = f"{finding.rule.id}: {finding.operation}: {finding.reason} ({finding.rule.statement})"
    return {
        "description": escape_unprintable(text),
        "check_name": finding.rule.id,
        "fingerprint": finding.id,
        "severity": "info" if note else _SEVERITIES[finding.rule.grade],
        "location": {"path": place.path, "lines": {"begin": place.line}},
    }


def _describe_drift(departure: Departure, places: RulePlaces) -> dict[str, object]:
    place = places.find_choice(departure.choice)
    return {
        "description": escape_unprintable(format_departure(departure)),
        "check_name": departure.choice,
        "fingerprint": f"drift-{departure.choice}",
        "severity": "major",
        "location": {"path": place.path, "lines": {"begin": place.line}},
    }
