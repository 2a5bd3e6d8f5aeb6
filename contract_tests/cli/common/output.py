"""The end of a command, where it prints and writes: a full disk or a reader that has left loses no exit code."""

import os
import shutil
import signal
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import NoReturn, TextIO

import click

from contract_tests.cli.common.streams import open_closed_streams
from contract_tests.cli.long_runs.progress import suggest_next
from contract_tests.results.verdict import Report

_STDOUT = "standard output"


def end_with_report(
    report: Report,
    folder: Path | None,
    write: Callable[[Path], None],
    *,
    quiet: bool = False,
    replay_options: str = "",
    resumable: bool = True,
    problems: Iterable[str] = (),
) -> NoReturn:
    """Print the report, then write it into ``folder`` if there is one, and exit with its code.

    Output that cannot be written is one line on stderr each, after the earlier ``problems``; it makes exit code 2 of
    0, and changes no other. Signals are ignored meanwhile, so that none loses the report.
    """
    ignore_signals()
    from contract_tests.reports.terminal import show_report

    place = str(folder) if folder else None
    show = partial(show_report, report, quiet=quiet, folder=place, replay_options=replay_options)
    following = "" if quiet else suggest_next(report, place, replay_options if resumable else "")
    end_with_output(show, report.exit_code, folder, write, problems=problems, following=following)


def end_with_output(
    show: Callable[[], None],
    code: int,
    folder: Path | None = None,
    write: Callable[[Path], None] = lambda _: None,
    *,
    problems: Iterable[str] = (),
    following: str = "",
    label: str = "reports",
) -> NoReturn:
    """Print and write the results of a command, and exit with its code; see ``end_with_report``.

    ``following`` says what to do next; it is left out if something could not be written. ``label`` names what is
    written into ``folder``, which may be a file.
    """
    ignore_signals()
    open_closed_streams()  # code of the user may have closed one
    lines = [*problems, *find_problems(show, _STDOUT)]
    unwritten = find_problems(partial(write, folder), str(folder)) if folder else []
    done = [f"{label}: {folder}"] if folder and not unwritten else []
    done += [_wrap_next(following)] if following and not (lines or unwritten) else []
    _exit_with_problems(code, [*lines, *unwritten], done)


def _wrap_next(following: str) -> str:
    """Return what to do next, wrapped in a terminal; a command stays whole, so that it can be pasted."""
    if "--resume" in following or not sys.stderr.isatty():
        return f"next: {following}"
    columns = shutil.get_terminal_size().columns
    return textwrap.fill(
        f"next: {following}", max(columns, 20), break_long_words=False, break_on_hyphens=False
    )


def end_with_text(text: str, code: int) -> NoReturn:
    """Print the last lines of a command and exit with a code; 2 in place of 0 if they cannot be written."""
    end_with_output(partial(click.echo, text), code)


@contextmanager
def report_unwritable_output() -> Iterator[None]:
    """Exit with 2 if a command cannot print, as for --help; quietly if the reader has left."""
    try:
        yield
    except OSError as error:
        quiet = isinstance(error, BrokenPipeError)
        _exit_with_problems(2, [] if quiet else [format_os_error(error, _STDOUT)])


def _exit_with_problems(code: int, problems: list[str], done: Iterable[str] = ()) -> NoReturn:
    with suppress(OSError):
        for line in problems:
            click.echo(f"contract-tests: {line}", err=True)
        for line in done:
            click.echo(line, err=True)
    _discard_unwritten(sys.stdout)
    _discard_unwritten(sys.stderr)
    sys.exit(code or (2 if problems else 0))


def find_problems(write: Callable[[], None], place: str) -> list[str]:
    """Return why something cannot be written, a line for each file; a reader that has left is no problem."""
    lines: list[str] = []
    try:
        write()
    except* BrokenPipeError:
        pass
    except* OSError as failed:
        lines += [format_os_error(error, place) for error in failed.exceptions if isinstance(error, OSError)]
    return lines


def format_os_error(error: OSError, place: str = "") -> str:
    """Return an error in one line, with the file that it names, or else ``place``."""
    where = error.filename or place
    return f"{f'{where}: ' if where else ''}{error.strerror or error}"


def _discard_unwritten(stream: TextIO | None) -> None:
    """Discard what a broken pipe or a full disk does not take, which Python would try to write at its end."""
    try:
        if stream:
            stream.flush()
    except OSError:
        if stream:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def ignore_signals() -> None:
    """Let no signal disturb what is left: it sends nothing, and loses its results if it is cut short."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):  # Windows has no SIGHUP
            signal.signal(getattr(signal, name), signal.SIG_IGN)
