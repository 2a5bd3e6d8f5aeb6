"""Latency and faults by chance: the same seed and the same order of calls give the same ones."""

import random
import re
import secrets
import threading

from mock_server.faults.fault import MAX_DELAY_SECONDS, InjectedFault
from mock_server.web import responses

_LATENCY = re.compile(r"([0-9]+(?:\.[0-9]+)?)(?:-([0-9]+(?:\.[0-9]+)?))?(ms|s)")


def parse_latency(text: str) -> tuple[float, float]:
    """The least and the most seconds of a text such as `200ms`, `50-200ms` or `0.1-2s`."""
    match = _LATENCY.fullmatch(text.strip()) if len(text) < 40 else None
    if match is None:
        raise ValueError(f"latency: got {text[:40]!r}, expected such as 200ms, 50-200ms or 0.1-2s")
    unit = 1.0 if match[3] == "s" else 0.001
    least, most = float(match[1]) * unit, float(match[2] or match[1]) * unit
    if not least <= most <= MAX_DELAY_SECONDS:
        raise ValueError(
            f"latency: got {text!r}, expected the less before the more, {MAX_DELAY_SECONDS}s at most"
        )
    return least, most


class RandomFaults:
    """Draws for each call how long it takes, and whether it fails: with 503 or a lost connection."""

    def __init__(self, slow: str, rate: float, seed: int | None) -> None:
        if not 0 <= rate <= 1:
            raise ValueError(f"fault-rate: got {rate}, expected from 0 (never) to 1 (always)")
        self._seconds, self._rate = parse_latency(slow) if slow else (0.0, 0.0), rate
        self.seed = secrets.randbelow(1_000_000) if seed is None else seed
        self._random = random.Random(self.seed)  # noqa: S311  # it is meant to be repeatable
        self._lock = threading.Lock()
        self.enabled = self._seconds[1] > 0 or rate > 0

    def draw(self) -> tuple[float, InjectedFault | None]:
        """The latency of the next call, and its fault. Every call draws as often as every other."""
        with self._lock:
            slow, fails, kind = (self._random.random() for _ in range(3))
        least, most = self._seconds
        return least + (most - least) * slow, _make_fault(kind) if fails < self._rate else None


def _make_fault(kind: float) -> InjectedFault:
    if kind < 0.5:
        return InjectedFault(drop="before")
    return InjectedFault(
        responses.problem_response(503, "a fault by chance (--fault-rate)", headers={"Retry-After": "1"})
    )
