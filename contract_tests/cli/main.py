"""The ``contract-tests`` command."""

import click

from contract_tests.cli.check import check
from contract_tests.cli.errors import CommandGroup
from contract_tests.cli.freeze import freeze
from contract_tests.cli.merge import merge
from contract_tests.cli.mutate import mutate
from contract_tests.cli.replay import replay
from contract_tests.cli.run import run
from contract_tests.contract.resources import VERSION


@click.group(
    cls=CommandGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(VERSION, prog_name="contract-tests")
def main() -> None:
    """Judge a deployment of the two operations, rule by rule.

    Exit codes: 0 conforms, 1 violated, 2 wrong usage, 3 the target could not be judged, 130 interrupted before a
    violation.
    """


for command in (run, replay, check, merge, mutate, freeze):
    main.add_command(command)
