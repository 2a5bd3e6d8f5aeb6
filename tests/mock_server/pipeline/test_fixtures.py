"""The fixtures, played on the mock: as a WSGI app and over a real socket."""

import pytest

from tests.support.clients import over_socket, over_wsgi
from tests.support.fixture_player import Case, Play, Send, cases

CASES = cases()


@pytest.fixture(scope="module", params=["wsgi", "socket"])
def send(request: pytest.FixtureRequest) -> Send:
    """A mock to send to, shared by the cases, as a deployment is."""
    opened = over_wsgi if request.param == "wsgi" else over_socket
    return request.getfixturevalue("closing")(opened())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_the_mock_answers_each_case_as_the_fixtures_say(send: Send, case: Case) -> None:
    """The status is that of the case's rule, and a refusal names that rule alone."""
    assert Play(send).judge(case) == ""
