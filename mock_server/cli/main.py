"""The command line: `mock-server` serves the mock; its sub-commands print views of the contract."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import yaml

from mock_server.app.factory import create_app
from mock_server.app.options import MockOptions
from mock_server.cli.errors import ReportingGroup, report_cli_errors
from mock_server.cli.options import FILE, build_options, exit_on_signals, listen_options, to_frozenset
from mock_server.cli.proxy import proxy
from mock_server.cli.streams import open_closed_streams
from mock_server.cli.table import print_table
from mock_server.contract import lint, resources
from mock_server.contract.resources import VERSION
from mock_server.server.process import ServerOptions, reserve_port, serve_mock
from mock_server.services.model import MEMORY
from mock_server.validation.callers import callers_from_environment


@click.group(
    cls=ReportingGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@listen_options
@click.option("--callers", type=FILE, help="File of known callers; `mock-server callers` prints one.")
@click.option("--spec", type=FILE, help="OpenAPI document to enforce, with rules.yaml beside it.")
@click.option("--watch", is_flag=True, help="Reload the contract when its files change.")
@click.option(
    "--disable-rule",
    "disabled_rules",
    multiple=True,
    callback=to_frozenset,
    metavar="RULE",
    help="Do not enforce this rule (repeatable).",
)
@click.option(
    "--profile",
    type=FILE,
    help="How a deployment chose what the pages leave open; mock-server choices lists it.",
)
@click.option("--any-token", is_flag=True, help="Accept any well-formed token.")
@click.option(
    "--max-body",
    type=click.IntRange(1),
    help="Largest body, in bytes; 1048576, or the limit of the profile, if not given.",
)
@click.option(
    "--store",
    default=MEMORY,
    show_default=True,
    metavar="STORE",
    envvar="MOCK_STORE",
    show_envvar=True,
    help="Where services are stored: memory, sqlite:///file.db or postgresql://user@host/database.",
)
@click.option(
    "--workers",
    default=1,
    show_default=True,
    type=click.IntRange(1, 256),
    help="Number of worker processes; more than one needs a shared --store.",
)
@click.option("--latency", default="", metavar="TIME", help="Delay every response: 200ms, 50-200ms, 0.1-2s.")
@click.option(
    "--fault-rate",
    default=0.0,
    show_default=True,
    type=click.FloatRange(0, 1),
    help="Fraction of requests that fail (503 or dropped connection).",
)
@click.option("--seed", type=int, help="Seed of the random latencies and faults, to repeat a run.")
@click.option(
    "--deploy-seconds",
    default=0.0,
    show_default=True,
    type=click.FloatRange(0),
    help="Duration of a deploy or a stop.",
)
@click.option(
    "--no-control",
    "control",
    flag_value=False,
    default=True,
    help="Turn the control plane under /_mock/ off.",
)
@click.option("--cors", is_flag=True, help="Allow pages of any origin to call the mock.")
@click.version_option(VERSION, prog_name="mock-server")
@click.pass_context
@report_cli_errors
def main(context: click.Context, **given: Any) -> None:
    """Serve a mock of the Cyberun container services that gives the reason for each refusal."""
    open_closed_streams()
    if context.invoked_subcommand is not None:
        return
    exit_on_signals()
    given["hosts"] |= {given["host"]}
    server, options = build_options(ServerOptions, given), build_options(MockOptions, given)
    if server.workers > 1 and options.store == MEMORY:
        shared = "--store sqlite:///file.db or postgresql://…"
        raise ValueError(
            f"--workers {server.workers}: each worker has its own memory; share a store with {shared}"
        )
    if given["spec"] is not None:
        lint.check_document(given["spec"])
    create_app(options)  # reports invalid options before the port is taken
    with reserve_port(server.host, server.port) as port:
        serve_mock(replace(server, port=port), options)


main.add_command(proxy)


@main.command()
@click.option(
    "--one-of",
    is_flag=True,
    help="For generators that ignore if/then/else: the body of a create is one of two types, deployed or external.",
)
@click.option(
    "--openapi",
    "version",
    type=click.Choice(["3.0", "3.1"]),
    default="3.1",
    show_default=True,
    help="The version of OpenAPI; 3.0 has no if/then/else, so it implies --one-of.",
)
@click.option("--json", "as_json", is_flag=True, help="JSON in place of YAML.")
@click.option("--profile", type=FILE, help="As a deployment with this profile would publish it.")
@report_cli_errors
def spec(one_of: bool, version: str, as_json: bool, profile: Path | None) -> None:
    """Print the contract, or a view of it for other tools."""
    from mock_server.contract import export
    from mock_server.contract.loader import load_contract
    from mock_server.contract.profile import declare_profile

    path = resources.find_resource("spec/openapi.yaml")
    if not (one_of or as_json or profile or version == "3.0"):
        click.echo(resources.read_text(path), nl=False)
        return
    document = declare_profile(load_contract(path, profile=profile))
    view = export.export_view(document, one_of=one_of, version=version)
    text = json.dumps(view, indent=2) if as_json else yaml.safe_dump(view, sort_keys=False, width=110)
    click.echo(text.rstrip("\n"))


@main.command()
@click.option("--env", "from_environment", is_flag=True, help="Read each token from an environment variable.")
@report_cli_errors
def callers(from_environment: bool) -> None:
    """Print a callers file for --callers, with the mock's own tokens."""
    text = resources.read_text(resources.find_resource("fixtures/callers.yaml"))
    text = text[text.index("\n") + 1 :]  # the first line names the schema of this folder for editors
    click.echo(callers_from_environment(text) if from_environment else text, nl=False)


@main.command()
@click.option("--markdown", is_flag=True, help="Print the page docs/rules.md.")
@report_cli_errors
def rules(markdown: bool) -> None:
    """List the rules."""
    from mock_server.contract import catalogue_pages, loader

    contract = loader.load_contract(resources.find_resource("spec/openapi.yaml"))
    if markdown:
        click.echo(catalogue_pages.rules_markdown(contract.rules, contract.operations), nl=False)
        return
    rows = ((rule.id, rule.grade, rule.statement) for rule in contract.rules.values())
    print_table(("rule", "grade", "statement"), *rows)


@main.command()
@click.option("--markdown", is_flag=True, help="Print the page docs/choices.md.")
@report_cli_errors
def choices(markdown: bool) -> None:
    """List what the pages leave open, with the options of each choice."""
    from mock_server.contract import catalogue_pages, loader

    known = loader.packaged_choices()
    if markdown:
        click.echo(catalogue_pages.choices_markdown(known), nl=False)
        return
    rows = ((each.id, str(each.usual), each.number or ", ".join(each.options)) for each in known.values())
    print_table(("choice", "usual", "options"), *rows)
