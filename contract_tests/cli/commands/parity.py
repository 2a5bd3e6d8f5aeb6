"""The ``contract-tests parity`` command."""

import shutil
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import click

from contract_tests.cases.callers import load_callers
from contract_tests.cli.common.errors import create_report_folder, report_target_errors, report_usage_errors
from contract_tests.cli.common.options import (
    Duration,
    PerSecond,
    add_target_options,
    check_target,
    open_command_target,
)
from contract_tests.cli.common.output import end_with_output, ignore_signals
from contract_tests.cli.configuration.command import ConfiguredCommand
from contract_tests.reports.content.common import escape_console

#: Of a file or a pipe without COLUMNS.
_COLUMNS = (160, 24)
_USUAL = "the usual options (no --profile)"


@click.command(cls=ConfiguredCommand)
@add_target_options
@click.option("--profile", type=click.Path(path_type=Path), metavar="FILE",
              help="Profile of the mock, as contract-tests calibrate writes it.")  # fmt: skip
@click.option("--requests", type=click.IntRange(100, 10_000_000), default=2000, show_default=True,
              help="Number of requests.")  # fmt: skip
@click.option(
    "--seed", type=int, default=0, show_default=True, help="Seed for the order and the random requests."
)
@click.option("--time", "seconds", type=Duration(), help="Limit of time, e.g. 10m.")
@click.option("--rate", type=PerSecond(), help="Limit of requests per time, e.g. 10/s.")
@click.option("--max-created", type=click.IntRange(1), help="Limit of services created.")
@click.option("--strict", is_flag=True, help="Fail on differences in the shape of answers, too.")
@click.option("--report", "folder", type=click.Path(path_type=Path, file_okay=False),
              help="Folder for parity.html and parity.json.")  # fmt: skip
@click.option("--quiet", is_flag=True, help="Print only the summary line.")
def parity(**options: Any) -> NoReturn:
    """Compare a deployment with the mock.

    Sends the same requests to both, one at a time.

    Each request is sent to the deployment and played on the mock in this process. The report says how often the two
    agree, on which rules and choices they differ, and which rules were verified. A comparison of 2,000 requests
    creates about 500 services, which this API cannot delete.

    Exit codes: 0 agrees, 1 differs, 2 wrong usage, 3 nothing could be compared or a listed caller could not be used,
    130 interrupted.
    """
    from contract_tests.parity.files import write_parity
    from contract_tests.parity.report import build_report, format_outcome, list_lines
    from contract_tests.parity.session import ParityOptions, open_session

    folder: Path | None = options["folder"]
    names = ("profile", "spec", "control_hook", "slug_prefix", "requests", "seconds", "seed", "max_created")
    with report_usage_errors():
        check_target(options)
        if folder:
            create_report_folder(folder)
        callers = load_callers(options["callers"]) if options["callers"] else None
        chosen = ParityOptions(**{name: options[name] for name in names})
        session = open_session(open_command_target(options), callers, chosen)
    started = datetime.now(UTC).isoformat(timespec="seconds")
    with report_target_errors():
        session.run()
        ignore_signals()
    profile = str(options["profile"] or _USUAL)
    report = build_report(
        session, target=options["target"], profile=profile, started=started, strict=options["strict"]
    )
    columns = shutil.get_terminal_size(_COLUMNS).columns
    lines = list_lines(report, columns, str(folder) if folder else None)
    if options["quiet"]:
        lines = iter([format_outcome(report)])
    end_with_output(
        lambda: click.echo("\n".join(map(escape_console, lines))),
        report.exit_code, folder, partial(write_parity, report),
    )  # fmt: skip
