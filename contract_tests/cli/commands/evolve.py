"""The ``contract-tests evolve`` command."""

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import click

from contract_tests.cli.common.errors import create_report_folder, report_usage_errors
from contract_tests.cli.common.options import Duration
from contract_tests.cli.common.output import end_with_output
from contract_tests.cli.configuration.command import ConfiguredCommand
from contract_tests.reports.content.common import escape_console

_STYLES: dict[str, dict[str, Any]] = {
    "breaking": {"fg": "red", "bold": True},
    "recorded call breaks": {"fg": "red", "bold": True},
    "relaxed": {"fg": "green"},
    "response changed": {"fg": "yellow"},
    "no witness found": {"dim": True},
}


@click.command(cls=ConfiguredCommand)
@click.argument("old", type=click.Path(path_type=Path), metavar="OLD-SPEC")
@click.argument("new", type=click.Path(path_type=Path), metavar="NEW-SPEC")
@click.option("--traffic", type=click.Path(path_type=Path), metavar="HAR",
              help="Recorded traffic: which of its calls break?")  # fmt: skip
@click.option("--target", default="wsgi:mock_server:create_app", show_default=True,
              help="wsgi:module:factory, called as factory(spec=document).")  # fmt: skip
@click.option("--seed", type=int, default=0, show_default=True, help="Seed for texts of changed patterns.")
@click.option("--max-requests", type=click.IntRange(1), default=20_000, show_default=True,
              help="Limit of requests.")  # fmt: skip
@click.option("--time", "seconds", type=Duration(), default="2m", show_default=True, help="Limit of time.")
@click.option("--report", "folder", type=click.Path(path_type=Path, file_okay=False),
              help="Folder for evolution.json and evolution.md.")  # fmt: skip
@click.option("--quiet", is_flag=True, help="Print only the summary line.")
def evolve(old: Path, new: Path, **options: Any) -> NoReturn:
    """Tell what breaks clients if NEW-SPEC replaces OLD-SPEC.

    Each change comes with a request that both contracts answered differently, each served in this process.

    Exit codes: 0 nothing breaks, 1 something breaks clients, 2 wrong usage, 3 the limits ended the search before
    anything broke.
    """
    from contract_tests.evolution.files import write_evolution
    from contract_tests.evolution.report import EvolutionReport, list_lines
    from contract_tests.evolution.search import Limits, open_evolution, read_contract
    from contract_tests.evolution.traffic import play_recording
    from contract_tests.results.recorded.recording import load_recording

    folder: Path | None = options["folder"]
    with report_usage_errors():
        recording = load_recording(options["traffic"]) if options["traffic"] else None
        if folder:
            create_report_folder(folder)
        limits = Limits(options["max_requests"], options["seconds"], options["seed"])
        contracts = read_contract(old), read_contract(new)
        evolution = open_evolution(*contracts, options["target"], limits)
        findings = tuple(evolution.search())
        traffic = play_recording(evolution, recording) if recording else None
    budget = evolution.budget
    report = EvolutionReport(str(old), str(new), options["target"], limits.seed, budget.requests,
                             not budget.is_spent, findings, traffic)  # fmt: skip
    lines = list(list_lines(report))
    end_with_output(
        partial(_show, lines[-1:] if options["quiet"] else lines),
        report.exit_code,
        folder,
        partial(write_evolution, report),
    )


def _show(lines: Iterable[tuple[str, str]]) -> None:
    for name, text in lines:
        label = click.style(name.ljust(17), **_STYLES.get(name, {}))
        click.echo(f"{label} {escape_console(text)}" if name else escape_console(text))
