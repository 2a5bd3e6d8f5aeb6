"""`mock-server proxy`: a deployment seen through the contract."""

import functools
import logging
import os
import signal
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from mock_server import __version__
from mock_server.cli.errors import in_one_line
from mock_server.contract import lint
from mock_server.server import process
from mock_server.server.lines import log

_FILE = click.Path(path_type=Path)


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says; it travels to the worker process."""

    upstream: str
    host: str
    port: int
    callers: Path | None
    spec: Path | None
    without: frozenset[str]
    enforce: bool
    strict: bool
    timeout: float
    control: bool
    quiet: bool


@click.command()
@click.option(
    "--upstream", required=True, metavar="URL", help="Base URL of the API, such as https://host/api/v1."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option(
    "--port", default=4010, show_default=True, type=click.IntRange(0, 65535), help="Port; 0 for any free one."
)
@click.option("--callers", type=_FILE, help="File of known callers: names them, and checks what they may.")
@click.option("--spec", type=_FILE, help="OpenAPI document to check; rules.yaml is looked for beside it.")
@click.option("--without", multiple=True, metavar="RULE", help="Do not check this rule (repeatable).")
@click.option("--enforce", is_flag=True, help="Refuse what breaks a rule, calls and answers.")
@click.option("--strict", is_flag=True, help="Refuse what breaks a rule that is only assumed, too.")
@click.option(
    "--timeout",
    default=30.0,
    show_default=True,
    type=click.FloatRange(0, min_open=True),
    help="Seconds to wait for the upstream.",
)
@click.option("--no-control", is_flag=True, help="Leave out the page and the journal under /_mock/.")
@click.option("--quiet", is_flag=True, help="Print errors only.")
@in_one_line
def proxy(**given: Any) -> None:
    """Stand before a deployment and check every call and answer against the contract."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: os._exit(0))  # nothing is served yet, so nothing is lost
    control, without = not given.pop("no_control"), frozenset(given.pop("without"))
    options = Options(**given, control=control, without=without)
    if options.strict and not options.enforce:
        raise ValueError("--strict: says what --enforce refuses; give both")
    if options.spec is not None:
        lint.check_document(options.spec)
    with process.reserved(options.host, options.port) as port:
        options = replace(options, port=port)
        app(options)
        process.run(_listening(options), functools.partial(_loaded, options), "asginl")


@functools.cache
def app(options: Options) -> Any:
    """The app that the options describe; a forked worker finds the one that its parent made."""
    from mock_server.proxy.app import create_proxy
    from mock_server.server.gateway import Gateway

    return Gateway(
        create_proxy(
            options.upstream,
            callers=options.callers,
            spec=options.spec,
            without=options.without,
            enforce=options.enforce,
            strict=options.strict,
            timeout=options.timeout,
            control=options.control,
            log=None if options.quiet else log,
        )
    )


def _loaded(options: Options) -> Any:
    """Runs in the worker: the app, and a greeting as soon as it answers."""
    logging.getLogger("urllib3").setLevel(logging.ERROR)  # its warnings repeat what an upstream sends
    process.end_with_parent()
    made = app(options)
    if not options.quiet:
        process.greet(options.host, options.port, lambda: greeting(options))
    return made


def _listening(options: Options) -> process.Options:
    return process.Options(host=options.host, port=options.port)


def greeting(options: Options) -> str:
    """Where it listens, where calls go, and where to look."""
    url = process.url(_listening(options))
    refused = "refuses what breaks a rule" + (", an assumed one too" if options.strict else "")
    page = f"  the page to look at: {url.removesuffix('/api/v1')}/_mock/"
    lines = [
        f"mock-server {__version__}, a proxy, at {url}",
        f"  forwards to {options.upstream}",
        f"  {refused if options.enforce else 'reports what breaks a rule'}, in the header Contract-Violations",
        *([page] if options.control else []),
    ]
    return "\n".join([*lines, "", "Ctrl-C ends it."])
