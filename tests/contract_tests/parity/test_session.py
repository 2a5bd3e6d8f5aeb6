"""Comparisons that end early."""

import itertools

import pytest

from mock_server import create_app
from tests.support.gate.messages import Request, Response, Send
from tests.support.gate.parity import compare_app
from tests.support.gate.planting import add_interceptor


@pytest.mark.slow
@pytest.mark.parametrize("after", [60, 90, 160])
def test_the_requests_that_show_a_lost_target_are_not_compared(after: int) -> None:
    """Once a target refuses everything, what was sent to make sure of that is no difference from the mock."""
    numbers = itertools.count()

    def intercept(request: Request, send: Send) -> Response:
        return send(request) if next(numbers) < after else Response(403)

    report = compare_app(add_interceptor(create_app(), intercept), None, requests=300)
    assert "answers every request with 403" in report.cut_short
    assert report.requests > after + 20
    assert report.whole.compared < after + 10
