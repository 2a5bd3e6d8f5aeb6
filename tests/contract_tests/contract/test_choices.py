"""The choices as the suite reads them."""

from pathlib import Path

import pytest

from contract_tests.contract.choices import list_deciding_choices, load_choices
from mock_server.contract import choices as of_the_mock
from tests.support.gate.gate import catalogue


def test_suite_and_mock_read_the_same_choices() -> None:
    """Ids, options and the usual one are the same in both packages."""
    theirs = of_the_mock.load_choices()
    ours = load_choices()
    assert [*ours] == [*theirs]
    for name, choice in ours.items():
        assert (choice.options, choice.usual) == (tuple(theirs[name].options), theirs[name].usual)
        for option in (
            *choice.options,
            199,
            200,
            299,
            300,
            400,
            499,
            500,
            16_383,
            16_384,
            2**30,
            2**30 + 1,
            "no",
        ):
            assert choice.allows(option) == theirs[name].allows(option), (name, option)


def test_each_assumed_rule_has_a_deciding_choice() -> None:
    """A note about an assumed rule names the choices that decide it."""
    choices = load_choices()
    undecided = [
        rule.id
        for rule in catalogue().values()
        if rule.grade == "assumed" and not list_deciding_choices(rule.id, choices)
    ]
    assert undecided == []
    assert list_deciding_choices("auth-known", choices) == ("unknown-tokens",)


@pytest.mark.parametrize(
    "text", ["choices: 3", "[]", "choices: [{id: a}]", "choices: [{id: a, options: 5xx}]"]
)
def test_an_unreadable_file_is_one_line(text: str, tmp_path: Path) -> None:
    """A file without choices, or with an entry of another form, is a ValueError that names the file."""
    file = tmp_path / "choices.yaml"
    file.write_text(text)
    with pytest.raises(ValueError, match=r"choices\.yaml"):
        load_choices(file)
