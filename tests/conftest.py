"""Fixtures for all tests."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from typing import Any

import pytest


@pytest.fixture(scope="module")
def closing() -> Iterator[Callable[[AbstractContextManager[Any]], Any]]:
    """Return a function that enters context managers, which are exited after the module."""
    with ExitStack() as stack:
        yield stack.enter_context
