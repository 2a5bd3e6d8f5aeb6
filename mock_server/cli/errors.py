"""Mistakes of a user: one line on standard error, and exit code 2."""

import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from mock_server.contract.resources import UnusableFileError


def report_cli_errors(command: Callable[..., None]) -> Callable[..., None]:
    """Report configuration errors on one line and exit with code 2."""

    @wraps(command)
    def reporting(*args: Any, **kwargs: Any) -> None:
        try:
            command(*args, **kwargs)
        except (UnusableFileError, ValueError) as error:
            click.echo(f"mock-server: {' '.join(str(error).split())}", err=True)
            sys.exit(2)

    return reporting
