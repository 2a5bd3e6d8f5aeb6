"""Parameters of which each run of the tests has a few, and an exhaustive run all."""

from collections.abc import Iterable
from typing import Any

import pytest


def keep_first(number: int, values: Iterable[Any]) -> list[Any]:
    """Return the values as parameters; only an exhaustive run has those after the first few."""
    return [
        value if place < number else pytest.param(value, marks=pytest.mark.exhaustive)
        for place, value in enumerate(values)
    ]
