"""A limit on the requests per second."""

import time

import pytest

from contract_tests.targets.base import Request, Response
from contract_tests.targets.clock import RunClock, RunStopped
from contract_tests.targets.rate_limit import RateLimitedTarget


class InstantTarget:
    """A target that responds at once."""

    name, url, concurrent, timeout = "h", "http://h", True, 10.0

    def __init__(self) -> None:
        self.clock = RunClock()

    def send(self, _: Request) -> Response:
        """Return a response."""
        return Response(200, (), b"", 0.0)

    def reconnect(self) -> None:
        """Do nothing."""


@pytest.mark.parametrize("per_second", [20, 150, 999, 1000, 1500, 2000, 100_000, 1e9])
@pytest.mark.slow
def test_no_more_requests_are_sent_than_the_rate_allows(per_second: float) -> None:
    """At most the requests of the time that passed are sent, and those of one batch; a high rate is no error."""
    target, sent, started = RateLimitedTarget(InstantTarget(), per_second), 0, time.monotonic()
    while time.monotonic() - started < 0.35 and sent < 5000:
        target.send(Request("GET", "/"))
        sent += 1
    seconds = time.monotonic() - started
    assert 1 <= sent <= per_second * (seconds + 0.1) + 1


def test_the_end_of_the_run_ends_the_wait_for_the_rate() -> None:
    """A request that the rate would allow in an hour is not waited for once the time of the run is up."""
    target = RateLimitedTarget(InstantTarget(), 1 / 3600)
    target.clock.start(0)
    target.send(Request("GET", "/"))
    with pytest.raises(RunStopped, match="--rate"):
        target.send(Request("GET", "/"))
