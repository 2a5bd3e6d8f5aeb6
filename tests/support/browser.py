"""A headless browser for tests, without background requests."""

import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

_CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
_QUIET = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
#: Chromium logs this message for each refusal.
_REFUSAL_MESSAGE = "Failed to load resource: the server responded with a status of 4"
in_browser = pytest.mark.skipif(_CHROMIUM is None, reason="there is no Chromium here")


def chromium(closing: Callable[[AbstractContextManager[Any]], Any]) -> Browser:
    """Return a headless Chromium that runs until `closing` ends."""
    playwright = closing(sync_playwright())
    return closing(playwright.chromium.launch(executable_path=_CHROMIUM, args=_QUIET))  # type: ignore[no-any-return]


def watch_page(page: Page, origin: str) -> list[str]:
    """Record errors, warnings and requests to other hosts of a page."""
    problems: list[str] = []

    def on_console(message: Any) -> None:
        if message.type in {"error", "warning"} and not message.text.startswith(_REFUSAL_MESSAGE):
            problems.append(message.text)

    page.on("console", on_console)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on(
        "request", lambda r: None if r.url.startswith((f"{origin}/", "data:")) else problems.append(r.url)
    )
    return problems
