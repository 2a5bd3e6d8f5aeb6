"""Every rule is enforced in one place, and has fixtures and a row in docs/rules.md."""

from collections import Counter

import pytest

from mock_server.contract import catalogue_pages, document, lint, loader, model, resources
from mock_server.pipeline.mock import RULES_IN_CODE
from tests.support.fixture_player import ROOT, RULES, cases, load

DOCUMENT = load("spec/openapi.yaml")
WHOLE = document.inline_references(DOCUMENT)
BY_KEYWORD = {rule for place in lint.iter_request_keywords(WHOLE) for rule in place.rules}
CASES = Counter((case.rule, case.expect) for case in cases())
PAGE = (ROOT / "docs/rules.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_is_enforced_in_exactly_one_place(rule: str) -> None:
    """A rule is enforced by keywords of the contract or by one function named after it."""
    assert (rule in BY_KEYWORD) + RULES_IN_CODE.count(rule) == 1


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_has_the_cases_of_its_kind(rule: str) -> None:
    """A constraint has a refused case and a near miss; a permission or an effect has a case."""
    if RULES[rule]["kind"] == "constraint":
        assert CASES[rule, "refuse"] >= 1 <= CASES[rule, "accept"]
    else:
        assert CASES[rule, "refuse"] + CASES[rule, "accept"] >= 1


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_has_one_row_in_the_page(rule: str) -> None:
    """docs/rules.md has one row that begins with the rule's id."""
    assert PAGE.count(f"\n| `{rule}` |") == 1


@pytest.mark.parametrize("rule", RULES)
def test_an_entry_of_the_catalogue_is_complete(rule: str) -> None:
    """Kind and grades are known; a constraint has its stage and the statuses of its refusal."""
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
    """docs/rules.md equals the output of `mock-server rules --markdown`."""
    contract = loader.load_contract(resources.find_resource("spec/openapi.yaml"))
    assert catalogue_pages.rules_markdown(contract.rules, contract.operations) == PAGE


def test_each_case_names_a_known_rule() -> None:
    """Each case names a rule of the catalogue."""
    assert {rule for rule, _ in CASES} <= set(RULES)


def test_the_ids_of_the_cases_are_unique() -> None:
    """No two cases have the same id."""
    assert [name for name, count in Counter(case.id for case in cases()).items() if count > 1] == []


def test_the_contract_has_no_lint_problem() -> None:
    """Each keyword names a rule, each rule is enforced, and each rule name is known."""
    assert list(lint.find_problems(DOCUMENT, RULES, frozenset(RULES_IN_CODE))) == []


PLACES = [*lint.iter_request_keywords(WHOLE), *lint.iter_response_keywords(WHOLE)]


@pytest.mark.parametrize("place", PLACES, ids=lambda place: f"{place.pointer}:{place.keyword}")
def test_a_keyword_names_a_rule_of_its_operation(place: lint.KeywordPlace) -> None:
    """The rule beside a keyword of an operation is a rule of that operation."""
    operation = place.pointer.split("/")[0]
    assert place.rules or place.keyword == "required"
    assert [rule for rule in place.rules if operation not in RULES[rule]["operations"]] == []
