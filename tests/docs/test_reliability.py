"""The page about reliability names tests that exist."""

import re

import pytest

from tests.support.fixture_player import ROOT

PLACES = sorted(set(re.findall(r"`(tests/[^`]+)`", (ROOT / "docs/reliability.md").read_text("utf-8"))))


@pytest.mark.parametrize("place", PLACES)
def test_a_promise_is_held_by_a_test_that_exists(place: str) -> None:
    """Each file or folder that docs/reliability.md names is there and has tests, or helps them."""
    path = ROOT / place
    files = sorted(path.glob("test_*.py")) if path.is_dir() else [path]
    assert files
    assert all(file.is_file() for file in files)


def test_most_promises_have_a_test() -> None:
    """Every promise names a test, or says that it is that of the promise above."""
    tables = (ROOT / "docs/reliability.md").read_text("utf-8").split("| promise | held by |\n|---|---|\n")[1:]
    promises = [line for table in tables for line in table.partition("\n\n")[0].splitlines()]
    assert len(promises) > 20
    assert [row for row in promises if "`tests/" not in row and "the same" not in row] == []
