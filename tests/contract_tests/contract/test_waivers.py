"""Waivers files."""

from datetime import date
from pathlib import Path

import pytest

from contract_tests.contract.rules import load_catalogue
from contract_tests.contract.waivers import WaiversError, load_waivers

CATALOGUE = load_catalogue()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "not YAML"),
        ("rule: a", "expected array"),
        ("[{rule: slug-unique}]", "'reason' is a required property"),
        ("[{rule: none, reason: r, until: 2030-01-01}]", "unknown rule 'none'"),
        ("[{rule: slug-uniqe, reason: r, until: 2030-01-01}]", "did you mean slug-unique\\?"),
        ("[{rule: slug-unique, reason: r, until: soon}]", "not a date"),
        (
            "[{rule: slug-unique, reason: r, until: 2030-01-01, by: me}]",
            "unknown property 'by'; known are rule, reason, until",
        ),
        ("[{rule: slug-unique, reason: ' ', until: 2030-01-01}]", "slug-unique: the reason is empty"),
        ("[{rule: slug-unique, reason: , until: 2030-01-01}]", "slug-unique: the reason is empty"),
    ],
)
def test_unusable_waivers_file_is_explained(tmp_path: Path, text: str, says: str) -> None:
    """An unusable waivers file is refused with one line."""
    file = tmp_path / "waivers.yaml"
    file.write_text(text)
    with pytest.raises(WaiversError, match=says):
        load_waivers(file, CATALOGUE)


@pytest.mark.parametrize(
    "until", ["2999-01-01", "2999-01-01T00:00:00Z", "2999-01-01 12:30:00", "'2999-01-01'"]
)
def test_the_last_day_of_a_waiver_may_have_a_time(tmp_path: Path, until: str) -> None:
    """A date with a time of day is its date, and can be compared with today."""
    file = tmp_path / "waivers.yaml"
    file.write_text(f"[{{rule: slug-unique, reason: r, until: {until}}}]")
    waiver = load_waivers(file, CATALOGUE)["slug-unique"]
    assert (waiver.until, waiver.expired) == (date(2999, 1, 1), False)
