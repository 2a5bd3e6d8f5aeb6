"""The ``contract-tests merge`` command."""

import shutil
from functools import partial
from pathlib import Path

import click

from contract_tests.cli.commands.run import write_report_folder
from contract_tests.cli.common.errors import create_report_folder, exit_with, report_usage_errors
from contract_tests.cli.common.options import (
    add_comparison_options,
    add_report_options,
    check_formats,
    format_saved_options,
    read_comparison_options,
)
from contract_tests.cli.common.output import end_with_report
from contract_tests.cli.configuration.command import ConfiguredCommand
from contract_tests.cli.long_runs.progress import track_work
from contract_tests.contract.files.report_file import replace_file, write_each
from contract_tests.contract.rules import load_catalogue
from contract_tests.results.verdict import Report
from contract_tests.runs.checkpoint import RunState, load_state, merge_states


@click.command(cls=ConfiguredCommand)
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="DIR...")
@add_report_options
@click.option("--quiet", is_flag=True, help="Print only the summary line.")
@add_comparison_options
def merge(
    folders: tuple[Path, ...],
    *,
    folder: Path | None,
    formats: tuple[str, ...],
    quiet: bool,
    **earlier: Path | None,
) -> None:
    """Merge the reports of several runs into one.

    Each DIR is the folder to which a run reports. The merged report has a verdict per rule.

    Exit codes: the same as of a single run.
    """
    with report_usage_errors():
        check_formats(formats, folder)
        if folder:
            create_report_folder(folder)
        if folder and any(path.is_dir() and folder.samefile(path) for path in folders):
            raise ValueError(f"--report {folder} is one of the runs to merge; name another folder")
        states = track_work(map(load_state, folders), len(folders), "reports", quiet=quiet)
        state = merge_states(list(states))
        spec = state.command_options.get("spec")
        rules = Path(spec).parent / "rules.yaml" if spec else None
        compare = read_comparison_options(**earlier)
        catalogue = load_catalogue(rules if rules and rules.is_file() else None)
        state.check_rules(catalogue)
        report = compare(state.build_report(catalogue))
    replay_options = format_saved_options(state.command_options)
    write = partial(_write_merged, report, state, folders, formats, replay_options)
    end_with_report(report, folder, write, quiet=quiet, replay_options=replay_options, resumable=False)


def _write_merged(
    report: Report,
    state: RunState,
    folders: tuple[Path, ...],
    formats: tuple[str, ...],
    replay_options: str,
    folder: Path,
) -> None:
    """Write the reports of all runs, and their state, traffic and log."""
    from contract_tests.reports.har import merge_har

    spec = state.command_options.get("spec")
    places = Path(spec) if spec else None

    def merge_traffic() -> None:
        try:
            merge_har([path / "traffic.har" for path in folders], folder / "traffic.har")
        except ValueError as error:
            exit_with(str(error), 2)

    def merge_logs() -> None:
        logs = (path / "ledger.jsonl" for path in folders)
        with replace_file(folder / "ledger.jsonl") as merged:
            for path in logs:
                if path.is_file():
                    with path.open("rb") as log:  # of a night, it is too long for the memory
                        shutil.copyfileobj(log, merged)

    write_reports = partial(
        write_report_folder, report, folder, formats=formats, spec=places, replay_options=replay_options
    )
    write_each([write_reports, partial(state.save, folder), merge_traffic, merge_logs])
