"""A limit on how many requests a target receives per second."""

import math

from pyrate_limiter import Duration, Limiter, Rate

from contract_tests.targets.base import NoResponse, Request, Response, Target

#: How often a request that waits looks whether the run is over.
_LOOK_SECONDS = 0.5
#: Above so many requests per second a pause of whole milliseconds between two is too coarse: batches are counted.
_SINGLE_RATE = 100
_BATCH_MS = 100


class RateLimitedTarget:
    """A target that receives at most a given number of requests per second."""

    def __init__(self, target: Target, per_second: float) -> None:
        """Wrap a target; a ``per_second`` of 0.5 allows one request every two seconds."""
        self.name, self.url = target.name, target.url
        self.concurrent, self.clock, self.timeout = target.concurrent, target.clock, target.timeout
        self._target = target
        self._limiter = Limiter(_choose_rate(per_second), buffer_ms=1)

    def send(self, request: Request) -> Response | NoResponse:
        """Wait until the limit allows a request, then send it; raise RunStopped if the run is over before."""
        allowed = self._limiter.try_acquire("request", blocking=False)
        while not allowed:
            allowed = bool(self._limiter.try_acquire("request", timeout=_LOOK_SECONDS))
            self.clock.check_unsent()
        return self._target.send(request)

    def reconnect(self) -> None:
        """Use new connections from here on."""
        self._target.reconnect()

    def open_host(self) -> Target:
        """Return a target for the paths of the same host, without the limit: it is about requests of the contract."""
        return self._target.open_host()


def _choose_rate(per_second: float) -> Rate:
    """Return a rate of whole milliseconds that is never above the given one."""
    if per_second > _SINGLE_RATE:
        return Rate(int(per_second * _BATCH_MS / Duration.SECOND.value), _BATCH_MS)
    return Rate(1, math.ceil(Duration.SECOND.value / per_second))
