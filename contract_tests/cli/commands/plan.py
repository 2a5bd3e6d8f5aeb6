"""The ``contract-tests plan`` command, for developers of the kit."""

import random
from typing import Any

import click

from contract_tests.cli.common.errors import report_target_errors, report_usage_errors
from contract_tests.cli.long_runs.progress import track_work


@click.command(hidden=True)
@click.option("--target", required=True, help="wsgi:module:factory, called as factory(spec=document).")
@click.option("--control-hook", metavar="URL", help="As in contract-tests mutate.")
@click.option("--faults", metavar="MODULE:LIST", help="Behaviour faults beside the mutants.")
@click.option("--sample", type=click.IntRange(1), help="Learn from so many faults, drawn at random.")
def plan(**options: Any) -> None:
    """Learn from every mutant which cases tell most per request, and write the plan of --budget."""
    from contract_tests.mutation.engine import all_mutations
    from contract_tests.mutation.faults import load_faults
    from contract_tests.mutation.kill_matrix import build_session_units, iter_kills, list_decided
    from contract_tests.mutation.sample import ScopedMutant
    from contract_tests.mutation.session import open_session
    from contract_tests.planning.plan import build_plan, save_plan

    with report_usage_errors(), report_target_errors():
        session = open_session(options["target"], control_hook=options["control_hook"])
        planted = load_faults(options["faults"]) if options["faults"] else ()
        mutations = [m for m in all_mutations(session, planted) if not isinstance(m, ScopedMutant)]
    if options["sample"]:
        mutations = random.Random(0).sample(mutations, min(options["sample"], len(mutations)))  # noqa: S311
    units = build_session_units(session)
    kills = track_work(iter_kills(session, units, mutations), len(mutations), "faults")
    save_plan(build_plan(dict(kills), list_decided(session, units), units))
