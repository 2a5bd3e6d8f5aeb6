"""How the commands end where what they are given cannot be used."""

import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from mock_server.contract.resources import UnusableFileError


def in_one_line(command: Callable[..., None]) -> Callable[..., None]:
    """What cannot be used is told in one line that says what to do, with exit code 2."""

    @wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> None:
        try:
            command(*args, **kwargs)
        except (UnusableFileError, ValueError) as error:
            click.echo(f"mock-server: {' '.join(str(error).split())}", err=True)
            sys.exit(2)

    return wrapped
