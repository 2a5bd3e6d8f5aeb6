"""A command whose options may stand in a configuration file."""

from pathlib import Path
from typing import Any

import click

from contract_tests.cli.common.errors import report_usage_errors
from contract_tests.cli.configuration.file import read_configuration
from contract_tests.cli.configuration.options import names_deployment


class ConfiguredCommand(click.Command):
    """Takes the options that the command line does not give from the configuration file."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Add the options that name the file, and the target in it."""
        super().__init__(*args, **kwargs)
        self.params.append(
            click.Option(["--config"], metavar="FILE", expose_value=False, type=click.Path(path_type=Path),
                         help="Configuration; default: contract-tests.toml, or pyproject.toml.")
        )  # fmt: skip
        if names_deployment(self):
            self.params.append(
                click.Option(["--environment"], metavar="NAME", expose_value=False,
                             help="Target of the configuration, [targets.NAME].")
            )  # fmt: skip

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the command line with the configuration as defaults, except for --help and completion."""
        if not ctx.resilient_parsing:
            given, rest, order = self.make_parser(ctx).parse_args(args=list(args))
            if not any(param.is_eager for param in order):  # as --help
                if names_deployment(self) and any("://" in one or one.startswith("wsgi:") for one in rest):
                    ctx.fail("Got an unexpected extra argument; name the deployment as --target URL.")
                with report_usage_errors():
                    ctx.default_map = _read_defaults(ctx, given)
        return super().parse_args(ctx, args)


def list_configured(group: click.Command) -> dict[str, click.Command]:
    """Return the commands of a group that read the configuration, by name."""
    commands = group.commands if isinstance(group, click.Group) else {}
    return {name: command for name, command in commands.items() if isinstance(command, ConfiguredCommand)}


def _read_defaults(ctx: click.Context, given: dict[str, Any]) -> dict[str, Any]:
    commands = list_configured(ctx.parent.command) if ctx.parent else {str(ctx.command.name): ctx.command}
    path = Path(given["config"]) if "config" in given else None
    return read_configuration(path, commands).list_defaults(ctx.command, given)
