"""Every rule of the catalogue is enforced in one place, has its fixtures and its row."""

from collections import Counter

import pytest

from mock_server.contract import document, lint, loader, model, resources, rules_page
from mock_server.pipeline.mock import RULES_IN_CODE
from tests.support.fixture_player import ROOT, RULES, cases, load

DOCUMENT = load("spec/openapi.yaml")
WHOLE = document.inline_references(DOCUMENT)
BY_KEYWORD = {rule for place in lint.iter_request_keywords(WHOLE) for rule in place.rules}
CASES = Counter((case.rule, case.expect) for case in cases())
PAGE = (ROOT / "docs/rules.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_is_enforced_in_exactly_one_place(rule: str) -> None:
    """Either keywords of the contract say it, or one function named after it does."""
    assert (rule in BY_KEYWORD) + RULES_IN_CODE.count(rule) == 1


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_has_the_cases_of_its_kind(rule: str) -> None:
    """A constraint is seen refused and nearly refused; a permission or an effect is seen."""
    if RULES[rule]["kind"] == "constraint":
        assert CASES[rule, "refuse"] >= 1 <= CASES[rule, "accept"]
    else:
        assert CASES[rule, "refuse"] + CASES[rule, "accept"] >= 1


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_has_one_row_in_the_page(rule: str) -> None:
    """docs/rules.md has one row that begins with the rule's id."""
    assert PAGE.count(f"\n| `{rule}` |") == 1


@pytest.mark.parametrize("rule", RULES)
def test_an_entry_of_the_catalogue_is_whole(rule: str) -> None:
    """Kind and grades are of their lists; a constraint has its stage and the statuses of its refusal."""
    entry = RULES[rule]
    assert entry["kind"] in model.KINDS
    assert entry["grade"] in model.GRADES
    if entry["kind"] != "effect":
        assert entry["stage"] in model.STAGES
        assert entry["status_grade"] in model.GRADES
        assert all(400 <= status < 500 for status in entry["status"])
    else:
        assert "stage" not in entry


def test_the_page_of_rules_is_up_to_date() -> None:
    """docs/rules.md is what `mock-server rules --markdown` prints."""
    loaded = loader.load_contract(resources.find_resource("spec/openapi.yaml"))
    assert rules_page.rules_markdown(loaded.rules, loaded.operations) == PAGE


def test_no_case_is_of_a_rule_that_does_not_exist() -> None:
    """Each case names a rule of the catalogue."""
    assert {rule for rule, _ in CASES} <= set(RULES)


def test_the_ids_of_the_cases_are_unique() -> None:
    """No two cases have the same id."""
    assert [name for name, count in Counter(case.id for case in cases()).items() if count > 1] == []


def test_the_names_of_the_contract_meet() -> None:
    """Each keyword names a rule, each rule is enforced, and none is named that does not exist."""
    assert list(lint.find_problems(DOCUMENT, RULES, frozenset(RULES_IN_CODE))) == []


PLACES = [*lint.iter_request_keywords(WHOLE), *lint.iter_response_keywords(WHOLE)]


@pytest.mark.parametrize("place", PLACES, ids=lambda place: f"{place.pointer}:{place.keyword}")
def test_a_keyword_names_its_rule_for_its_operation(place: lint.KeywordPlace) -> None:
    """The rule beside a keyword of an operation is a rule of that operation."""
    operation = place.pointer.split("/")[0]
    assert place.rules or place.keyword == "required"
    assert [rule for rule in place.rules if operation not in RULES[rule]["operations"]] == []
