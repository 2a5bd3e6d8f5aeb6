"""Fixtures for all tests."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.support.browser import chromium

_ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def closing() -> Iterator[Callable[[AbstractContextManager[Any]], Any]]:
    """Return a function that enters context managers, which are exited after the module."""
    with ExitStack() as stack:
        yield stack.enter_context


@pytest.fixture(scope="module")
def browser(closing: Callable[[AbstractContextManager[Any]], Any]) -> Browser:
    """Return a headless Chromium."""
    return chromium(closing)


@pytest.fixture(autouse=True)
def _signal_handlers() -> Iterator[None]:
    """Restore the handlers of signals: a command that ends in this process ignores them from then on."""
    numbers = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    handlers = {number: signal.getsignal(number) for number in numbers}
    yield
    for number, handler in handlers.items():
        if signal.getsignal(number) is not handler:
            signal.signal(number, handler)


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the wheel of this checkout, built without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--no-isolation",
        "--outdir",
        str(folder),
        str(_ROOT),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    (built,) = folder.glob("*.whl")
    return built
