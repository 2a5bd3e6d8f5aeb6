"""Options that the mock and the proxy share, and how a command becomes options objects."""

import os
import re
import signal
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

import click

from mock_server.server.front import BODY_TIMEOUT_SECONDS

Command = Callable[..., Any]
Options = TypeVar("Options")
FILE = click.Path(path_type=Path)
_HOST_NAME = re.compile(r"[A-Za-z0-9_.-]+")
_MAX_SECONDS = 24 * 3600


class _Seconds(click.FloatRange):
    """A time limit; `click.FloatRange` takes `nan` too."""

    def convert(self, value: Any, param: click.Parameter | None, context: click.Context | None) -> Any:
        seconds = super().convert(value, param, context)
        return seconds if seconds == seconds else self.fail("nan is no number of seconds", param, context)


SECONDS = _Seconds(0, _MAX_SECONDS, min_open=True)


def to_frozenset(
    _context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]
) -> frozenset[str]:
    """Return the values of a repeatable option as a set."""
    return frozenset(values)


def parse_hosts(
    _context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]
) -> frozenset[str]:
    """Return the names of hosts as a set; a name with a scheme, a port or a path would never match."""
    for value in values:
        if not _HOST_NAME.fullmatch(value):
            raise click.BadParameter(f"got {value!r}, expected a name such as mock.example")
    return frozenset(values)


_LISTEN_OPTIONS = (
    click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at."),
    click.option(
        "--port",
        default=4010,
        show_default=True,
        type=click.IntRange(0, 65535),
        help="Port; 0 for any free one.",
    ),
    click.option(
        "--body-timeout",
        default=BODY_TIMEOUT_SECONDS,
        show_default=True,
        type=click.FloatRange(0, min_open=True),
        help="Seconds in which the body of a request must arrive, and the next part of a response be read.",
    ),
    click.option(
        "--allow-host",
        "hosts",
        multiple=True,
        callback=parse_hosts,
        metavar="NAME",
        help="Also allow this registered name in Host under /_mock/ (repeatable).",
    ),
    click.option("--quiet", is_flag=True, help="Print errors only."),
)


def listen_options(command: Command) -> Command:
    """Add the options of the server process to a command."""
    for option in reversed(_LISTEN_OPTIONS):
        command = option(command)
    return command


def build_options(kind: type[Options], given: Mapping[str, Any]) -> Options:
    """Return an options object with the parameters of a command that are its fields."""
    names = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    return kind(**{name: value for name, value in given.items() if name in names})


def exit_on_signals() -> None:
    """End at once on SIGINT and SIGTERM until the server handles them: nothing can be lost yet."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: os._exit(0))
