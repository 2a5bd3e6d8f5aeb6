"""Make docs/screenshots/*.png with headless Chromium: `python -m tests.docs.screenshots`, or `make screenshots`.

The data are the same each time: a mock with a few requests, and the report of a mock without two of its rules.
"""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page
from werkzeug.test import Client

from contract_tests.reports.html import render_html
from mock_server import create_app
from mock_server.testing.plugin import serving
from tests.support.browser import chromium
from tests.support.reports import run_app

FOLDER = Path(__file__).parents[2] / "docs/screenshots"
DISABLED_RULES = {"exposed-port-range", "slug-unique"}
MAX_BYTES = 150_000
_WIDTH = 1100  # the page of the mock has two columns
_AUTHORIZATION = {"Authorization": "Bearer sk-red-5f0c7c1e9a"}
_BODIES = (
    {"service_slug": "search-index", "display_name": "Search index", "docker_image": "nginx:1.27"},
    {"service_slug": "My-Service", "display_name": "My service", "exposed_port": "8080"},
    {"service_slug": "search-index", "display_name": "Again", "docker_image": "nginx:1.27"},
    {
        "service_slug": "billing",
        "display_name": "Billing",
        "docker_image": "python:3.12",
        "exposed_port": 8000,
    },
)


def main() -> int:
    """Write all pictures, print their sizes, and return 1 if one is too large."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        browser = chromium(stack.enter_context)
        sizes = {path: path.stat().st_size for path in (take_mock(browser), take_finding(browser))}
    for path, size in sizes.items():
        print(f"{path.relative_to(FOLDER.parents[1])}: {size / 1000:.0f} kB")  # noqa: T201 - a command
    return int(max(sizes.values()) > MAX_BYTES)


def take_mock(browser: Browser) -> Path:
    """Take the page of a mock that has accepted two requests and refused two."""
    app = create_app()
    client = Client(app)
    for body in _BODIES:
        client.post("/api/v1/containers", json=body, headers=_AUTHORIZATION)
    with serving(app) as origin, _open_page(browser, f"{origin}/_mock/", height=785) as page:
        return _take(page, "mock.png")


def take_finding(browser: Browser) -> Path:
    """Take the first finding in the report of a mock without two of its rules."""
    report = run_app(create_app(disabled_rules=DISABLED_RULES))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "report.html"
        file.write_text(render_html(report), "utf-8")
        with _open_page(browser, file.as_uri(), height=900) as page:
            finding = page.locator("details.finding").first
            finding.locator("> summary").click()
            finding.evaluate("one => one.closest('section').scrollIntoView()")
            return _take(page, "finding.png")


@contextmanager
def _open_page(browser: Browser, url: str, height: int) -> Iterator[Page]:
    page = browser.new_page(
        viewport={"width": _WIDTH, "height": height}, color_scheme="light", reduced_motion="reduce"
    )
    page.goto(url)
    page.wait_for_load_state()
    yield page
    page.close()


def _take(page: Page, name: str) -> Path:
    path = FOLDER / name
    page.screenshot(path=path, animations="disabled")
    return path


if __name__ == "__main__":
    sys.exit(main())
