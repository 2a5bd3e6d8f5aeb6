"""Errors of the commands: one line on stderr, and the exit code."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import click

from contract_tests.cases.callers import CallersError
from contract_tests.execution.preflight import CannotJudge
from contract_tests.results.waivers import WaiversError
from contract_tests.targets.base import TargetError


@contextmanager
def report_usage_errors() -> Iterator[None]:
    """Exit with 2 if the user's options or files are unusable."""
    try:
        yield
    except (CallersError, TargetError, WaiversError, ValueError, OSError) as error:
        exit_with(str(error), 2)


@contextmanager
def report_target_errors() -> Iterator[None]:
    """Exit with 3 if the target cannot be judged, and with 130 after Ctrl-C before any result."""
    try:
        yield
    except CannotJudge as error:
        exit_with(str(error), 3)
    except KeyboardInterrupt:
        exit_with("interrupted before anything could be judged", 130)


def exit_with(text: str, code: int) -> NoReturn:
    """Print one line on stderr and exit."""
    click.echo(f"contract-tests: {' '.join(text.split())}", err=True)
    sys.exit(code)
