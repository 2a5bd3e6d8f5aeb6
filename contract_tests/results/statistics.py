"""Statistics: what a number of tries says about how often a fault may show."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

CONFIDENCE = 0.95
#: Of so many tries, a fault of a third of the requests shows in at least one, in 99 of 100 runs.
USUAL_TRIES = 12
_Z = 1.959964  # of an interval that holds the true share 95 times in 100
_MAX_PERIOD = 6
_MAX_REPLAYS = 60
_ORDINALS = {2: "every other", 3: "every third", 4: "every fourth", 5: "every fifth", 6: "every sixth"}


def excluded_rate(tries: int, confidence: float = CONFIDENCE) -> float:
    """Return the rate above which a fault would have shown in so many independent tries: 12 tries exclude 22 %."""
    return 1.0 if tries <= 0 else 1 - (1 - confidence) ** (1 / tries)


def format_percent(rate: float) -> str:
    """Return a rate in percent, without decimals from 1 % on, and never as 0: ``22``, ``0.1``, ``0.003``."""
    return f"{100 * rate:.{'0f' if rate >= 0.01 else '1g'}}"


def count_needed_tries(rate: float, confidence: float = CONFIDENCE) -> int:
    """Return how many tries exclude a fault of this rate: 29 for 10 %."""
    return max(1, math.ceil(math.log(1 - confidence) / math.log(1 - rate) - 1e-9)) if rate < 1 else 1


def count_replays(shown: int, tries: int) -> int:
    """Return how many replays show a fault of this rate with 95 % confidence, at most 60: 7 for 7 of 20 tries."""
    return min(_MAX_REPLAYS, count_needed_tries(shown / tries)) if 0 < shown <= tries else _MAX_REPLAYS


def find_interval(hits: int, tries: int) -> tuple[float, float]:
    """Return the interval of Wilson at 95 % for a share: 18 % to 57 % for 7 of 20; the whole scale without a try."""
    if not tries:
        return 0.0, 1.0
    share, square = hits / tries, _Z * _Z / tries
    middle = (share + square / 2) / (1 + square)
    half = _Z * math.sqrt(share * (1 - share) / tries + square / (4 * tries)) / (1 + square)
    return (max(0.0, middle - half) if hits else 0.0), (min(1.0, middle + half) if hits < tries else 1.0)


@dataclass(frozen=True, slots=True)
class Rate:
    """How often a violation showed in so many tries, and the pattern of them, if there is one."""

    shown: int
    tries: int
    pattern: str = ""

    @property
    def interval(self) -> tuple[float, float]:
        """The interval that covers the true rate in 94 to 96 of 100 such series."""
        return find_interval(self.shown, self.tries)

    def __str__(self) -> str:
        low, high = self.interval
        pattern = f", {self.pattern} time" if self.pattern else ""
        # A periodic fault is no chance: an interval would say nothing.
        range_ = "" if self.pattern else f" (95 %: {low:.0%} to {high:.0%} of requests)"
        return f"{self.shown} of {self.tries} tries{range_}{pattern}"


def find_pattern(hits: Sequence[bool]) -> str:
    """Return the period of a series in words, if it repeats at least three times; else an empty string."""
    for period in range(2, _MAX_PERIOD + 1):
        places = {number % period for number, hit in enumerate(hits) if hit}
        whole = [number % period in places for number in range(len(hits))]
        if len(places) == 1 and whole == list(hits) and len(hits) >= 3 * period:
            return _ORDINALS[period]
    return ""
