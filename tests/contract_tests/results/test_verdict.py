"""Verdicts from observations."""

from datetime import date
from typing import Any

import pytest

from contract_tests.cases.model import Case, Step
from contract_tests.contract.rules import load_catalogue
from contract_tests.contract.waivers import Waiver
from contract_tests.results.aggregate import Aggregate
from contract_tests.results.judge import ID_ERRORS, Judgement
from contract_tests.results.observation import Observation
from contract_tests.results.verdict import decide_verdicts

CATALOGUE = load_catalogue()


def build_observation(
    rule: str, outcome: Any, layer: Any = "cases", expect: Any = "refuse", reason: str = "why"
) -> Observation:
    """Build an observation."""
    case = Case(f"{rule}-{outcome}", rule, layer, (Step(expect=expect),))
    return Observation(case, Judgement(outcome, rule, reason))


def decide_one(
    rule: str, *results: Observation, strict: bool = False, waiver: Waiver | None = None
) -> tuple[str, bool]:
    """Return the verdict on a rule, and whether it fails the run."""
    rows, _ = decide_verdicts(
        Aggregate.of(results), CATALOGUE, {rule: waiver} if waiver else {}, strict=strict
    )
    row = next(row for row in rows if row.rule.id == rule)
    return row.verdict, row.fails


def test_verdict_needs_a_case_that_could_have_failed() -> None:
    """A constraint conforms only after a refusal; anything that proves nothing is reported as such."""
    rule = "exposed-port-range"
    assert decide_one(rule) == ("not observed", False)
    assert decide_one(rule, build_observation(rule, "passed", expect="accept")) == ("not observed", False)
    assert decide_one(rule, build_observation(rule, "inconclusive")) == ("inconclusive", False)
    assert decide_one(rule, build_observation(rule, "passed"), build_observation(rule, "inconclusive")) == (
        "inconclusive",
        False,
    )
    assert decide_one(rule, build_observation(rule, "passed"), build_observation(rule, "violated")) == (
        "violated",
        True,
    )


@pytest.mark.parametrize(("server_error", "verdict"), [(False, "inconclusive"), (True, "violated")])
def test_a_wrong_id_of_a_create_hides_no_server_error(*, server_error: bool, verdict: str) -> None:
    """A refusal of an update by a wrong id proves nothing; a 5xx is wrong for any id."""
    create = Observation(
        Case("c", "created", "wire", (Step(),)), Judgement("violated", "created", ID_ERRORS[0])
    )
    judgement = Judgement("violated", "updated", "why", server_error=server_error)
    update = Observation(Case("u", "updated", "wire", (Step("updateContainer"),)), judgement)
    assert decide_one("updated", create, update)[0] == verdict


def test_assumed_rule_fails_only_with_strict() -> None:
    """A violated assumed rule is a note, unless --strict is given."""
    rule = "auth-known"
    assert decide_one(rule, build_observation(rule, "violated")) == ("violated", False)
    assert decide_one(rule, build_observation(rule, "violated"), strict=True) == ("violated", True)


def test_the_reason_is_the_waiver_only_while_it_lasts() -> None:
    """The verdict of a waived rule quotes the waiver; once it has expired, it says what was wrong."""
    rule = "team-uuid"
    violated = Aggregate.of([build_observation(rule, "violated", reason="what was wrong")])
    reasons = []
    for last_day in (date(2999, 1, 1), date(2020, 1, 1)):
        rows, _ = decide_verdicts(violated, CATALOGUE, {rule: Waiver(rule, "known", last_day)})
        reasons.append(next(row.reason for row in rows if row.rule.id == rule))
    assert reasons == ["known (until 2999-01-01)", "what was wrong"]


def test_waiver_ends_after_its_last_day() -> None:
    """A violated rule is waived until the waiver's last day, and violated again after it."""
    rule = "slug-unique"
    future, past = Waiver(rule, "known", date(2999, 1, 1)), Waiver(rule, "known", date(2020, 1, 1))
    assert decide_one(rule, build_observation(rule, "violated"), waiver=future) == ("waived", False)
    assert decide_one(rule, build_observation(rule, "violated"), waiver=past) == ("violated", True)


