"""The mock responds to each case as the fixtures expect, in process and over a socket."""

import pytest

from tests.support.clients import over_socket, over_wsgi
from tests.support.fixture_player import Case, FixturePlayer, Send, cases

CASES = cases()


@pytest.fixture(scope="module", params=["wsgi", "socket"])
def send(request: pytest.FixtureRequest) -> Send:
    """Return a function that sends requests to a mock, which all cases share."""
    client = over_wsgi if request.param == "wsgi" else over_socket
    return request.getfixturevalue("closing")(client())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_the_mock_responds_as_the_fixtures_expect(send: Send, case: Case) -> None:
    """The status is that of the case's rule, and a refusal names that rule alone."""
    assert FixturePlayer(send).judge(case) == ""
