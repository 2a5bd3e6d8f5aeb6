"""The ``contract-tests mutate`` command."""

import sys
from pathlib import Path
from typing import Any

import click

from contract_tests.cli.errors import report_target_errors, report_usage_errors
from contract_tests.targets.base import TargetError


@click.command()
@click.option("--target", required=True,
              help="wsgi:module:factory, called as factory(spec=document).")  # fmt: skip
@click.option(
    "--spec", type=click.Path(path_type=Path), help="Another openapi.yaml, its rules.yaml beside it."
)
@click.option("--control-hook", metavar="URL", help="Sets a status: path with {id} and {status}.")
@click.option("--equivalent", type=click.Path(path_type=Path), help="YAML list of mutant and reason.")
@click.option("--faults", metavar="MODULE:LIST", help="Behaviour faults to be tried beside the mutants.")
@click.option("--only", default="", metavar="RULE", help="Only mutants of rules whose id contains this.")
@click.option("--operator", default="", help="Only mutants of this operator, e.g. widen.")
@click.option(
    "--jobs", type=click.IntRange(1), help="Processes; as many as there are cores unless told otherwise."
)
@click.option("--list", "listing", is_flag=True, help="Name the mutants, try none.")
@click.option(
    "--report",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write mutants.html and .json.",
)
def mutate(**given: Any) -> None:
    """Break the contract in every mechanical way, and see that the suite notices each break.

    Exit codes: 0 every mutant is killed or listed as equivalent, 1 one survived, 2 usage.
    """
    from contract_tests.mutation.engine import Mutation, all_mutants
    from contract_tests.mutation.faults import load_faults
    from contract_tests.mutation.session import open_session

    with report_usage_errors(), report_target_errors():
        bench = open_session(given["target"], spec=given["spec"], control_hook=given["control_hook"],
                           equivalent=given["equivalent"])  # fmt: skip
        everything: list[Mutation] = [
            *all_mutants(bench),
            *(load_faults(given["faults"]) if given["faults"] else ()),
        ]
        chosen = [
            subject
            for subject in everything
            if (not given["only"] or any(given["only"] in rule for rule in subject.rules))
            and given["operator"] in ("", subject.operator)
        ]
        if not chosen:
            raise TargetError("no mutant is of that rule and operator; --list names them all")
    if given["listing"]:
        click.echo("\n".join(subject.id for subject in chosen))
        return
    sys.exit(_run_mutation(bench, chosen, given, whole=len(chosen) == len(everything)))


def _run_mutation(bench: Any, chosen: list[Any], given: dict[str, Any], *, whole: bool) -> int:
    import time

    from rich.console import Console
    from rich.progress import track

    from contract_tests.mutation.engine import find_wrongly_listed, run_mutations
    from contract_tests.mutation.report import MutationReport, print_mutation, write_mutation

    started, console = time.perf_counter(), Console(stderr=True)
    fates = tuple(
        track(run_mutations(bench, chosen, given["jobs"]), "mutants", len(chosen), console=console, transient=True,
              disable=not console.is_terminal)
    )  # fmt: skip
    wrong = tuple(find_wrongly_listed(bench, fates)) if whole else ()
    seconds = time.perf_counter() - started
    report = MutationReport(given["target"], seconds, fates, wrong, bench.spec.document)
    print_mutation(report, Console())
    if given["folder"]:
        write_mutation(report, given["folder"])
        click.echo(f"reports: {given['folder']}", err=True)
    return report.exit_code
