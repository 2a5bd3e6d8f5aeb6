"""The last line of a run."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from contract_tests.reports.content.headline import format_confidence, format_last_line
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


@pytest.mark.parametrize(
    ("tries", "start", "end"),
    [
        ((1, 1, 1), "How sure: each rule that conforms stands on 1 try or more, so ", " (95 %)"),
        (
            (3, 12, 12),
            "How sure: most rules that conform stand on 12 tries or more, so ",
            "; the least has 3 tries, for 63 %",
        ),
    ],
    ids=["all-alike", "some-less"],
)
def test_the_least_is_named_only_if_it_is_less(tries: tuple[int, ...], start: str, end: str) -> None:
    """A small budget leaves one try to most rules: that is also the least."""
    report = build_faulty_report()
    rows = tuple(replace(row, tries=number) for row, number in zip(report.verdicts, tries, strict=False))
    line = format_confidence(replace(report, verdicts=rows))
    assert (line.startswith(start), line.endswith(end)) == (True, True)
