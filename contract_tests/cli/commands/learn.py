"""The ``contract-tests learn`` command."""

from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from contract_tests.cli.common.errors import create_report_folder, report_target_errors, report_usage_errors
from contract_tests.cli.common.lock import lock_folder
from contract_tests.cli.common.options import (
    Duration,
    PerSecond,
    add_target_options,
    check_target,
    format_replay_options,
    open_command_executor,
)
from contract_tests.cli.common.output import end_with_output
from contract_tests.cli.configuration.command import ConfiguredCommand
from contract_tests.contract.files.report_file import write_each, write_file
from contract_tests.execution.sending.created_log import CreatedLog
from contract_tests.reports.content.common import escape_console
from contract_tests.runs.options import RunOptions

if TYPE_CHECKING:
    from collections.abc import Callable

    from contract_tests.execution.executor import Executor
    from contract_tests.learning.learner import Learnt
    from contract_tests.results.verdict import Report

_INSTALL = "pip install 'cyberun-contract-kit[learn]' (from a checkout: -e '.[learn]')"
_MACHINE_FILE = "machine.md"


@click.command(cls=ConfiguredCommand)
@add_target_options
@click.option("--rate", type=PerSecond(), help="Limit of requests per time, e.g. 10/s.")
@click.option("--time", "seconds", type=Duration(), help="Limit of time, e.g. 10m.")
@click.option("--max-created", type=click.IntRange(1), default=500, show_default=True,
              help="Limit of services created.")  # fmt: skip
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the random words.")
@click.option("--strict", is_flag=True, help="Fail on assumed rules too.")
@click.option("--report", "folder", type=click.Path(path_type=Path, file_okay=False),
              help=f"Folder for {_MACHINE_FILE}, a diagram, and all reports.")  # fmt: skip
@click.option("--quiet", is_flag=True, help="Print only the summary line.")
def learn(**options: Any) -> NoReturn:
    """Learn the states of a service, and judge them by the contract.

    Sends creates, updates and, with --control-hook, changes of status in words of up to some ten requests, one at a
    time, until the answers to all words are known. It leaves some 300 services behind, which this API cannot delete,
    so it is for a deployment in this process or on staging.

    Exit codes: 0 as the contract says, 1 differs from it, 2 wrong usage, 3 could not be learnt, 130 interrupted.
    """
    folder: Path | None = options["folder"]
    with report_usage_errors():
        learn_target = _load_learning()
        check_target(options)
        if folder:
            create_report_folder(folder)
        log = CreatedLog(folder / "ledger.jsonl" if folder else None)
        executor = open_command_executor(options, log)
    names = ("target", "seed", "strict", "seconds")
    chosen = RunOptions(**{name: options[name] for name in names})
    with closing(log), lock_folder(folder):
        with report_target_errors():
            learnt, report = learn_target(executor, chosen)
        replay_options = format_replay_options(options)
        place = str(folder) if folder else None
        end_with_output(
            partial(
                _show, learnt, report, quiet=options["quiet"], folder=place, replay_options=replay_options
            ),
            report.exit_code,
            folder,
            partial(_write, learnt, report, replay_options=replay_options),
        )


def _load_learning() -> "Callable[[Executor, RunOptions], tuple[Learnt, Report]]":
    """Return the learning, which needs an extra; raise ValueError without it."""
    try:
        from contract_tests.learning.session import learn_target
    except ImportError as error:
        if (error.name or "").partition(".")[0] != "aalpy":
            raise
        raise ValueError(f"learn: AALpy is not installed; {_INSTALL}") from None
    return learn_target


def _show(
    learnt: "Learnt", report: "Report", *, quiet: bool, folder: str | None, replay_options: str
) -> None:
    from contract_tests.reports.terminal import show_report

    lines: list[str] = []
    if learnt.machine and not quiet:
        lines = [f"{len(learnt.machine.accesses)} states:", *learnt.machine.list_lines(), ""]
    elif not learnt.machine:
        lines = [f"not learnt: {learnt.reason}"] + ([] if quiet else [""])
    for line in lines:
        click.echo(escape_console(line))
    show_report(report, quiet=quiet, folder=folder, replay_options=replay_options)


def _write(learnt: "Learnt", report: "Report", folder: Path, *, replay_options: str) -> None:
    from contract_tests.reports.write import write_reports

    writers = [partial(write_reports, report, folder, replay_options=replay_options)]
    if learnt.machine:
        text = learnt.machine.render_markdown(f"States of {report.target}")
        writers.append(partial(write_file, folder / _MACHINE_FILE, text))
    write_each(writers)
