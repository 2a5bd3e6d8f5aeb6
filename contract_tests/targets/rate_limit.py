"""A bound on how fast a target is sent requests."""

from pyrate_limiter import Duration, Limiter, Rate

from contract_tests.targets.base import Reply, Request, Target, Unanswered


class RateLimited:
    """A target that is sent at most so many requests a second."""

    def __init__(self, target: Target, per_second: float) -> None:
        """``per_second`` is above 0; below 1 it means one request in that many seconds."""
        self.url, self.concurrent = target.url, target.concurrent
        self._target = target
        rate = Rate(1, int(Duration.SECOND.value / per_second))
        self._limiter = Limiter(rate, buffer_ms=1)

    def send(self, request: Request) -> Reply | Unanswered:
        """Wait for a free place, then send."""
        self._limiter.try_acquire("request")
        return self._target.send(request)
