"""Random latency and faults: a seed and the order of the requests determine them."""

import random
import re
import secrets
import threading

from mock_server.contract.resources import OptionError
from mock_server.faults.fault import MAX_DELAY_SECONDS, InjectedFault
from mock_server.web import responses

_LATENCY = re.compile(r"([0-9]+(?:\.[0-9]+)?)(?:-([0-9]+(?:\.[0-9]+)?))?(ms|s)")


def parse_latency(text: str) -> tuple[float, float]:
    """Return the minimum and maximum in seconds of a text such as `200ms`, `50-200ms` or `0.1-2s`."""
    match = _LATENCY.fullmatch(text.strip()) if len(text) < 40 else None
    if match is None:
        raise OptionError("latency", f"got {text[:40]!r}, expected a time such as 200ms, 50-200ms or 0.1-2s")
    unit = 1.0 if match[3] == "s" else 0.001
    minimum, maximum = float(match[1]) * unit, float(match[2] or match[1]) * unit
    if not minimum <= maximum <= MAX_DELAY_SECONDS:
        expected = f"the minimum before the maximum, {MAX_DELAY_SECONDS}s at most"
        raise OptionError("latency", f"got {text!r}, expected {expected}")
    return minimum, maximum


class RandomFaults:
    """Draws a latency for each request, and whether it fails: with 503 or a dropped connection."""

    def __init__(self, latency: str, rate: float, seed: int | None) -> None:
        if not 0 <= rate <= 1:
            raise OptionError("fault_rate", f"got {rate}, expected a number from 0 (never) to 1 (always)")
        self._latency, self._rate = parse_latency(latency) if latency else (0.0, 0.0), rate
        self.seed = secrets.randbelow(1_000_000) if seed is None else seed
        self._rng = random.Random(self.seed)  # noqa: S311  # repeatable on purpose
        self._lock = threading.Lock()
        self.enabled = self._latency[1] > 0 or rate > 0

    def draw(self) -> tuple[float, InjectedFault | None]:
        """Return the latency of the next request in seconds, and its fault if it fails."""
        with self._lock:  # three numbers for each request, so that a seed gives the same faults at any rate
            latency, failure, kind = (self._rng.random() for _ in range(3))
        minimum, maximum = self._latency
        fault = _make_fault(kind) if failure < self._rate else None
        return minimum + (maximum - minimum) * latency, fault


def _make_fault(kind: float) -> InjectedFault:
    if kind < 0.5:
        return InjectedFault(drop="before", source="random")
    busy = responses.problem_response(503, "the server is busy; try again", headers={"Retry-After": "1"})
    return InjectedFault(busy, source="random")
