"""The report as SARIF 2.1.0, which GitHub code scanning and editors read."""

import json
from typing import Any

from contract_tests.contract.profile import Departure
from contract_tests.contract.resources import VERSION
from contract_tests.contract.rules import Rule
from contract_tests.reports.code_hosts.places import RulePlaces
from contract_tests.reports.content.advice import suggest_change
from contract_tests.reports.content.common import (
    escape_unprintable,
    format_departure,
    format_expectation,
    group_by_severity,
)
from contract_tests.reports.content.headline import format_last_line
from contract_tests.results.findings import Finding
from contract_tests.results.verdict import Report

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
#: The name of the fingerprint, with its version: the id of a finding is the same in every run.
FINGERPRINT = "contractTestsFinding/v1"


def render_sarif(report: Report, places: RulePlaces) -> str:
    """Return the findings: a violation is an error, a choice of the deployment a note; a waiver suppresses."""
    rules = {row.rule.id: number for number, row in enumerate(report.verdicts)}
    reasons = {row.rule.id: row.reason for row in report.verdicts if row.verdict == "waived"}
    findings = [finding for group in group_by_severity(report).values() for finding in group]
    run = {
        "tool": {"driver": {
            "name": "contract-tests",
            "version": VERSION,
            "rules": [_describe_rule(row.rule) for row in report.verdicts],
        }},
        "invocations": [{
            "executionSuccessful": report.exit_code in (0, 1),
            "exitCode": report.exit_code,
            "exitCodeDescription": escape_unprintable(format_last_line(report)),
            "startTimeUtc": report.started.replace("+00:00", "Z"),
        }],
        "columnKind": "unicodeCodePoints",
        "results": [
            *(_describe_finding(finding, rules, reasons, places) for finding in findings),
            *(_describe_drift(departure, places) for departure in report.drift),
        ],
        "properties": {"target": escape_unprintable(report.target)},
    }  # fmt: skip
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _describe_rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.statement},
        "fullDescription": {"text": f"{rule.statement} ({rule.grade}: {rule.source})"},
        "help": {"text": f"{rule.statement} Source: {rule.source}. Grade: {rule.grade}."},
        "defaultConfiguration": {"level": "note" if rule.grade == "assumed" else "error"},
        "properties": {"tags": [rule.grade, *rule.operations]},
    }


def _describe_finding(
    finding: Finding, rules: dict[str, int], waived: dict[str, str], places: RulePlaces
) -> dict[str, Any]:
    place = places.find_finding(finding)
    region = {"artifactLocation": {"uri": place.path}, "region": {"startLine": place.line}}
    result: dict[str, Any] = {
        "ruleId": finding.rule.id,
        "level": "error" if finding.severity == "failure" else "note",
        "message": {"text": escape_unprintable(_describe(finding))},
        "locations": [{"physicalLocation": region, "logicalLocations": [{"name": finding.operation}]}],
        "partialFingerprints": {FINGERPRINT: finding.id},
        "occurrenceCount": finding.count,
        "properties": {"finding": finding.file, "layers": list(finding.layers)},
    }
    if finding.rule.id in rules:
        result["ruleIndex"] = rules[finding.rule.id]
    if finding.rule.id in waived and finding.severity == "failure":
        result["suppressions"] = [
            {"kind": "external", "justification": escape_unprintable(waived[finding.rule.id])}
        ]
    return result


def _describe_drift(departure: Departure, places: RulePlaces) -> dict[str, Any]:
    place = places.find_choice(departure.choice)
    region = {"artifactLocation": {"uri": place.path}, "region": {"startLine": place.line}}
    return {
        "ruleId": departure.choice,
        "level": "error",
        "message": {"text": escape_unprintable(_escape_links(format_departure(departure)))},
        "locations": [{"physicalLocation": region}],
        "partialFingerprints": {FINGERPRINT: f"drift-{departure.choice}"},
    }


def _describe(finding: Finding) -> str:
    """Return the finding in a few sentences."""
    text = (
        f"{finding.operation}: {finding.reason}. Received: {finding.received}. "
        f"Expected: {format_expectation(finding)}. What to change: {suggest_change(finding)}"
    )
    return _escape_links(text)


def _escape_links(text: str) -> str:
    """Return a text without Markdown, whose brackets SARIF reads as links."""
    return (
        text.replace("\\", "\\\\")
        .replace("[", "\\[")
        .replace("]", "\\]")
        .replace("{", "{{")
        .replace("}", "}}")
    )
