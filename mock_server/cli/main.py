"""The command line: `mock-server` serves; its sub-commands print views of the contract."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import click
import yaml

from mock_server import __version__
from mock_server.cli.errors import in_one_line
from mock_server.cli.proxy import proxy
from mock_server.contract import lint, resources
from mock_server.server import process
from mock_server.services.memory import MEMORY

_FILE = click.Path(path_type=Path)


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option(
    "--port", default=4010, show_default=True, type=click.IntRange(0, 65535), help="Port; 0 for any free one."
)
@click.option("--callers", type=_FILE, help="File of known callers, in the form of fixtures/callers.yaml.")
@click.option("--spec", type=_FILE, help="OpenAPI document to enforce; rules.yaml is looked for beside it.")
@click.option("--watch", is_flag=True, help="Read the contract again whenever its files change.")
@click.option("--without", multiple=True, metavar="RULE", help="Do not enforce this rule (repeatable).")
@click.option("--any-token", is_flag=True, help="Accept any well-formed token.")
@click.option(
    "--max-body",
    default=1024 * 1024,
    show_default=True,
    type=click.IntRange(1),
    help="Largest body, in bytes.",
)
@click.option(
    "--store",
    default=MEMORY,
    show_default=True,
    metavar="STORE",
    envvar="MOCK_STORE",
    show_envvar=True,
    help="Where services are kept: memory, sqlite:///file.db or postgresql://user@host/database.",
)
@click.option(
    "--workers",
    default=1,
    show_default=True,
    type=click.IntRange(1),
    help="Processes that serve; more than one needs a --store that they share.",
)
@click.option("--latency", default="", metavar="TIME", help="Hold answers back: 200ms, 50-200ms, 0.1-2s.")
@click.option(
    "--fault-rate",
    default=0.0,
    type=click.FloatRange(0, 1),
    help="Part of the calls that fail: 503, or no answer.",
)
@click.option("--seed", type=int, help="Repeat the latencies and faults of an earlier run.")
@click.option(
    "--deploy-seconds", default=0.0, type=click.FloatRange(0), help="How long a deploy or a stop takes."
)
@click.option("--no-control", is_flag=True, help="Leave out the control plane under /_mock/.")
@click.option("--cors", is_flag=True, help="Let pages of any origin call the mock.")
@click.option("--quiet", is_flag=True, help="Print errors only.")
@click.version_option(__version__, prog_name="mock-server")
@click.pass_context
@in_one_line
def main(context: click.Context, **given: Any) -> None:
    """Serve the contract of the Cyberun container services and say why a request is refused."""
    if context.invoked_subcommand is not None:
        return
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: os._exit(0))  # nothing is served yet, so nothing is lost
    options = process.Options(
        **{name: value for name, value in given.items() if name not in {"no_control", "without"}},
        control=not given["no_control"],
        without=frozenset(given["without"]),
    )
    if options.spec is not None:
        lint.check_document(options.spec)
    with process.reserved(options.host, options.port) as port:
        options = process.at(options, port)
        process.app(options)
        process.serve(options)


main.add_command(proxy)


@main.command()
@click.option("--one-of", is_flag=True, help="Two whole schemas in place of if/then/else.")
@click.option("--openapi", "version", type=click.Choice(["3.0", "3.1"]), default="3.1", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="JSON in place of YAML.")
@in_one_line
def spec(one_of: bool, version: str, as_json: bool) -> None:
    """Print the contract, or a view of it for tools that read less."""
    from mock_server.contract import export

    path = resources.find("spec/openapi.yaml")
    if not (one_of or as_json or version == "3.0"):
        click.echo(resources.text(path), nl=False)
        return
    document = resources.read(path)
    view = export.view(document if isinstance(document, dict) else {}, one_of=one_of, version=version)
    text = json.dumps(view, indent=2) if as_json else yaml.safe_dump(view, sort_keys=False, width=110)
    click.echo(text.rstrip("\n"))


@main.command()
@click.option("--markdown", is_flag=True, help="The page docs/rules.md.")
@in_one_line
def rules(markdown: bool) -> None:
    """List the rules."""
    from mock_server.contract import loader, rules_page

    loaded = loader.load(resources.find("spec/openapi.yaml"))
    if markdown:
        click.echo(rules_page.markdown(loaded.rules, loaded.operations), nl=False)
        return
    for rule in loaded.rules.values():
        click.echo(f"{rule.id:<40} {rule.grade:<11} {rule.statement}")
