"""The life of a service after a deploy or a stop, computed from the clock when somebody looks."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import overload

from mock_server.services.memory import Service
from mock_server.validation.state import BUSY

#: Beside the values of a service on its way: when it arrives, and where. No property has such a name.
_ARRIVES = "/arrives"
_MOST = 10 * 366 * 24 * 3600
#: What may be stopped.
_STOPPABLE = ("running", "failed")


class Clock:
    """A clock that can be turned forward."""

    def __init__(self, source: Callable[[], datetime]) -> None:
        self._source = source
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        """The time of the source, and what the clock was turned."""
        return self._source() + self.ahead

    def advance(self, seconds: float) -> bool:
        """Turns the clock; false where it would be ahead by more than ten years."""
        ahead = self.ahead + timedelta(seconds=seconds)
        if ahead.total_seconds() > _MOST:
            return False
        self.ahead = ahead
        return True


@overload
def settled(service: Service, clock: Callable[[], datetime]) -> Service: ...
@overload
def settled(service: Service | None, clock: Callable[[], datetime]) -> Service | None: ...
def settled(service: Service | None, clock: Callable[[], datetime]) -> Service | None:
    """The service in the status that it has by now."""
    if service is None or _ARRIVES not in service.values:
        return service
    when, status = service.values[_ARRIVES]
    return replace(pinned(service), status=status) if clock() >= datetime.fromisoformat(when) else service


def pinned(service: Service) -> Service:
    """The service without what it is on its way to."""
    if _ARRIVES not in service.values:
        return service
    return replace(service, values={n: v for n, v in service.values.items() if n != _ARRIVES})


def deployed(service: Service, now: datetime, seconds: float, ends: str = "running") -> Service:
    """The service, deploying for so long; ValueError where it is busy."""
    if service.status in BUSY:
        raise ValueError(f"status: seen {service.status}, wanted a service that is not busy; try again later")
    return _on_its_way(service, "deploying", now, seconds, ends)


def stopped(service: Service, now: datetime, seconds: float) -> Service:
    """The service, stopping for so long; ValueError where it does not run."""
    if service.status not in _STOPPABLE:
        raise ValueError(f"status: seen {service.status}, wanted one of {', '.join(_STOPPABLE)}")
    return _on_its_way(service, "stopping", now, seconds, "stopped")


def _on_its_way(service: Service, status: str, now: datetime, seconds: float, ends: str) -> Service:
    if not seconds:
        return replace(pinned(service), status=ends)
    arrives = (now + timedelta(seconds=seconds)).isoformat()
    return replace(service, status=status, values={**service.values, _ARRIVES: [arrives, ends]})
