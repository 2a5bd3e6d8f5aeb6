"""The last line of a run."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from contract_tests.reports.content.headline import format_last_line
from contract_tests.results.verdict import Report
from tests.support.reports import build_faulty_report

UNUSABLE = ("sk-red (401: check its token)", "jwt-red (403: check `teams` of jwt-red in the callers file)")


def _clear(report: Report) -> Report:
    return replace(
        report,
        expired=(),
        findings=(),
        verdicts=tuple(replace(v, verdict="conforms", severity="") for v in report.verdicts),
    )


def _leave_unjudged(report: Report) -> Report:
    verdicts = tuple(replace(v, verdict="not observed", severity="") for v in report.verdicts)
    return replace(report, expired=(), findings=(), verdicts=verdicts)


@pytest.mark.parametrize(
    ("change", "start"),
    [(_clear, "CONFORMS in 83"), (_leave_unjudged, "NOT JUDGED: only 0"), (lambda report: report, "VIOLATED in")],
    ids=["conforms", "not-judged", "violated"],
)  # fmt: skip
def test_a_caller_that_could_not_be_used_is_named_whatever_the_outcome(
    change: Callable[[Report], Report], start: str
) -> None:
    """A wrong token may be the reason for an outcome, so the only line of --quiet has it."""
    line = format_last_line(replace(change(build_faulty_report()), unusable_callers=UNUSABLE))
    assert line.startswith(start)
    assert f", without {', '.join(UNUSABLE)}: " in line
