"""Fixtures for all tests."""

import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from typing import Any

import pytest


@pytest.fixture(scope="module")
def closing() -> Iterator[Callable[[AbstractContextManager[Any]], Any]]:
    """Return a function that enters context managers, which are exited after the module."""
    with ExitStack() as stack:
        yield stack.enter_context


@pytest.fixture(autouse=True)
def _signal_handlers() -> Iterator[None]:
    """Restore the handlers of signals: a command that ends in this process ignores them from then on."""
    numbers = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    handlers = {number: signal.getsignal(number) for number in numbers}
    yield
    for number, handler in handlers.items():
        if signal.getsignal(number) is not handler:
            signal.signal(number, handler)
