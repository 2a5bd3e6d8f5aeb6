"""Comparisons that end early."""

import itertools

import pytest

from mock_server import create_app
from tests.support.gate.messages import Request, Response, Send
from tests.support.gate.parity import compare_app, list_parted
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


@pytest.mark.parametrize(
    ("status", "team"), [(400, ""), (403, ""), (409, ""), (403, "0192f0c0-2222-7aaa-8bbb-0123456789ab")]
)
def test_a_limit_of_services_that_is_reached_ends_the_comparison(status: int, team: str) -> None:
    """What it refuses, also for one team only, is no difference; the reason says that every create is refused."""
    created: list[Response] = []

    def intercept(request: Request, send: Send) -> Response:
        is_counted = request.operation == "create" and request.team.startswith(team)
        if is_counted and len(created) >= (20 if team else 60):
            return Response(status)
        response = send(request)
        if is_counted and response.accepted:
            created.append(response)
        return response

    report = compare_app(add_interceptor(create_app(), intercept), requests=600)
    assert report.cut_short.startswith("the target refuses every plain create")
    assert (report.parts, report.exit_code) == ((), 3)
    assert report.whole.compared > 100


def test_a_deployment_that_refuses_a_create_for_its_values_is_compared_to_the_end() -> None:
    """Its plain creates are accepted, so that the difference is one of the rule that is about these values."""

    def intercept(request: Request, send: Send) -> Response:
        is_refused = request.operation == "create" and request.body.get("gpu_count") == -1
        return Response(400) if is_refused else send(request)

    report = compare_app(add_interceptor(create_app(), intercept), requests=600)
    assert report.cut_short == ""
    assert list_parted(report)[0].startswith("gpu-count")
