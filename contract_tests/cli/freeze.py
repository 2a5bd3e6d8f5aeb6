"""The ``contract-tests freeze`` command, for developers of the kit."""

import click

from contract_tests.contract.spec import load_spec
from contract_tests.generation.rounds import GATE_EXAMPLES


@click.command(hidden=True)
def freeze() -> None:
    """Write the generated bodies and scenarios that are shipped for the gate."""
    from contract_tests.execution.random_scenarios import freeze_scenarios
    from contract_tests.generation.bodies import freeze_samples

    freeze_samples(load_spec(), 0, GATE_EXAMPLES)
    freeze_scenarios(0)
