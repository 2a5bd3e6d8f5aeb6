"""What every test may ask for."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from typing import Any

import pytest


@pytest.fixture(scope="module")
def closing() -> Iterator[Callable[[AbstractContextManager[Any]], Any]]:
    """Enters context managers that are left after the module."""
    with ExitStack() as stack:
        yield stack.enter_context
