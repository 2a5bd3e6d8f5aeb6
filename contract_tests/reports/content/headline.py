"""The last line of a run: the verdict, how much was judged, and how sure it is."""

from typing import Literal

from contract_tests.reports.content.common import format_counts
from contract_tests.results.statistics import excluded_rate, format_percent
from contract_tests.results.verdict import Report

Tone = Literal["conforms", "violated", "inconclusive"]
#: Share of all rules below which a run that found nothing has judged little.
_LITTLE = 0.5


def format_headline(report: Report) -> str:
    """Return the outcome in a word or two, consistent with the exit code."""
    so_far = " so far" if report.cut_short == "interrupted" else ""
    if _only_departs(report):
        return f"DEPARTS FROM ITS PROFILE{so_far}"
    if only_waivers_fail(report):
        return f"WAIVER EXPIRED{so_far}"
    if report.exit_code == 1:
        return f"VIOLATED{so_far}"
    if report.judged_too_little and (report.cut_short != "interrupted" or not report.judged):
        return "NOT JUDGED"
    outcome = "NOTHING NEW" if any(row.verdict == "known" for row in report.verdicts) else "CONFORMS"
    return f"{outcome}{so_far}"


def format_extent(report: Report) -> str:
    """Return the outcome, and how much of the contract it is about: ``CONFORMS in 76 of 83 rules``.

    It names the callers that could not be used, whatever the outcome.
    """
    unused = f", without {', '.join(report.unusable_callers)}" if report.unusable_callers else ""
    return f"{_count_rules(report)}{unused}"


def _count_rules(report: Report) -> str:
    headline, of = format_headline(report), f"{len(report.verdicts)} rules"
    if _only_departs(report):
        return f"{headline} in {_count(len(report.drift), 'choice', 'choices')}"
    if only_waivers_fail(report):
        return f"{headline} for {_count(len(report.expired), 'rule', 'rules')}"
    if report.exit_code == 1:
        return f"{headline} in {sum(row.fails for row in report.verdicts)} of {of}"
    if headline == "NOT JUDGED" and 0 < report.judged == len(report.verdicts):
        return f"{headline} to its end, but in {report.judged} of {of}"
    if headline == "NOT JUDGED":
        return f"{headline}: only {report.judged} of {of} could be judged"
    return f"{headline} in {report.judged} of {of}"


def _only_departs(report: Report) -> bool:
    """Return whether nothing but departures from the profile fails a run."""
    return bool(report.drift) and not report.expired and not any(row.fails for row in report.verdicts)


def only_waivers_fail(report: Report) -> bool:
    """Return whether expired waivers fail a run, and nothing else does."""
    return bool(report.expired) and not report.drift and not any(row.fails for row in report.verdicts)


def explain_unjudged(report: Report) -> str:
    """Return why a run ends with an exit code of no verdict; an empty string if it has one."""
    if report.exit_code in (0, 1):
        return ""
    if report.cut_short and not report.stopped_as_asked:
        return report.cut_short
    if report.unusable_callers:
        return f"not judged: {', '.join(report.unusable_callers)}"
    judged = f"{report.judged} of {len(report.verdicts)} rules"
    return f"not judged: less than {report.min_judged:.0%} of the tried rules: {judged}"


def choose_tone(report: Report) -> Tone:
    """Return the colour of the outcome; one that rests on little has that of an inconclusive rule."""
    if report.exit_code == 1:
        return "violated"
    little = (
        format_headline(report) == "NOT JUDGED"
        or report.unusable_callers
        or report.cut_short == "interrupted"
    )
    return "inconclusive" if little or report.judged < _LITTLE * len(report.verdicts) else "conforms"


def format_last_line(report: Report) -> str:
    """Return the outcome in one line."""
    counts = format_counts(report.count_verdicts())
    return (
        f"{format_extent(report)}: {counts}; {report.requests} requests in {report.seconds:.1f} s, "
        f"{report.created} services created"
    )


def format_confidence(report: Report) -> str:
    """Return how sure the conforming rules are, in one line; an empty string without any."""
    tries = sorted(row.tries for row in report.verdicts if row.tries)
    if not tries:
        return ""
    most, least = tries[(len(tries) - 1) // 2], tries[0]
    rules = "each rule that conforms stands" if most == least else "most rules that conform stand"
    proven = (
        f"a fault in over {_percent(most)} of {'its' if most == least else 'their'} requests would have shown"
    )
    rest = f"; the least has {_count(least, 'try', 'tries')}, for {_percent(least)}" if least < most else ""
    return f"How sure: {rules} on {_count(most, 'try', 'tries')} or more, so {proven} (95 %){rest}"


def _count(number: int, one: str, more: str) -> str:
    return f"{number} {one if number == 1 else more}"


def _percent(tries: int) -> str:
    return f"{format_percent(excluded_rate(tries))} %"
