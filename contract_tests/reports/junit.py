"""The report as JUnit XML, one case per rule and layer; it is red exactly where the run is."""

from collections.abc import Iterator
from io import BytesIO

from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

from contract_tests import __version__
from contract_tests.cases.model import LAYERS, Layer
from contract_tests.reports.common import by_weight, commands, cut, expected, headline, label, visible
from contract_tests.results.findings import Finding
from contract_tests.results.verdict import Report, RuleVerdict

Outcome = Error | Failure | Skipped
_SKIPPED = ("note", "inconclusive", "not observed", "waived")
_MOST = 8000


def junit_xml(report: Report) -> bytes:
    """Return the report as an XML document."""
    suite = TestSuite("contract")
    suite.timestamp = report.started
    for name, value in _properties(report).items():
        suite.add_property(name, visible(value))
    suite.add_testcases([*_cases(report), *_other_cases(report)])
    suite.time = report.seconds
    xml = JUnitXml("contract-tests")
    xml.add_testsuite(suite)
    for name in ("tests", "failures", "errors", "skipped", "time"):
        setattr(xml, name, getattr(suite, name))
    document = BytesIO()
    xml.write(document)
    return document.getvalue() + b"\n"


def _properties(report: Report) -> dict[str, str]:
    return {
        "target": report.target,
        "seed": str(report.seed),
        "version": __version__,
        "strict": str(report.strict).lower(),
        "verdict": headline(report),
        "callers": ", ".join(report.callers),
        "requests": str(report.requests),
        "created": str(report.created),
    }


def _cases(report: Report) -> Iterator[TestCase]:
    failures = by_weight(report)["failure"]
    for row in report.verdicts:
        played = [layer for layer in LAYERS if row.layers.get(layer)]
        for layer in played:
            mine = [f for f in failures if f.rule.id == row.rule.id and layer in f.layers]
            yield _case(f"contract.{row.rule.grade}", f"{row.rule.id}[{layer}]", _result(row, layer, mine))
        if not played:
            yield _case(
                f"contract.{row.rule.grade}", row.rule.id, Skipped(visible(f"{label(row)}: {row.reason}"))
            )


def _other_cases(report: Report) -> Iterator[TestCase]:
    """What makes the run red without being a rule's verdict."""
    for waiver in report.expired:
        failure = Failure(visible(f"the waiver expired on {waiver.until}: {waiver.reason}"), "expired")
        yield _case("contract.waivers", f"{waiver.rule}[waiver]", failure)
    if report.cut_short:
        gone = report.exit_code > 1
        text = visible(report.cut_short)
        yield _case("contract.run", "whole run", Error(text, "not judged") if gone else Skipped(text))


def _case(group: str, name: str, result: Outcome | None) -> TestCase:
    case = TestCase(name, group)
    if result is not None:
        case.result = [result]
    return case


def _result(row: RuleVerdict, layer: Layer, failures: list[Finding]) -> Outcome | None:
    """A layer is green only where the rule conforms and the layer itself has shown something."""
    if failures:
        failure = Failure(visible(_message(failures)), "violated")
        failure.text = visible("\n\n".join(map(_text, failures)))
        return failure
    name = label(row)
    if name in _SKIPPED:
        return Skipped(visible(f"{name}: {row.reason}"))
    tally = row.layers[layer]
    if tally.get("passed"):
        return None
    return Skipped(f"{'inconclusive' if tally.get('inconclusive') else 'not observed'} in this layer")


def _message(findings: list[Finding]) -> str:
    more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
    return f"{findings[0].operation}: {findings[0].reason}{more}"


def _text(finding: Finding) -> str:
    curl = cut("\n".join(commands(finding)), _MOST)
    return (
        f"{finding.rule.statement} [{finding.rule.source}]\n"
        f"{finding.operation}: {finding.reason}\n"
        f"Received: {finding.received}\n"
        f"Expected: {expected(finding)}\n"
        f"{curl}\n"
        f"contract-tests replay findings/{finding.id}.json --target …"
    )
