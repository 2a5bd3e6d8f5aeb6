"""Errors of the commands: one line on stderr, and the exit code."""

import sys
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import click

from contract_tests.cases.callers import CallersError
from contract_tests.cli.common.guesses import find_command_hint, find_option_hint
from contract_tests.cli.common.output import format_os_error, report_unwritable_output
from contract_tests.contract.resources import VERSION
from contract_tests.contract.waivers import WaiversError
from contract_tests.execution.preflight.plain_creates import CannotJudge
from contract_tests.execution.sending.limits import TargetGone
from contract_tests.reports.content.common import escape_console
from contract_tests.targets.base import TargetError

#: Characters of the one line before and after what is left out.
_MAX_HALF = 1_000


class CommandGroup(click.Group):
    """Commands that end with one line, whatever happens: never with a traceback."""

    def make_context(self, *args: Any, **options: Any) -> click.Context:
        """Read the arguments; that may print the help."""
        with report_unwritable_output():
            return super().make_context(*args, **options)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command of this name; the error of a name that users guess says what they look for."""
        if args[0] not in self.commands and (hint := find_command_hint(args[0])):
            ctx.fail(f"No such command '{args[0]}'; {hint}.")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; an unforeseen error is one line, and a file to report."""
        try:
            with report_unwritable_output():
                return super().invoke(ctx)
        except click.NoSuchOption as error:
            hint = find_option_hint(error.option_name, error.ctx.command) if error.ctx else ""
            if not hint:
                raise
            raise click.UsageError(f"No such option '{error.option_name}'; {hint}.", error.ctx) from error
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except KeyboardInterrupt:
            exit_with("interrupted", 130)
        except MemoryError:
            exit_with("no memory is left for what the files or the target hold", 3)
        except Exception as error:
            # Neither the line nor the file has the message or any value: they could hold a secret.
            file = _write_frames(error)
            exit_with(f"an error of the kit ({type(error).__name__}), please report it with {file}", 3)


def _write_frames(error: Exception) -> str:
    """Write the places in the code that led to an error, without any value; return the name of the file."""
    with tempfile.NamedTemporaryFile("w", prefix="contract-tests-", suffix=".txt", delete=False) as file:
        file.writelines((f"{VERSION} {type(error).__name__}\n", *traceback.format_tb(error.__traceback__)))
    return file.name


@contextmanager
def report_usage_errors() -> Iterator[None]:
    """Exit with 2 if the user's options or files are unusable."""
    try:
        yield
    except OSError as error:
        exit_with(format_os_error(error), 2)
    except (CallersError, TargetError, WaiversError, ValueError) as error:
        exit_with(str(error), 2)


def create_report_folder(folder: Path) -> None:
    """Create the folder of ``--report``; raise ValueError, which names the option, if it cannot be created."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ValueError(f"--report {folder}: {reason}; name a folder that can be written") from error


@contextmanager
def report_target_errors() -> Iterator[None]:
    """Exit with 3 if the target cannot be judged, and with 130 after Ctrl-C before any result."""
    try:
        yield
    except CannotJudge as error:
        exit_with(str(error), 3)
    except TargetGone as gone:
        exit_with(f"the target {gone}", 3)
    except KeyboardInterrupt:
        exit_with("interrupted before anything could be judged", 130)


def exit_with(text: str, code: int) -> NoReturn:
    """Print one line on stderr, without control characters of the target and the middle of a huge value, and exit."""
    line = " ".join(text.split())
    if len(line) > 2 * _MAX_HALF:
        line = f"{line[:_MAX_HALF]} … {line[-_MAX_HALF:]}"
    click.echo(f"contract-tests: {escape_console(line)}", err=True)
    sys.exit(code)
