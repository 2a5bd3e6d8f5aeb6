"""Profiles as the suite reads them."""

from pathlib import Path

import pytest

from contract_tests.contract.profile import (
    ChosenOption,
    Departure,
    Profile,
    find_departures,
    load_profile,
)

TEXT = """\
choices:
  invalid-body-status: {option: 422, evidence: PUT was answered 422, confidence: medium}
  id-version: 4
  largest-body: 65536
not_seen: {busy-status: needs --control-hook}
"""


def test_a_profile_is_read(tmp_path: Path) -> None:
    """An option stands alone, or with what is known about it; a number that names an option is read as text."""
    file = tmp_path / "p.yaml"
    file.write_text(TEXT)
    assert load_profile(file) == Profile(
        str(file),
        {
            "invalid-body-status": ChosenOption(422, "PUT was answered 422", is_certain=False),
            "id-version": ChosenOption("4"),
            "largest-body": ChosenOption(65536),
        },
        {"busy-status": "needs --control-hook"},
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "No such file or directory; name a file that `contract-tests calibrate` wrote"),
        ("a: 1", "'choices' is a required property"),
        ("choices: {slug-unique: 1}", "no choice has the id 'slug-unique'; `mock-server choices` lists all"),
        ("choices: {bearer-case: some}", "bearer-case: got 'some', expected any, exact"),
        ("choices: {nul-characters: true}", "nul-characters: got True, expected "),
        ("choices: {nul-characters: null}", "nul-characters: got None, expected "),
        ("choices: {invalid-body-status: 200}", r"invalid-body-status: got 200, expected a number \(4xx\)"),
        ("choices: {invalid-body-status: {option: [1]}}", r"got \[1\], expected a number"),
        ("openapi: 3.1.0", "is an OpenAPI document, not a profile"),
    ],
)
def test_an_unusable_profile_is_one_line(text: str | None, message: str, tmp_path: Path) -> None:
    """A choice or an option that there is not is a ValueError that names it."""
    file = tmp_path / "p.yaml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(ValueError, match=message) as error:
        load_profile(file)
    assert "\n" not in str(error.value)


def test_departures_are_choices_of_both_with_other_options() -> None:
    """A choice that only one of the two profiles has is no departure."""
    old = Profile("old", {"a": ChosenOption(1), "b": ChosenOption("x"), "c": ChosenOption("y")})
    new = Profile("new", {"d": ChosenOption(1), "b": ChosenOption("z", "seen"), "c": ChosenOption("y")})
    assert find_departures(old, new) == (Departure("b", "x", ChosenOption("z", "seen")),)
    assert str(find_departures(old, new)[0]) == "b: was x, is z: seen"
