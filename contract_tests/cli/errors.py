"""How the commands end when they cannot go on: one line on stderr, and an exit code that says whose turn it is."""

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
def usage_errors() -> Iterator[None]:
    """End with 2 where what the user gave cannot be used."""
    try:
        yield
    except (CallersError, TargetError, WaiversError, ValueError, OSError) as error:
        end(str(error), 2)


@contextmanager
def unjudged() -> Iterator[None]:
    """End with 3 where the target cannot be judged, with 130 after Ctrl-C before anything was seen."""
    try:
        yield
    except CannotJudge as error:
        end(str(error), 3)
    except KeyboardInterrupt:
        end("interrupted before anything could be judged", 130)


def end(text: str, code: int) -> NoReturn:
    """Say one line and exit."""
    click.echo(f"contract-tests: {' '.join(text.split())}", err=True)
    sys.exit(code)
