"""What results add up to: findings, verdicts, waivers; and the ledger of what was created."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from contract_tests.cases.model import Case, Step
from contract_tests.contract.rules import load_catalogue
from contract_tests.execution.created_log import CreatedLog
from contract_tests.results.aggregate import Aggregate
from contract_tests.results.findings import build_findings
from contract_tests.results.judge import Judgement
from contract_tests.results.observation import Observation
from contract_tests.results.verdict import decide_verdicts
from contract_tests.results.waivers import Waiver, WaiversError, load_waivers

CATALOGUE = load_catalogue()
ID = "0192f0c1-9a8b-7c6d-9e5f-404142434445"


def result(
    rule: str, outcome: Any, layer: Any = "cases", expect: Any = "refuse", reason: str = "why"
) -> Observation:
    """A result as a player would hand it out."""
    case = Case(f"{rule}-{outcome}", rule, layer, (Step(expect=expect),))
    return Observation(case, Judgement(outcome, rule, reason))


def verdict_on(
    rule: str, *results: Observation, strict: bool = False, waiver: Waiver | None = None
) -> tuple[str, bool]:
    """The verdict on a rule, and whether it fails the run."""
    rows, _ = decide_verdicts(
        Aggregate.of(results), CATALOGUE, {rule: waiver} if waiver else {}, strict=strict
    )
    row = next(row for row in rows if row.rule.id == rule)
    return row.verdict, row.fails


def test_a_verdict_needs_something_that_could_have_failed() -> None:
    """A constraint conforms only where something was refused for it; what proves nothing is said to."""
    rule = "exposed-port-range"
    assert verdict_on(rule) == ("not observed", False)
    assert verdict_on(rule, result(rule, "passed", expect="accept")) == ("not observed", False)
    assert verdict_on(rule, result(rule, "inconclusive")) == ("inconclusive", False)
    assert verdict_on(rule, result(rule, "passed"), result(rule, "inconclusive")) == ("conforms", False)
    assert verdict_on(rule, result(rule, "passed"), result(rule, "violated")) == ("violated", True)


def test_an_assumed_rule_fails_only_when_asked() -> None:
    """An assumed rule that is chosen otherwise is a note, unless --strict."""
    rule = "auth-known"
    assert verdict_on(rule, result(rule, "violated")) == ("violated", False)
    assert verdict_on(rule, result(rule, "violated"), strict=True) == ("violated", True)


def test_a_waiver_holds_until_its_day() -> None:
    """A violated rule is waived while the waiver lasts, and violated again after."""
    rule = "slug-unique"
    future, past = Waiver(rule, "known", date(2999, 1, 1)), Waiver(rule, "known", date(2020, 1, 1))
    assert verdict_on(rule, result(rule, "violated"), waiver=future) == ("waived", False)
    assert verdict_on(rule, result(rule, "violated"), waiver=past) == ("violated", True)


def test_a_rule_seen_through_a_broken_one_is_inconclusive() -> None:
    """Where slugs are not unique, nothing can be said of whether they change."""
    both = [result("slug-unique", "violated"), result("slug-immutable", "violated")]
    assert verdict_on("slug-immutable", *both) == ("inconclusive", False)
    assert verdict_on("slug-immutable", both[1]) == ("violated", True)


def test_the_same_deviation_is_one_finding() -> None:
    """Cases that show the same deviation of a rule on an operation are one finding with their number."""
    same = [result("slug-unique", "violated") for _ in range(3)]
    other = result("slug-unique", "violated", reason="otherwise")
    assert [
        finding.count
        for finding in build_findings(Aggregate.of([*same, other]).deviations.values(), CATALOGUE)
    ] == [3, 1]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "not YAML"),
        ("rule: a", "not a list"),
        ("[{rule: slug-unique}]", "needs rule, reason and until"),
        ("[{rule: none, reason: r, until: 2030-01-01}]", "unknown rule 'none'"),
        ("[{rule: slug-unique, reason: r, until: soon}]", "not a date"),
    ],
)
def test_a_waivers_file_that_cannot_be_used_says_why(tmp_path: Path, text: str, says: str) -> None:
    """A waivers file that cannot be used is refused in one line."""
    file = tmp_path / "waivers.yaml"
    file.write_text(text)
    with pytest.raises(WaiversError, match=says):
        load_waivers(file, CATALOGUE)


def test_the_ledger_is_written_before_the_answer(tmp_path: Path) -> None:
    """A create is in the ledger's file as soon as it goes out, and once more when it is answered."""
    path = tmp_path / "ledger.jsonl"
    created_log = CreatedLog(path)
    created_log.log_sending("me", "a-slug")
    before = [json.loads(line)["event"] for line in path.read_text().splitlines()]
    created_log.log_created("me", "a-slug", ID)
    after = [json.loads(line)["event"] for line in path.read_text().splitlines()]
    created_log.close()
    assert (before, after, created_log.count) == (["sending"], ["sending", "created"], 1)
