"""What the options of the commands are read as: a time, a rate, a shard."""

import re
from typing import Any

import click

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


class Duration(click.ParamType[float]):
    """A time in seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read ``90``, ``90s``, ``10m`` or ``2h`` as seconds."""
        if isinstance(value, float):
            return value
        match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([smh]?)", str(value))
        if not match or float(match[1]) <= 0:
            self.fail(f"{value!r} is not a time such as 90s, 10m or 2h", param, ctx)
        return float(match[1]) * _UNITS[match[2] or "s"]


class PerSecond(click.ParamType[float]):
    """A number of requests per second."""

    name = "rate"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read ``10/s``, ``10`` or ``30/m`` as requests per second."""
        if isinstance(value, float):
            return value
        match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)(?:/([smh]))?", str(value))
        if not match or float(match[1]) <= 0:
            self.fail(f"{value!r} is not a rate such as 10/s or 30/m", param, ctx)
        return float(match[1]) / _UNITS[match[2] or "s"]


class Shard(click.ParamType[tuple[int, int]]):
    """The i-th of n parts."""

    name = "i/n"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        """Read ``1/4`` as the first of four."""
        if isinstance(value, tuple):
            return value
        match = re.fullmatch(r"([0-9]+)/([0-9]+)", str(value))
        if not match or not 1 <= int(match[1]) <= int(match[2]):
            self.fail(f"{value!r} is not a shard such as 1/4", param, ctx)
        return int(match[1]), int(match[2])
