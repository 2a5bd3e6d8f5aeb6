"""A headless browser for tests, without background requests."""

import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

_CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
_QUIET = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
in_browser = pytest.mark.skipif(_CHROMIUM is None, reason="there is no Chromium here")


def chromium(closing: Callable[[AbstractContextManager[Any]], Any]) -> Browser:
    """Return a headless Chromium that runs until `closing` ends."""
    playwright = closing(sync_playwright())
    return closing(playwright.chromium.launch(executable_path=_CHROMIUM, args=_QUIET))  # type: ignore[no-any-return]
