"""What axe-core says about the pages under `/_mock/`, in both colour schemes, on a phone and on a desktop."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from playwright.sync_api import Page
from werkzeug.test import Client

from mock_server.app.factory import create_app
from mock_server.testing.plugin import serving
from tests.support.axe import find_axe_violations
from tests.support.browser import chromium, in_browser
from tests.support.pages import create

pytestmark = [in_browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def page(closing: Callable[[AbstractContextManager[Any]], Any]) -> Page:
    """Return a page of a headless Chromium."""
    return chromium(closing).new_page()


@pytest.fixture(scope="module")
def mock_origin(closing: Callable[[AbstractContextManager[Any]], Any]) -> str:
    """Return the address of a mock that has accepted one request and refused another."""
    app = create_app()
    client = Client(app)
    create(client)
    create(client)
    return closing(serving(app))  # type: ignore[no-any-return]


@pytest.mark.parametrize("path", ["", "requests/1", "requests/2", "requests/9"])
def test_a_page_of_the_mock_has_no_violation(page: Page, mock_origin: str, path: str) -> None:
    """Every page can be read and used by everyone, as far as axe-core can tell."""
    page.goto(f"{mock_origin}/_mock/{path}")
    assert find_axe_violations(page) == []


def test_violations_are_found_in_one_scheme_only(page: Page) -> None:
    """A text that is weak in the dark scheme only is found there, at both widths."""
    page.goto("about:blank")  # whose policy allows inline styles
    page.set_content(
        "<html lang=en><title>t</title><style>@media (prefers-color-scheme: dark) { h1 { color: #ccc } }</style>"
        "<body style='background: white'><main><h1>weak</h1></main>"
    )
    violations = find_axe_violations(page)
    assert [line.partition(": [")[0] for line in violations] == [
        "375px dark: color-contrast",
        "1280px dark: color-contrast",
    ]
