"""The report as JUnit XML, one case per rule and layer; it fails exactly when the run does."""

from collections.abc import Iterator, Sequence
from io import BytesIO

from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

from contract_tests.cases.model import LAYERS, Layer
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
    escape_unprintable,
    format_departure,
    format_expectation,
    group_by_severity,
    list_known,
    verdict_label,
)
from contract_tests.reports.content.headline import explain_unjudged, format_headline
from contract_tests.results.verdict import Report, RuleVerdict

Outcome = Error | Failure | Skipped
_SKIPPED = ("known", "note", "inconclusive", "not observed", "waived")


def render_junit(report: Report, reproduction: Reproduction | None = None) -> bytes:
    """Return the report as an XML document."""
    reproduction = reproduction or plan_reproduction(report)
    suite = TestSuite("contract")
    suite.timestamp = report.started
    for name, value in _suite_properties(report).items():
        suite.add_property(name, escape_unprintable(value))
    suite.add_testcases([*_iter_rule_cases(report, reproduction), *_iter_run_cases(report)])
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
        "verdict": "NOT JUDGED" if report.exit_code == 3 else format_headline(report),
        "callers": ", ".join(report.callers),
        "requests": str(report.requests),
        "created": str(report.created),
    }


def _iter_rule_cases(report: Report, reproduction: Reproduction) -> Iterator[TestCase]:
    failures = group_by_severity(report)["failure"]
    for row in report.verdicts:
        group = f"contract.{row.rule.grade}"
        ran = [layer for layer in LAYERS if row.layers.get(layer)]
        for layer in ran:
            own = [f for f in failures if f.rule.id == row.rule.id and layer in f.layers]
            result = _layer_result(row, layer, group_blocks(own), reproduction)
            if result is None and row.layers[layer].get("violated"):  # by findings of the baseline only
                result = Skipped(escape_unprintable(f"known: {list_known(report, row.rule.id)[row.rule.id]}"))
            yield _build_case(group, f"{row.rule.id}[{layer}]", result, _share_of_time(report, row, layer))
        if not ran:
            text = escape_unprintable(f"{verdict_label(row)}: {row.reason}")
            yield _build_case(group, row.rule.id, Skipped(text))


def _share_of_time(report: Report, row: RuleVerdict, layer: Layer) -> float:
    """Return the share of a rule in the time of a layer, by its number of cases: they run at the same time."""
    summary = report.layers.get(layer)
    if summary is None or not summary.cases:
        return 0.0
    return round(summary.seconds * sum(row.layers[layer].values()) / summary.cases, 6)


def _iter_run_cases(report: Report) -> Iterator[TestCase]:
    """Yield cases for expired waivers, departures from a profile, and a run without a verdict or cut short."""
    for waiver in report.expired:
        failure = Failure(
            escape_unprintable(f"the waiver expired on {waiver.until}: {waiver.reason}"), "expired"
        )
        yield _build_case("contract.waivers", f"{waiver.rule}[waiver]", failure)
    for departure in report.departures:
        text = escape_unprintable(format_departure(departure))
        result = Failure(text, "drift") if departure in report.drift else Skipped(text)
        yield _build_case("contract.profile", departure.choice, result)
    if reason := explain_unjudged(report):
        yield _build_case("contract.run", "whole run", Error(escape_unprintable(reason), "not judged"))
    elif report.cut_short:
        yield _build_case("contract.run", "whole run", Skipped(escape_unprintable(report.cut_short)))


def _build_case(group: str, name: str, result: Outcome | None, seconds: float = 0.0) -> TestCase:
    case = TestCase(name, group, seconds)
    if result is not None:
        case.result = [result]
    return case


def _layer_result(
    row: RuleVerdict, layer: Layer, blocks: Sequence[Block], reproduction: Reproduction
) -> Outcome | None:
    """Return the result of a layer; it passes only if the rule conforms and the layer proved something."""
    if blocks:
        failure = Failure(escape_unprintable(_failure_message(blocks)), "violated")
        texts = (_format_block(block, reproduction) for block in blocks)
        failure.text = escape_unprintable("\n\n".join(texts))
        return failure
    name = verdict_label(row)
    if name in _SKIPPED:
        return Skipped(escape_unprintable(f"{name}: {row.reason}"))
    outcomes = row.layers[layer]
    if outcomes.get("passed"):
        return None
    return Skipped(f"{'inconclusive' if outcomes.get('inconclusive') else 'not observed'} in this layer")


def _failure_message(blocks: Sequence[Block]) -> str:
    more = f" (and {len(blocks) - 1} more)" if len(blocks) > 1 else ""
    return f"{blocks[0].operations}: {blocks[0].reason}: {blocks[0].summary}{more}"


def _format_block(block: Block, reproduction: Reproduction) -> str:
    first = block.findings[0]
    lines = [f"{block.rule.statement} [{block.rule.source}]", f"{block.operations}: {block.reason}"]
    if block.story:
        lines.append(f"What happened: {block.story}")
    lines += [f"{name}: received {got}, expected {wanted}" for name, got, wanted in block.differences] or [
        f"Received: {first.received}",
        f"Expected: {format_expectation(first)}",
    ]
    lines.append(f"What to change: {suggest_change(first)}")
    for finding in block.findings:
        lines.append(f"{name_operation(finding).capitalize()}, {finding.id}:")
        lines += [f"  {line}" for line in block.list_examples(finding)]
        lines += [reproduction.replay(finding), *reproduction.commands(finding)]
    return "\n".join(lines)
