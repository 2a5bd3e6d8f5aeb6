"""Waivers files."""

from pathlib import Path

import pytest

from contract_tests.contract.rules import load_catalogue
from contract_tests.results.waivers import WaiversError, load_waivers

CATALOGUE = load_catalogue()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "not YAML"),
        ("rule: a", "expected array"),
        ("[{rule: slug-unique}]", "'reason' is a required property"),
        ("[{rule: none, reason: r, until: 2030-01-01}]", "unknown rule 'none'"),
        ("[{rule: slug-unique, reason: r, until: soon}]", "not a date"),
    ],
)
def test_unusable_waivers_file_is_explained(tmp_path: Path, text: str, says: str) -> None:
    """An unusable waivers file is refused with one line."""
    file = tmp_path / "waivers.yaml"
    file.write_text(text)
    with pytest.raises(WaiversError, match=says):
        load_waivers(file, CATALOGUE)
