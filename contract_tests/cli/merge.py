"""The ``contract-tests merge`` command."""

import sys
from pathlib import Path

import click

from contract_tests.cli.errors import report_usage_errors
from contract_tests.contract.rules import load_catalogue


@click.command()
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="DIR...")
@click.option(
    "--report", "folder", type=click.Path(path_type=Path, file_okay=False), help="Folder for all reports."
)
@click.option("--quiet", is_flag=True, help="Print only the summary line.")
def merge(folders: tuple[Path, ...], *, folder: Path | None, quiet: bool) -> None:
    """Merge the reports of the runs that report to DIR... into one, with a verdict per rule.

    Exit codes: the same as of a single run.
    """
    from contract_tests.reports.har import merge_har
    from contract_tests.reports.terminal import show_report
    from contract_tests.runs.checkpoint import load_state, merge_states

    with report_usage_errors():
        if folder and folder.resolve() in [path.resolve() for path in folders]:
            raise ValueError(f"--report {folder} is one of the runs to merge; name another folder")
        state = merge_states([load_state(path) for path in folders])
        spec = state.command_options.get("spec")
        rules = Path(spec).parent / "rules.yaml" if spec else None
        report = state.build_report(load_catalogue(rules if rules and rules.is_file() else None))
        if folder:
            from contract_tests.reports.write import write_reports

            write_reports(report, folder)
            state.save(folder)
            merge_har([path / "traffic.har" for path in folders], folder / "traffic.har")
            logs = [path / "ledger.jsonl" for path in folders]
            lines = "".join(path.read_text("utf-8") for path in logs if path.is_file())
            (folder / "ledger.jsonl").write_text(lines, "utf-8")
    show_report(report, quiet=quiet, folder=str(folder) if folder else None)
    if folder:
        click.echo(f"reports: {folder}", err=True)
    sys.exit(report.exit_code)
