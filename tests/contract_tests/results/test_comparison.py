"""Comparison of two runs by their findings."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from contract_tests.cases.model import Case, Step
from contract_tests.contract.rules import load_catalogue
from contract_tests.results.aggregate import Aggregate
from contract_tests.results.comparison import (
    KnownFinding,
    ReportSummary,
    compare_reports,
    format_age,
    load_report,
)
from contract_tests.results.finding_keys import FindingKey
from contract_tests.results.findings import build_findings
from contract_tests.results.judge import Judgement
from contract_tests.results.observation import Observation

CATALOGUE = load_catalogue()
STARTED = "2026-11-28T00:00:00+00:00"
CREATE = Step("createContainer", expect="refuse")
ACCEPTED = "accepted a request that breaks this rule"


def observe(
    rule: str, reason: str = ACCEPTED, steps: tuple[Step, ...] = (CREATE,), value: str = ""
) -> Observation:
    """Build one violation."""
    named = ("createContainer", "deployed", value) if value else None
    return Observation(Case(f"{rule}/1", rule, "cases", steps, named), Judgement("violated", rule, reason))


def summarize(*observations: Observation, judged: frozenset[str] = frozenset(CATALOGUE)) -> ReportSummary:
    """Return the summary of a report with the findings of some violations."""
    findings = build_findings(Aggregate.of(observations).deviations.values(), CATALOGUE)
    known = (KnownFinding(k, STARTED, f.severity == "note") for f in findings for k in f.keys)
    return ReportSummary("old", STARTED, tuple(known), judged)


def compare(earlier: ReportSummary, now: ReportSummary) -> dict[str, list[str]]:
    """Compare two reports, and return the rules in each part of the comparison."""
    groups = compare_reports(earlier, now).keys
    return {name: [key.rule for key in keys] for name, keys in groups.items() if keys}


PORT, SLUG, TEAM = (observe(rule) for rule in ("exposed-port-range", "slug-unique", "team-scope"))


def test_findings_are_new_fixed_or_still_there() -> None:
    """A finding in one report only is new or fixed; one in both is still broken."""
    assert compare(summarize(PORT, SLUG), summarize(SLUG, TEAM)) == {
        "new": ["team-scope"],
        "fixed": ["exposed-port-range"],
        "still broken": ["slug-unique"],
    }


def test_rule_without_a_verdict_is_not_fixed() -> None:
    """A finding that is gone is no longer judged, not fixed, if its rule has no verdict now."""
    assert compare(summarize(SLUG), summarize(judged=frozenset())) == {"no longer judged": ["slug-unique"]}


def test_an_assumed_rule_is_chosen_otherwise() -> None:
    """A note that only one report has is a choice: neither new nor fixed; one that both have is left out."""
    choice = observe("gpu-count-range")
    expected = {"chosen otherwise": ["gpu-count-range"]}
    assert compare(summarize(choice), summarize()) == compare(summarize(), summarize(choice)) == expected
    assert compare(summarize(choice), summarize(choice)) == {}


@pytest.mark.parametrize(
    "second",
    [
        observe("texts-unbounded", "a server error is never correct", value="usage_prompt"),
        observe("texts-unbounded", value="env_config"),
        observe("texts-unbounded", steps=(CREATE, Step("updateContainer", expect="refuse"))),
        observe("texts-unbounded", steps=(CREATE, Step("updateContainer"), CREATE)),
        observe("texts-unbounded"),
    ],
    ids=["what was seen", "property", "operation", "requests before", "less specific"],
)
def test_second_fault_of_a_rule_is_new(second: Observation) -> None:
    """A finding on the same rule is new if the kind of input or what was seen differs, also for the same reason."""
    known = observe("texts-unbounded", value="usage_prompt")
    assert compare(summarize(known), summarize(known, second)) == {
        "new": ["texts-unbounded"], "still broken": ["texts-unbounded"],
    }  # fmt: skip


def test_a_less_specific_finding_hides_no_other() -> None:
    """A known finding without a property is no excuse for one that names a property."""
    known, second = observe("texts-unbounded"), observe("texts-unbounded", value="env_config")
    assert compare(summarize(known), summarize(second)) == {
        "new": ["texts-unbounded"], "fixed": ["texts-unbounded"],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("started", "age"),
    [
        ("2026-11-29T08:00:00+00:00", "known since 2026-11-02, 27 days"),
        ("2026-11-03T00:00:00+00:00", "known since 2026-11-02, 1 day"),
        ("2026-11-02T23:00:00", "known since 2026-11-02"),
        ("2026-10-02T23:00:00+00:00", "known since 2026-11-02"),
    ],
)
def test_age_is_in_days_of_the_calendar(started: str, age: str) -> None:
    """The age is the number of days between the first and this run, left out if there are none."""
    assert format_age("2026-11-02T23:59:00+00:00", started) == age


KEY = {"rule": "slug-unique", "input": "i", "seen": "s"}
FIRST = "2026-11-02T00:00:00+00:00"


def _write_report(path: Path, **changes: Any) -> Path:
    finding = {**KEY, "severity": "note", "first_seen": FIRST}
    path.write_text(json.dumps({"started": STARTED, "findings": [], "finding_keys": [finding], **changes}))
    return path


def test_earlier_report_is_named_by_its_file_or_folder(tmp_path: Path) -> None:
    """The file and its folder give the same findings, each with the time of the first run that saw it."""
    file = _write_report(tmp_path / "report.json")
    known = KnownFinding(FindingKey(**KEY), FIRST, is_choice=True)
    assert load_report(file).findings == load_report(tmp_path).findings == (known,)


def test_rules_with_a_verdict_are_read(tmp_path: Path) -> None:
    """A rule with a verdict is judged; another has its reason."""
    rules = [
        {"rule": "a", "verdict": "known", "reason": ""},
        {"rule": "b", "verdict": "not observed", "reason": "no"},
    ]
    summary = load_report(_write_report(tmp_path / "report.json", rules=rules))
    assert (summary.judged, summary.reasons) == ({"a"}, {"b": "no"})


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "No such file or directory; name the report.json of a run, or its folder"),
        ("<xml>", "is not JSON, or only a part of it; name the report.json of a run"),
        ("[]", "report: expected object"),
        ('{"started": "x", "findings": [], "finding_keys": [{}]}', "'rule' is a required property"),
        ('{"started": "yesterday", "findings": [], "finding_keys": []}', "expected times such as 2026-"),
        (
            '{"started": "x", "findings": []}',
            "lacks finding_keys, .* run without it, and keep the report.json of that run",
        ),
        (
            '{"case": {}, "exchanges": []}',
            "is a finding, not a report of `contract-tests run`; name the report",
        ),
    ],
    ids=["missing", "not JSON", "array", "key without a property", "time", "older", "another kind"],
)
def test_unusable_report_is_one_line(tmp_path: Path, content: str | None, problem: str) -> None:
    """A file that is missing or no report is a ValueError that names the file and the problem."""
    file = tmp_path / "report.json"
    if content is not None:
        file.write_text(content)
    with pytest.raises(ValueError, match=problem) as error:
        load_report(file)
    assert str(file) in str(error.value)


def test_a_comparison_knows_whether_it_is_with_a_baseline() -> None:
    """The same lists are made for a baseline."""
    earlier, now = summarize(PORT), summarize(PORT, SLUG)
    with_baseline = compare_reports(earlier, now, is_baseline=True)
    assert replace(with_baseline, is_baseline=False) == compare_reports(earlier, now)
