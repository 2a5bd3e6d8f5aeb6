"""The ``contract-tests calibrate`` command."""

import os
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from contract_tests.cli.common.errors import report_target_errors, report_usage_errors
from contract_tests.cli.common.options import (
    PerSecond,
    add_target_options,
    check_target,
    open_command_executor,
)
from contract_tests.cli.common.output import end_with_output, ignore_signals
from contract_tests.cli.configuration.command import ConfiguredCommand
from contract_tests.contract.files.report_file import open_at_once
from contract_tests.execution.sending.created_log import CreatedLog
from contract_tests.reports.content.common import escape_console


@click.command(cls=ConfiguredCommand)
@add_target_options
@click.option("--rate", type=PerSecond(), help="Limit of requests per time, e.g. 10/s.")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), required=True,
              metavar="FILE", help="File to which the profile is written.")  # fmt: skip
@click.option("--quiet", is_flag=True, help="Print only the summary line.")
def calibrate(output: Path, *, quiet: bool, **options: Any) -> None:
    """Learn how a deployment chose where the pages are silent.

    That takes at most 160 requests and 25 services. The profile in FILE makes the mock choose the same: mock-server
    --profile FILE. A broken rule is reported, and never learnt.

    Exit codes: 0 learnt, 1 a rule is broken, 2 wrong usage, 3 the target could not be judged or nothing could be
    learnt, 130 interrupted.
    """
    from contract_tests.calibration import learner
    from contract_tests.calibration.probing.limits import MAX_CREATED
    from contract_tests.calibration.profile import write_profile
    from contract_tests.calibration.report import format_last_line, list_lines

    with report_usage_errors():
        check_target(options)
        if not output.absolute().parent.is_dir():
            raise ValueError(f"{output.parent}: no such folder; name a file in a folder that exists with -o")
        _check_writable(output)
        executor = open_command_executor({**options, "max_created": MAX_CREATED}, CreatedLog())
    with report_target_errors():
        calibration = learner.calibrate(executor)
        ignore_signals()
    lines = [format_last_line(calibration)] if quiet else list_lines(calibration, _read_columns())
    today = datetime.now(UTC).date().isoformat()
    end_with_output(
        lambda: click.echo("\n".join(map(escape_console, lines))),
        calibration.exit_code,
        output,
        lambda file: write_profile(calibration, file, today),
        label="profile",
    )


def _read_columns() -> int:
    """Return the columns of the terminal, or those that the user names; 0 for a file or a pipe."""
    wrapped = sys.stdout.isatty() or os.environ.get("COLUMNS", "").isdecimal()
    return shutil.get_terminal_size().columns if wrapped else 0


def _check_writable(output: Path) -> None:
    """Raise ValueError for a file that cannot be written, before anything is sent."""
    try:
        existed = output.exists()
        open_at_once(output).close()
        if not existed:
            output.unlink()
    except OSError as error:
        raise ValueError(f"-o: {output}: {error.strerror}; name a file that can be written") from None
