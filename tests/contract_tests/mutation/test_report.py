"""The report of a mutation run as an HTML page."""

from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from contract_tests.mutation.engine import MutantResult, all_mutants
from contract_tests.mutation.report import MutationReport, write_mutation
from contract_tests.mutation.session import open_session
from tests.support.axe import find_axe_violations
from tests.support.browser import in_browser

pytestmark = pytest.mark.slow


@in_browser
def test_axe_finds_nothing_on_the_page_of_mutants(browser: Browser, tmp_path: Path) -> None:
    """The page of a mutation run has no accessibility violation either."""
    states = ("killed", "equivalent", "not observable", "survived")
    session = open_session("wsgi:mock_server:create_app")
    mutants = all_mutants(session)[: len(states)]
    results = tuple(MutantResult(one, state) for one, state in zip(mutants, states, strict=True))  # type: ignore[arg-type]
    write_mutation(MutationReport("t", 1.0, results, ("a",), session.spec.document), tmp_path)
    page = browser.new_page()
    page.goto((tmp_path / "mutants.html").as_uri())
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert find_axe_violations(page) == []


def _write_page_of_mutants(folder: Path, *states: str, scoped: bool = False) -> str:
    """Return the page of a mutation run whose mutants of one rule and operator ended in these states."""
    session = open_session("wsgi:mock_server:create_app")
    mutant = all_mutants(session)[0]
    mutant = replace(mutant, operator="scope-caller" if scoped else mutant.operator)
    results = tuple(MutantResult(mutant, state) for state in states)  # type: ignore[arg-type]
    write_mutation(MutationReport("t", 1.0, results, (), session.spec.document), folder)
    return (folder / "mutants.html").read_text("utf-8")


def test_equivalent_mutants_are_not_counted_as_killed(tmp_path: Path) -> None:
    """A cell counts the killed of those that can be killed, and the equivalent ones beside them."""
    assert ">1/2 =2</a>" in _write_page_of_mutants(tmp_path, "killed", "survived", "equivalent", "equivalent")
    assert ">=1</a>" in _write_page_of_mutants(tmp_path, "equivalent")


@pytest.mark.parametrize(
    ("state", "scoped", "tone"),
    [("killed", False, "killed"), ("survived", True, "scoped"), ("survived", False, "survived")],
)
def test_the_summary_of_survivors_is_not_green(tmp_path: Path, state: str, scoped: bool, tone: str) -> None:
    """It is red if one fails the command, and amber if mutants survive in a scope only."""
    page = _write_page_of_mutants(tmp_path, "killed", state, scoped=scoped)
    assert f'<p class="{tone}">2 mutants: ' in page
