"""Errors of the commands: one line on standard error, and exit code 2, or 1 for an unforeseen one."""

import os
import sys
import tempfile
import traceback
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import Any, NoReturn

import click

from mock_server.contract.resources import VERSION, OptionError, UnusableFileError

#: The options that have another name than their argument in Python.
_FLAGS = {"disabled_rules": "--disable-rule"}


def report_cli_errors(command: Callable[..., None]) -> Callable[..., None]:
    """Report configuration errors on one line and exit with code 2; others with 1 and a file to report."""

    @wraps(command)
    def reporting(*args: Any, **kwargs: Any) -> None:
        try:
            command(*args, **kwargs)
        except (UnusableFileError, ValueError) as error:
            click.echo(f"mock-server: {' '.join(_describe(error).split())}", err=True)
            sys.exit(2)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except OSError as error:
            _exit_with_os_error(error)
        except Exception as error:
            # Neither the line nor the file has the message or any value: they could hold a secret.
            file = _write_frames(error)
            name = type(error).__name__
            click.echo(f"mock-server: an error of the kit ({name}), please report it with {file}", err=True)
            sys.exit(1)

    return reporting


class ReportingGroup(click.Group):
    """Commands whose --help and --version, too, report an output that cannot be written on one line."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command of this name; the error of an unknown one says how the mock is served."""
        if args[0] not in self.commands and not args[0].startswith("-"):
            known = ", ".join(sorted(self.commands))
            ctx.fail(
                f"No such command '{args[0]}'; mock-server without a command serves the mock, others are {known}."
            )
        return super().resolve_command(ctx, args)

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run a command; click itself ends quietly once the reader has left."""
        try:
            return super().main(*args, **kwargs)
        except OSError as error:
            _exit_with_os_error(error)


def _exit_with_os_error(error: OSError) -> NoReturn:
    """Report a file, or the standard output, that cannot be used; then discard what Python would write at its end."""
    with suppress(OSError):
        place = error.filename or "standard output"
        click.echo(f"mock-server: {place}: {error.strerror or error}", err=True)
    for stream in filter(None, (sys.stdout, sys.stderr)):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    sys.exit(2)


def _describe(error: Exception) -> str:
    """Return the message, in which an option has the name that the user typed."""
    if not isinstance(error, OptionError):
        return str(error)
    return f"{_FLAGS.get(error.name, '--' + error.name.replace('_', '-'))}: {error.problem}"


def _write_frames(error: Exception) -> str:
    """Write the places in the code that led to an error; return the name of the file."""
    with tempfile.NamedTemporaryFile("w", prefix="mock-server-", suffix=".txt", delete=False) as file:
        file.writelines((f"{VERSION} {type(error).__name__}\n", *traceback.format_tb(error.__traceback__)))
    return file.name
