"""The report as JUnit XML, one case per rule and layer; it fails exactly when the run does."""

from collections.abc import Iterator
from io import BytesIO

from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

from contract_tests.cases.model import LAYERS, Layer
from contract_tests.contract.resources import VERSION
from contract_tests.reports.common import (
    MAX_CURL,
    escape_unprintable,
    format_commands,
    format_expectation,
    format_headline,
    group_by_severity,
    truncate_text,
    verdict_label,
)
from contract_tests.results.findings import Finding
from contract_tests.results.verdict import Report, RuleVerdict

Outcome = Error | Failure | Skipped
_SKIPPED = ("note", "inconclusive", "not observed", "waived")


def render_junit(report: Report) -> bytes:
    """Return the report as an XML document."""
    suite = TestSuite("contract")
    suite.timestamp = report.started
    for name, value in _suite_properties(report).items():
        suite.add_property(name, escape_unprintable(value))
    suite.add_testcases([*_iter_rule_cases(report), *_iter_run_cases(report)])
    suite.time = report.seconds
    xml = JUnitXml("contract-tests")
    xml.add_testsuite(suite)
    for name in ("tests", "failures", "errors", "skipped", "time"):
        setattr(xml, name, getattr(suite, name))
    document = BytesIO()
    xml.write(document)
    return document.getvalue() + b"\n"


def _suite_properties(report: Report) -> dict[str, str]:
    return {
        "target": report.target,
        "seed": str(report.seed),
        "version": VERSION,
        "strict": str(report.strict).lower(),
        "verdict": format_headline(report),
        "callers": ", ".join(report.callers),
        "requests": str(report.requests),
        "created": str(report.created),
    }


def _iter_rule_cases(report: Report) -> Iterator[TestCase]:
    failures = group_by_severity(report)["failure"]
    for row in report.verdicts:
        ran = [layer for layer in LAYERS if row.layers.get(layer)]
        for layer in ran:
            own = [f for f in failures if f.rule.id == row.rule.id and layer in f.layers]
            yield _build_case(
                f"contract.{row.rule.grade}", f"{row.rule.id}[{layer}]", _layer_result(row, layer, own)
            )
        if not ran:
            yield _build_case(
                f"contract.{row.rule.grade}",
                row.rule.id,
                Skipped(escape_unprintable(f"{verdict_label(row)}: {row.reason}")),
            )


def _iter_run_cases(report: Report) -> Iterator[TestCase]:
    """Yield cases for expired waivers and a run that ended early."""
    for waiver in report.expired:
        failure = Failure(
            escape_unprintable(f"the waiver expired on {waiver.until}: {waiver.reason}"), "expired"
        )
        yield _build_case("contract.waivers", f"{waiver.rule}[waiver]", failure)
    if report.cut_short:
        gone = report.exit_code > 1
        text = escape_unprintable(report.cut_short)
        yield _build_case("contract.run", "whole run", Error(text, "not judged") if gone else Skipped(text))


def _build_case(group: str, name: str, result: Outcome | None) -> TestCase:
    case = TestCase(name, group)
    if result is not None:
        case.result = [result]
    return case


def _layer_result(row: RuleVerdict, layer: Layer, failures: list[Finding]) -> Outcome | None:
    """Return the result of a layer; it passes only if the rule conforms and the layer proved something."""
    if failures:
        failure = Failure(escape_unprintable(_failure_message(failures)), "violated")
        failure.text = escape_unprintable("\n\n".join(map(_failure_text, failures)))
        return failure
    name = verdict_label(row)
    if name in _SKIPPED:
        return Skipped(escape_unprintable(f"{name}: {row.reason}"))
    outcomes = row.layers[layer]
    if outcomes.get("passed"):
        return None
    return Skipped(f"{'inconclusive' if outcomes.get('inconclusive') else 'not observed'} in this layer")


def _failure_message(findings: list[Finding]) -> str:
    more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
    return f"{findings[0].operation}: {findings[0].reason}{more}"


def _failure_text(finding: Finding) -> str:
    curl = truncate_text("\n".join(format_commands(finding)), MAX_CURL["junit"])
    return (
        f"{finding.rule.statement} [{finding.rule.source}]\n"
        f"{finding.operation}: {finding.reason}\n"
        f"Received: {finding.received}\n"
        f"Expected: {format_expectation(finding)}\n"
        f"{curl}\n"
        f"contract-tests replay findings/{finding.id}.json --target …"
    )
