"""The lifecycle: the status of a service after a deploy or a stop, computed from the clock on each read."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import overload

from mock_server.services.model import BUSY_STATUSES, STATUSES, Service

#: Key of the pending transition among the values of a service: its end and final status. No property has this name.
_TRANSITION = "/arrives"
_MAX_ADVANCE_SECONDS = 10 * 366 * 24 * 3600
_STOPPABLE_STATUSES = ("running", "failed")


class Clock:
    """A clock that can be advanced; `ahead` is the total advance."""

    def __init__(self, source: Callable[[], datetime]) -> None:
        self._source = source
        self.ahead = timedelta()
        self._lock = threading.Lock()

    def __call__(self) -> datetime:
        """Return the current time of this clock."""
        return self._source() + self.ahead

    def advance(self, seconds: float) -> bool:
        """Advance the clock, and return whether that was possible: it can be ten years ahead at most."""
        with self._lock:
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
    """Return the service with the status that its pending transition has reached by now."""
    transition = None if service is None else pending_transition(service)
    if service is None or transition is None or clock() < transition[0]:
        return service
    return replace(without_pending_transition(service), status=transition[1])


def pending_transition(service: Service) -> tuple[datetime, str] | None:
    """Return the end and the final status of the pending transition; raise ValueError if they make no sense."""
    if _TRANSITION not in service.values:
        return None
    end, status = service.values[_TRANSITION]
    moment = datetime.fromisoformat(end)
    if status not in STATUSES or (moment.tzinfo is None) != (service.created_at.tzinfo is None):
        raise ValueError(f"pending transition: got {end} and {status!r}, expected a time and a status")
    return moment, status


def without_pending_transition(service: Service) -> Service:
    """Return the service without its pending transition."""
    if _TRANSITION not in service.values:
        return service
    return replace(service, values={n: v for n, v in service.values.items() if n != _TRANSITION})


def start_deploy(service: Service, now: datetime, seconds: float, final_status: str = "running") -> Service:
    """Return the service with a deploy in progress; raise ValueError if the service is busy."""
    if service.status in BUSY_STATUSES:
        raise ValueError(
            f"status: got {service.status}, expected a service that is not deploying or stopping; retry later"
        )
    return _start_transition(service, "deploying", now, seconds, final_status)


def start_stop(service: Service, now: datetime, seconds: float) -> Service:
    """Return the service with a stop in progress; raise ValueError if its status allows no stop."""
    if service.status not in _STOPPABLE_STATUSES:
        raise ValueError(f"status: got {service.status}, expected one of {', '.join(_STOPPABLE_STATUSES)}")
    return _start_transition(service, "stopping", now, seconds, "stopped")


def _start_transition(
    service: Service, status: str, now: datetime, seconds: float, final_status: str
) -> Service:
    if not seconds:
        return replace(without_pending_transition(service), status=final_status)
    end = (now + timedelta(seconds=seconds)).isoformat()
    return replace(service, status=status, values={**service.values, _TRANSITION: [end, final_status]})
