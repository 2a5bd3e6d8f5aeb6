"""The life of a service after a deploy or a stop, computed from the clock when somebody looks."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import overload

from mock_server.services.model import BUSY_STATUSES, Service

#: Beside the values of a service on its way: when it arrives, and where. No property has such a name.
_TRANSITION = "/arrives"
_MAX_ADVANCE_SECONDS = 10 * 366 * 24 * 3600
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
        if ahead.total_seconds() > _MAX_ADVANCE_SECONDS:
            return False
        self.ahead = ahead
        return True


@overload
def with_current_status(service: Service, clock: Callable[[], datetime]) -> Service: ...
@overload
def with_current_status(service: Service | None, clock: Callable[[], datetime]) -> Service | None: ...
def with_current_status(service: Service | None, clock: Callable[[], datetime]) -> Service | None:
    """The service in the status that it has by now."""
    if service is None or _TRANSITION not in service.values:
        return service
    when, status = service.values[_TRANSITION]
    return (
        replace(without_pending_transition(service), status=status)
        if clock() >= datetime.fromisoformat(when)
        else service
    )


def without_pending_transition(service: Service) -> Service:
    """The service without what it is on its way to."""
    if _TRANSITION not in service.values:
        return service
    return replace(service, values={n: v for n, v in service.values.items() if n != _TRANSITION})


def start_deploy(service: Service, now: datetime, seconds: float, ends: str = "running") -> Service:
    """The service, deploying for so long; ValueError where it is busy."""
    if service.status in BUSY_STATUSES:
        raise ValueError(
            f"status: got {service.status}, expected a service that is not busy; try again later"
        )
    return _start_transition(service, "deploying", now, seconds, ends)


def start_stop(service: Service, now: datetime, seconds: float) -> Service:
    """The service, stopping for so long; ValueError where it does not run."""
    if service.status not in _STOPPABLE:
        raise ValueError(f"status: got {service.status}, expected one of {', '.join(_STOPPABLE)}")
    return _start_transition(service, "stopping", now, seconds, "stopped")


def _start_transition(service: Service, status: str, now: datetime, seconds: float, ends: str) -> Service:
    if not seconds:
        return replace(without_pending_transition(service), status=ends)
    arrives = (now + timedelta(seconds=seconds)).isoformat()
    return replace(service, status=status, values={**service.values, _TRANSITION: [arrives, ends]})
