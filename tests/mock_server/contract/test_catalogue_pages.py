"""The page of the choices."""

from mock_server.contract import catalogue_pages, loader
from tests.support.fixture_player import ROOT

PAGE = (ROOT / "docs/choices.md").read_text(encoding="utf-8")


def test_the_page_is_up_to_date() -> None:
    """docs/choices.md equals the output of `mock-server choices --markdown`, with one row per choice."""
    choices = loader.packaged_choices()
    assert catalogue_pages.choices_markdown(choices) == PAGE
    assert all(PAGE.count(f"\n| `{choice}` |") == 1 for choice in choices)
