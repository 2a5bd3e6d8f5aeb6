"""The ``contract-tests check`` command."""

import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import click

from contract_tests.cli.errors import report_usage_errors
from contract_tests.contract.rules import load_catalogue
from contract_tests.contract.spec import load_spec
from contract_tests.results.aggregate import Aggregate
from contract_tests.results.verdict import LayerSummary, Report, decide_verdicts


@click.command()
@click.argument("recording", type=click.Path(path_type=Path))
@click.option("--strict", is_flag=True, help="Hold the target to the assumed rules too.")
@click.option(
    "--report", "folder", type=click.Path(path_type=Path, file_okay=False), help="Write all reports here."
)
def check(recording: Path, *, strict: bool, folder: Path | None) -> None:
    """Judge the requests and answers of a RECORDING (HAR); nothing is sent.

    Exit codes: 0 nothing is violated in it, 1 something is, 2 usage.
    """
    from contract_tests.results.recording import judge_recording, load_recording

    with report_usage_errors():
        catalogue = load_catalogue()
        results = judge_recording(load_recording(recording), load_spec(), catalogue)
        if not results:
            raise ValueError(
                f"{recording} holds no call of POST /containers or PUT /containers/{{serviceId}}"
            )
    rows, found = decide_verdicts(Aggregate.of(results), catalogue, {}, strict=strict)
    unseen = "nothing in the recording shows it"
    report = Report(
        target=str(recording),
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds=0.0,
        seed=0,
        strict=strict,
        callers=(),
        verdicts=tuple(replace(r, reason=unseen) if r.verdict == "not observed" else r for r in rows),
        findings=found,
        layers={"wire": LayerSummary(len(results), len(results), 0.0)},
        requests=len(results),
        created=0,
        traffic=tuple(exchange for result in results for exchange in result.exchanges),
    )
    _show_report(report, folder)
    sys.exit(report.exit_code)


def _show_report(report: Report, folder: Path | None) -> None:
    from rich.console import Console

    from contract_tests.reports.terminal import print_report

    print_report(report, Console())
    if folder:
        from contract_tests.reports.write import (
            write_reports,  # templates and formats only where they are asked for
        )

        write_reports(report, folder)
        click.echo(f"reports: {folder}", err=True)
