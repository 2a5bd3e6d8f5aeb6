"""What axe-core says about the pages under `/_mock/`, in both colour schemes, on a phone and on a desktop."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page
from werkzeug.test import Client

from mock_server.app.factory import create_app
from mock_server.proxy.app import create_proxy
from mock_server.testing.plugin import serving
from tests.support.axe import find_axe_violations
from tests.support.browser import in_browser
from tests.support.pages import create

pytestmark = [in_browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def page(browser: Browser) -> Page:
    """Return a page of a headless Chromium."""
    return browser.new_page()


@pytest.fixture(scope="module")
def mock_origin(closing: Callable[[AbstractContextManager[Any]], Any]) -> str:
    """Return the address of a mock with a service, an accepted and a refused request, and a scripted fault."""
    app = create_app(new_id=lambda: "0192f0c1-9a8b-7c6d-9e5f-404142434445")
    client = Client(app)
    create(client)
    create(client)
    client.post("/_mock/script", json={"status": 503, "slug": "a", "times": 2})
    return closing(serving(app))  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def proxy_origin(closing: Callable[[AbstractContextManager[Any]], Any]) -> str:
    """Return the address of a proxy that has checked one request; nothing listens at its upstream."""
    app = create_proxy("http://127.0.0.1:9")
    create(Client(app))
    return closing(serving(app))  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    "path",
    [
        "",
        "?rule=slug-unique&before=9",
        "requests/1",
        "requests/2",
        "requests/9",
        "page/services",
        "page/services/0192f0c1-9a8b-7c6d-9e5f-404142434445",
        "page/services/unknown",
        "page/script",
    ],
)
def test_a_page_of_the_mock_has_no_violation(page: Page, mock_origin: str, path: str) -> None:
    """Every page can be read and used by everyone, as far as axe-core can tell."""
    page.goto(f"{mock_origin}/_mock/{path}")
    assert find_axe_violations(page) == []


def test_the_reference_has_no_violation(page: Page, mock_origin: str) -> None:
    """The reference can be read and used, with all of an operation opened and a request sent."""
    page.goto(f"{mock_origin}/_mock/reference")
    for summary in page.locator("#createContainer summary").all():
        summary.click()
    form = page.get_by_label("Try createContainer")
    form.get_by_role("button", name="Send").click()
    form.get_by_label("Body of the response").wait_for()
    assert find_axe_violations(page) == []


def test_a_refused_step_has_no_violation(page: Page, mock_origin: str) -> None:
    """The reason why a step was refused can be read, too."""
    page.goto(f"{mock_origin}/_mock/page/script")
    page.get_by_role("button", name="Add the step").click()
    page.get_by_role("alert").wait_for()
    assert find_axe_violations(page) == []


@pytest.mark.parametrize("path", ["", "requests/1"])
def test_a_page_of_a_proxy_has_no_violation(page: Page, proxy_origin: str, path: str) -> None:
    """The pages of the proxy are as easy to read and use as those of the mock."""
    page.goto(f"{proxy_origin}/_mock/{path}")
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
