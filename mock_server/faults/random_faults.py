"""Latency and faults by chance: the same seed and the same order of calls give the same ones."""

import random
import re
import secrets
import threading

from mock_server.faults.fault import LONGEST, Effect
from mock_server.web import responses

_LATENCY = re.compile(r"([0-9]+(?:\.[0-9]+)?)(?:-([0-9]+(?:\.[0-9]+)?))?(ms|s)")


def latency(text: str) -> tuple[float, float]:
    """The least and the most seconds of a text such as `200ms`, `50-200ms` or `0.1-2s`."""
    match = _LATENCY.fullmatch(text.strip()) if len(text) < 40 else None
    if match is None:
        raise ValueError(f"latency: seen {text[:40]!r}, wanted such as 200ms, 50-200ms or 0.1-2s")
    unit = 1.0 if match[3] == "s" else 0.001
    least, most = float(match[1]) * unit, float(match[2] or match[1]) * unit
    if not least <= most <= LONGEST:
        raise ValueError(f"latency: seen {text!r}, wanted the less before the more, {LONGEST}s at most")
    return least, most


class Chance:
    """Draws for each call how long it takes, and whether it fails: with 503 or a lost connection."""

    def __init__(self, slow: str, rate: float, seed: int | None) -> None:
        if not 0 <= rate <= 1:
            raise ValueError(f"fault-rate: seen {rate}, wanted from 0 (never) to 1 (always)")
        self._seconds, self._rate = latency(slow) if slow else (0.0, 0.0), rate
        self.seed = secrets.randbelow(1_000_000) if seed is None else seed
        self._random = random.Random(self.seed)  # noqa: S311  # it is meant to be repeatable
        self._lock = threading.Lock()
        self.on = self._seconds[1] > 0 or rate > 0

    def draw(self) -> tuple[float, Effect | None]:
        """The latency of the next call, and its fault. Every call draws as often as every other."""
        with self._lock:
            slow, fails, kind = (self._random.random() for _ in range(3))
        least, most = self._seconds
        return least + (most - least) * slow, _fault(kind) if fails < self._rate else None


def _fault(kind: float) -> Effect:
    if kind < 0.5:
        return Effect(drop="before")
    return Effect(responses.problem(503, "a fault by chance (--fault-rate)", headers={"Retry-After": "1"}))
