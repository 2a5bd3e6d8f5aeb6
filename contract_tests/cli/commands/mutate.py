"""The ``contract-tests mutate`` command."""

from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import click

from contract_tests.cli.common.errors import create_report_folder, report_target_errors, report_usage_errors
from contract_tests.cli.common.output import end_with_output, end_with_text
from contract_tests.cli.configuration.command import ConfiguredCommand
from contract_tests.cli.long_runs.progress import track_work
from contract_tests.targets.base import TargetError
from contract_tests.targets.control_hook import CONTROL_HOOK_HELP


@click.command(cls=ConfiguredCommand)
@click.option("--target", required=True,
              help="wsgi:module:factory, called as factory(spec=document).")  # fmt: skip
@click.option(
    "--spec", type=click.Path(path_type=Path), help="Another openapi.yaml, with its rules.yaml beside it."
)
@click.option("--control-hook", metavar="URL", help=CONTROL_HOOK_HELP)
@click.option("--equivalent", type=click.Path(path_type=Path), help="YAML list of mutant and reason.")
@click.option("--faults", metavar="MODULE:LIST", help="Behaviour faults to run beside the mutants.")
@click.option("--only", default="", metavar="RULE", help="Run only mutants of rules whose id contains this.")
@click.option("--operator", default="", help="Run only mutants of this operator, e.g. widen.")
@click.option("--jobs", type=click.IntRange(1), help="Number of processes; default: one per core.")
@click.option("--list", "listing", is_flag=True, help="List the mutants without running them.")
@click.option(
    "--report",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for mutants.html and mutants.json.",
)
@click.option("--quiet", is_flag=True, help="Print only the summary line.")
def mutate(**options: Any) -> None:
    """Break the contract in every way; the suite must notice each.

    Each mechanical change of the contract is served, and must be noticed by a case.

    Exit codes: 0 every mutant outside a scope is killed or listed as equivalent, 1 one survived, 2 wrong usage.
    """
    from contract_tests.mutation.engine import all_mutations
    from contract_tests.mutation.faults import load_faults
    from contract_tests.mutation.session import open_session

    with report_usage_errors(), report_target_errors():
        if options["folder"] and not options["listing"]:
            create_report_folder(options["folder"])
        session = open_session(options["target"], spec=options["spec"], control_hook=options["control_hook"],
                           equivalent=options["equivalent"])  # fmt: skip
        planted = load_faults(options["faults"]) if options["faults"] else ()
        everything = all_mutations(session, planted)
        chosen = [
            mutation
            for mutation in everything
            if (not options["only"] or any(options["only"] in rule for rule in mutation.rules))
            and options["operator"] in ("", mutation.operator)
        ]
        if not chosen:
            known = ", ".join(sorted({mutation.operator for mutation in everything}))
            raise TargetError(
                f"no mutant matches --only and --operator; --list lists all; operators: {known}"
            )
    if options["listing"]:
        end_with_text("\n".join(mutation.id for mutation in chosen), 0)
    _run_mutation(session, chosen, options, whole=len(chosen) == len(everything))


def _run_mutation(session: Any, chosen: list[Any], options: dict[str, Any], *, whole: bool) -> NoReturn:
    import time

    from rich.console import Console

    from contract_tests.mutation.engine import find_wrongly_listed, run_mutations
    from contract_tests.mutation.report import MutationReport, print_mutation, print_outcome, write_mutation

    started = time.perf_counter()
    with report_usage_errors():  # a factory or a fault may raise after the first mutants only
        mutations = run_mutations(session, chosen, options["jobs"])
        results = tuple(
            track_work(mutations, len(chosen), "mutants", lambda result: result.state, quiet=options["quiet"])
        )
    wrong = tuple(find_wrongly_listed(session, results)) if whole else ()
    seconds = time.perf_counter() - started
    report = MutationReport(options["target"], seconds, results, wrong, session.spec.document)
    show = print_outcome if options["quiet"] else print_mutation
    end_with_output(
        partial(show, report, Console()),
        report.exit_code,
        options["folder"],
        partial(write_mutation, report),
        following="" if options["quiet"] else suggest_next(report, options["folder"]),
    )


def suggest_next(report: Any, folder: Path | None) -> str:
    """Return what to do after a mutation run in one line, an empty string if nothing."""
    if not report.exit_code:
        return ""
    where = f"{folder}/mutants.html shows each survivor" if folder else "the survivors are above"
    return f"{where}; write a case that sees it, or name it in --equivalent with the reason"