def test_rule_observed_through_a_broken_one_is_inconclusive() -> None:
    """While slugs are not unique, their immutability cannot be judged."""
    both = [build_observation("slug-unique", "violated"), build_observation("slug-immutable", "violated")]
    assert decide_one("slug-immutable", *both) == ("inconclusive", False)
    assert decide_one("slug-immutable", both[1]) == ("violated", True)
    passed = build_observation("slug-immutable", "passed", expect="accept")
    assert decide_one("slug-immutable", passed, *both) == ("inconclusive", False)


def build_wrong_value(rule: str, operation: Any, *names: str) -> Observation:
    """Build the observation of a read-back that shows wrong values of some properties."""
    case = Case(rule, rule, "lifecycle", (Step(operation), Step("readContainer")))
    differences = tuple((name, "1", "2") for name in names)
    return Observation(case, Judgement("violated", rule, "another value", differences=differences))


@pytest.mark.parametrize(
    ("created", "updated", "verdict"),
    [
        (("display_name",), ("display_name",), "inconclusive"),
        (("display_name", "gpu_count"), ("gpu_count",), "inconclusive"),
        (("display_name",), ("gpu_count",), "violated"),
        (("display_name",), ("display_name", "gpu_count"), "violated"),
        ((), ("gpu_count",), "inconclusive"),
    ],
)
def test_a_wrong_value_follows_only_from_a_rule_broken_for_the_same_property(
    created: tuple[str, ...], updated: tuple[str, ...], verdict: str
) -> None:
    """A waived fault of one property does not hide that an update loses another."""
    waiver = Waiver("created-stored", "known", date(2999, 1, 1))
    results = (
        build_observation("updated-stored", "passed", "lifecycle", "accept"),
        build_wrong_value("created-stored", "createContainer", *created),
        build_wrong_value("updated-stored", "updateContainer", *updated),
    )
    rows, _ = decide_verdicts(Aggregate.of(results), CATALOGUE, {"created-stored": waiver})
    verdicts = {row.rule.id: row.verdict for row in rows}
    assert (verdicts["created-stored"], verdicts["updated-stored"]) == ("waived", verdict)


def build_accepted(rule: str, body: dict[str, Any], *, server_error: bool = False) -> Observation:
    """Build the observation of a create without a valid display_name that was not refused."""
    step = Step("createContainer", body=body, expect="refuse")
    case = Case(rule, rule, "cases", (step,), value=("createContainer", "deployed", "display_name"))
    return Observation(case, Judgement("violated", rule, "why", server_error=server_error))


@pytest.mark.parametrize(
    ("value", "server_error", "verdict"),
    [(None, False, "inconclusive"), (None, True, "violated"), (7, False, "violated")],
)
def test_a_null_follows_from_a_property_that_may_be_left_out(
    value: object, server_error: bool, verdict: str
) -> None:
    """A deployment may read null as no value: where display_name may be left out, its type is not broken by that."""
    missing = build_accepted("display-name-required", {})
    wrong = build_accepted("display-name-type", {"display_name": value}, server_error=server_error)
    assert decide_one("display-name-type", missing, wrong) == (verdict, verdict == "violated")
    assert decide_one("display-name-type", wrong) == ("violated", True)


def test_a_budget_is_the_reason_of_what_it_left_out() -> None:
    """A rule whose cases were left out does not blame a caller, and one that was decided names no budget."""
    left_out = ("slug-unique", "team-scope", "exposed-port-range")
    results = [
        build_observation("team-scope", "not observed", reason="needs a dk- caller"),
        build_observation("exposed-port-range", "passed"),
    ]
    rows, _ = decide_verdicts(Aggregate.of(results), CATALOGUE, {}, left_out=left_out)
    reasons = {row.rule.id: row.reason for row in rows}
    assert reasons["slug-unique"] == "left out by --budget"
    assert reasons["team-scope"] == "needs a dk- caller; other cases: left out by --budget"
    assert reasons["exposed-port-range"] == ""
    assert reasons["created"] == "no case of this rule was run"
