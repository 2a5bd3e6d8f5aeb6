"""One test per rule, on the verdicts of the plugin's run."""

import pytest

from contract_tests.reports.content.blocks import format_example
from contract_tests.reports.content.common import escape_console
from contract_tests.results.findings import Finding
from contract_tests.results.verdict import Report, RuleVerdict


def test_rule(rule: str, verdict: RuleVerdict, contract_report: Report, pytestconfig: pytest.Config) -> None:
    """The target conforms to the rule."""
    if verdict.fails:
        folder = pytestconfig.getoption("--report", None)
        place = folder and str(folder / "findings")
        own = [finding for finding in contract_report.findings if finding.rule.id == rule]
        shown = [
            "\n".join(
                (
                    f.reason,
                    *_tell(f),
                    f"Received: {f.received}",
                    f"Expected: {f.expected}",
                    *f.list_commands(place),
                )
            )
            for f in own
        ]
        text = f"{verdict.rule.statement}\n" + "\n\n".join(shown)
        pytest.fail(escape_console(text), pytrace=False)
    if verdict.verdict == "violated":
        pytest.skip(escape_console(f"only assumed, and the target differs: {verdict.reason}"))
    if verdict.verdict != "conforms":
        pytest.skip(escape_console(f"{verdict.verdict}: {verdict.reason}"))


def _tell(finding: Finding) -> list[str]:
    """Return what happened, or the value that was sent."""
    if finding.story:
        return [f"Happened: {finding.story}"]
    return [f"Sent: {format_example(finding.examples[0])}"] if finding.examples else []
