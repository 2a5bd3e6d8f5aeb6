"""`spec/choices.yaml`: what the pages leave open, as data."""

from pathlib import Path

import pytest
import yaml

from mock_server.contract.choices import NUMBERS, load_choices
from mock_server.contract.loader import load_contract
from mock_server.contract.resources import UnusableFileError, find_resource
from mock_server.pipeline.stages import ORDERS
from mock_server.validation.choices import ALLOWANCES, CHANGES, REFUSALS
from mock_server.validation.state import CHOICE_CHECKS
from tests.support.fixture_player import load

CHOICES = load_choices()
ENTRIES = {entry["id"]: entry for entry in load("spec/choices.yaml")["choices"]}
RULES = load_contract(find_resource("spec/openapi.yaml")).rules


def test_the_usual_options_are_those_of_the_rules() -> None:
    """The usual status of a choice is the first one of each of its rules."""
    statuses = {
        (choice.id, RULES[rule].status[0])
        for choice in CHOICES.values()
        if choice.is_status
        for rule in choice.rules
    }
    assert statuses == {(choice.id, choice.usual) for choice in CHOICES.values() if choice.is_status}


def test_each_assumed_status_is_one_choice() -> None:
    """Each rule whose status is assumed belongs to one choice of statuses; permissions need none."""
    named = [rule for choice in CHOICES.values() if choice.is_status for rule in choice.rules]
    assumed = {
        rule.id for rule in RULES.values() if rule.status_grade == "assumed" and rule.kind != "permission"
    }
    assert assumed <= set(named)
    assert len(named) == len(set(named))


def test_each_assumed_rule_is_a_choice() -> None:
    """Each assumed rule is concerned by a choice that is no status."""
    concerned = {rule for choice in CHOICES.values() if not choice.is_status for rule in choice.rules}
    assumed = {rule.id for rule in RULES.values() if rule.grade == "assumed"}
    assert assumed <= concerned


def test_no_choice_changes_what_a_page_documents() -> None:
    """An option disables assumed rules only, and no status of a choice is documented."""
    disabled = {rule for choice in CHOICES.values() for rules in choice.disables.values() for rule in rules}
    assert {RULES[rule].grade for rule in disabled} == {"assumed"}
    statuses = {rule for choice in CHOICES.values() if choice.is_status for rule in choice.rules}
    assert {RULES[rule].status_grade for rule in statuses} == {"assumed"}


#: Options that a function of the mock obeys outside the tables.
IN_CODE = {
    ("reported-violations", "first"),
    ("error-body", "json"),
    ("error-body", "text"),
    ("error-body", "empty"),
    ("bearer-case", "exact"),
    ("service-keys", "refused-401"),
    ("service-keys", "refused-403"),
    ("empty-team", "missing"),
    ("id-forms", "accepted"),
    ("missing-media-type", "json"),
    ("other-json-types", "json"),
    ("other-encodings", "accepted"),
    ("null-update-body", "accepted"),
    ("media-type-parameters", "utf-8"),
    ("media-type-parameters", "none"),
    ("media-type-parameters", "any"),
    ("empty-update-body", "accepted"),
    ("nul-characters", "accepted"),
    ("half-surrogates", "malformed"),
    ("id-version", "4"),
    ("id-case", "upper"),
    ("extra-answer-properties", "present"),
    ("absent-values", "null"),
    ("absent-values", "empty"),
    ("unused-docker-image", "shown"),
}


def test_each_option_stands_in_one_place() -> None:
    """Each unusual option is a number, disables rules, or has its function in the mock: once."""
    tables = [(row[0], row[1]) for row in (*CHANGES, *REFUSALS, *ALLOWANCES, *CHOICE_CHECKS)]
    tables += [("check-order", order) for order in ORDERS]
    by_data = {(choice.id, option) for choice in CHOICES.values() for option in choice.disables}
    usual = {(choice.id, choice.usual) for choice in CHOICES.values()}
    for choice in CHOICES.values():
        for option in choice.options:
            key = (choice.id, option)
            places = (tables.count(key) > 0) + (key in by_data) + (key in IN_CODE)
            assert places == 1 or (key in usual and places <= 1), key


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"usual": "other"}, "no such option"),
        ({"lenient": "other"}, "no such option"),
        ({"options": "5xx"}, "entry 1 is not a choice"),
        ({"options": 1}, "entry 1 is not a choice"),
        ({"rules": None}, "entry 1 is not a choice"),
    ],
)
def test_a_wrong_entry_is_named(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    """An entry that is no choice is refused with its number or its id."""
    entry = {**load("spec/choices.yaml")["choices"][0], **changes}
    path = tmp_path / "choices.yaml"
    path.write_text(yaml.safe_dump({"choices": [entry]}), encoding="utf-8")
    with pytest.raises(UnusableFileError, match=message):
        load_choices(path)


def test_a_lenient_option_accepts_more_than_the_usual_one() -> None:
    """It is another option, and of each choice about what is accepted it is the one that accepts."""
    for choice in CHOICES.values():
        entry = ENTRIES[choice.id]
        assert entry.get("lenient") != choice.usual, choice.id
        accepting = {"accepted", "absent", "json", "optional"} & {*choice.options}
        assert not accepting or choice.stage == "response" or choice.lenient in accepting, choice.id


def test_numbers_have_bounds() -> None:
    """A status of a refusal is 400 to 499, and no text or truth value is a number."""
    choice = CHOICES["invalid-body-status"]
    assert [choice.allows(option) for option in (399, 400, 499, 500, "400", True)] == [
        *(False, True, True, False, False, False)
    ]
    assert set(NUMBERS) == {"2xx", "4xx", "bytes"}


def test_no_option_that_an_acceptance_shows_claims_what_is_stored() -> None:
    """A property that is accepted may be stored: its option says what was seen, not that it has no effect."""
    rules = {"unused-properties-accepted", "unknown-properties-ignored"}
    about = {choice.id: choice.options for choice in CHOICES.values() if rules & {*choice.rules}}
    about["unknown-item-properties"] = CHOICES["unknown-item-properties"].options
    assert [name for name, options in about.items() if "no effect" in " ".join(options.values())] == []
