"""The browser of the tests of the pages."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.support.browser import chromium


@pytest.fixture(scope="module")
def browser(closing: Callable[[AbstractContextManager[Any]], Any]) -> Browser:
    """Return a headless Chromium."""
    return chromium(closing)
