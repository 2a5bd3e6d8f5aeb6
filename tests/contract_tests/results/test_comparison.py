"""Comparison of two runs by their findings."""

import json
from pathlib import Path
from typing import Any

import pytest

from contract_tests.cases.model import Case, Step, case_to_json
from contract_tests.contract.rules import load_catalogue
from contract_tests.results.aggregate import Aggregate
from contract_tests.results.comparison import (
    EarlierReport,
    FindingKey,
    build_key,
    compare_findings,
    load_earlier_report,
)
from contract_tests.results.findings import Finding, build_findings
from contract_tests.results.judge import Judgement
from contract_tests.results.observation import Observation

CATALOGUE = load_catalogue()
CREATE = Step("createContainer", expect="refuse")
ACCEPTED = "accepted a request that breaks this rule"


def build_finding(
    rule: str, reason: str = ACCEPTED, steps: tuple[Step, ...] = (CREATE,), value: str = ""
) -> Finding:
    """Build the finding of one violation."""
    named = ("createContainer", "deployed", value) if value else None
    case = Case(f"{rule}/1", rule, "cases", steps, named)
    seen = Aggregate.of([Observation(case, Judgement("violated", rule, reason))])
    return build_findings(seen.deviations.values(), CATALOGUE)[0]


def compare(
    earlier: list[Finding], now: list[Finding], judged: set[str] | None = None
) -> dict[str, list[str]]:
    """Compare two lists of findings, and return the rules in each part of the comparison."""
    report = EarlierReport("old", "then", frozenset(map(build_key, earlier)))
    result = compare_findings(report, now, judged if judged is not None else set(CATALOGUE))
    parts = {"new": result.new, "still": result.still, "fixed": result.fixed, "unjudged": result.unjudged}
    return {name: [key.rule for key in keys] for name, keys in parts.items() if keys}


def test_findings_are_new_fixed_or_still_there() -> None:
    """A finding in one report only is new or fixed; one in both is still there."""
    port, slug, team = (build_finding(rule) for rule in ("exposed-port-range", "slug-unique", "team-scope"))
    assert compare([port, slug], [slug, team]) == {
        "new": ["team-scope"],
        "still": ["slug-unique"],
        "fixed": ["exposed-port-range"],
    }


def test_rule_without_a_verdict_is_not_fixed() -> None:
    """A finding that is gone is no longer judged, not fixed, if its rule has no verdict now."""
    assert compare([build_finding("slug-unique")], [], judged=set()) == {"unjudged": ["slug-unique"]}


@pytest.mark.parametrize(
    "second",
    [
        build_finding("texts-unbounded", "a server error is never correct", value="usage_prompt"),
        build_finding("texts-unbounded", value="env_config"),
        build_finding("texts-unbounded", steps=(CREATE, Step("updateContainer", expect="refuse"))),
    ],
    ids=["what was seen", "property", "requests"],
)
def test_second_fault_of_a_rule_is_new(second: Finding) -> None:
    """A finding on the same rule is new if the kind of input or what was seen differs."""
    known = build_finding("texts-unbounded", value="usage_prompt")
    assert compare([known], [known, second]) == {"new": ["texts-unbounded"], "still": ["texts-unbounded"]}


def test_how_often_is_not_part_of_the_key() -> None:
    """Numbers in a reason, such as how often something was seen, make no finding new."""
    reasons = [f"refused a request that this rule allows, {number} of 6 times" for number in (4, 5)]
    first, second = (build_finding("updated", reason) for reason in reasons)
    assert compare([first], [second]) == {"still": ["updated"]}


def _write_report(path: Path, **changes: Any) -> Path:
    case = Case("c", "slug-unique", "cases", (CREATE,))
    finding = {
        "rule": "slug-unique",
        "operation": "createContainer",
        "reason": "why",
        "case": case_to_json(case),
    }
    path.write_text(json.dumps({"started": "2026-11-28T00:00:00+00:00", "findings": [finding], **changes}))
    return path


def test_earlier_report_is_named_by_its_file_or_folder(tmp_path: Path) -> None:
    """The file and its folder give the same keys."""
    file = _write_report(tmp_path / "report.json")
    key = FindingKey("slug-unique", "create in one request", "why")
    assert load_earlier_report(file).keys == load_earlier_report(tmp_path).keys == {key}


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "No such file"),
        ("<xml>", "is not JSON; name the report.json of an earlier run"),
        ("[]", "report: expected object"),
        ('{"started": "x", "findings": [{"rule": "a"}]}', "'operation' is a required property"),
    ],
)
def test_unusable_report_is_one_line(tmp_path: Path, content: str | None, problem: str) -> None:
    """A file that is missing or no report is a ValueError that names the file and the problem."""
    file = tmp_path / "report.json"
    if content is not None:
        file.write_text(content)
    with pytest.raises(ValueError, match=problem) as error:
        load_earlier_report(file)
    assert str(file) in str(error.value)
