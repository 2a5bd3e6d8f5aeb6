"""The example deployment in each of its sets of choices."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.gate.example_deployment import BODILESS, SETS, DeployedApp, open_deployment

if TYPE_CHECKING:
    from collections.abc import Iterator


#: Each run of the tests serves the first two sets and every fifth other one, an exhaustive run all.
_PARAMS = {
    name: pytest.param(name, marks=(pytest.mark.exhaustive,) if number > 1 and number % 5 else ())
    for number, name in enumerate(SETS)
}


@pytest.fixture(params=_PARAMS.values())
def it(request: pytest.FixtureRequest) -> Iterator[DeployedApp]:
    """Serve each of the sets of choices in turn."""
    with open_deployment(SETS[request.param]) as deployment:
        yield deployment


@pytest.fixture(params=[param for name, param in _PARAMS.items() if not name.startswith(BODILESS)])
def it_reading_bodies(request: pytest.FixtureRequest) -> Iterator[DeployedApp]:
    """Serve the sets of choices that affect bodies."""
    with open_deployment(SETS[request.param]) as deployment:
        yield deployment
