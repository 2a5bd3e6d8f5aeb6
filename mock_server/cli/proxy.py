"""The `mock-server proxy` command."""

import functools
import logging
from dataclasses import replace
from typing import Any

import click

from mock_server.cli.errors import report_cli_errors
from mock_server.cli.options import (
    FILE,
    SECONDS,
    build_options,
    exit_on_signals,
    listen_options,
    to_frozenset,
)
from mock_server.contract import lint
from mock_server.contract.model import BASE_PATH
from mock_server.contract.resources import VERSION
from mock_server.proxy.app import ProxyOptions, create_proxy
from mock_server.server.front import Front
from mock_server.server.greeting import print_when_ready, warn_of_open_control
from mock_server.server.process import ServerOptions, exit_with_parent, reserve_port, run_server
from mock_server.server.request_log import log_request
from mock_server.web.middleware import MAX_DRAIN_BYTES

#: Requests that may be on their way at the same time. An idle thread costs little, and others wait for none.
_THREADS = 500


@click.command()
@click.option(
    "--upstream", required=True, metavar="URL", help="Base URL of the API, such as https://host/api/v1."
)
@listen_options
@click.option("--callers", type=FILE, help="File of known callers: names them, and checks their permissions.")
@click.option("--spec", type=FILE, help="OpenAPI document to check, with rules.yaml beside it.")
@click.option(
    "--disable-rule",
    "disabled_rules",
    multiple=True,
    callback=to_frozenset,
    metavar="RULE",
    help="Do not check this rule (repeatable).",
)
@click.option("--enforce", is_flag=True, help="Refuse requests and responses that break a rule.")
@click.option("--strict", is_flag=True, help="With --enforce: also refuse what breaks an assumed rule.")
@click.option(
    "--timeout",
    default=30.0,
    show_default=True,
    type=SECONDS,
    help="Seconds to wait for the upstream.",
)
@click.option(
    "--max-body",
    default=MAX_DRAIN_BYTES,
    show_default=True,
    type=click.IntRange(1),
    help="Largest body of a request, in bytes.",
)
@click.option(
    "--no-control",
    "control",
    flag_value=False,
    default=True,
    help="Turn the page and the journal under /_mock/ off.",
)
@report_cli_errors
def proxy(**given: Any) -> None:
    """Forward to a deployment, and check each request and response."""
    exit_on_signals()
    given["hosts"] |= {given["host"]}
    server, options = build_options(ServerOptions, given), build_options(ProxyOptions, given)
    if options.strict and not options.enforce:
        raise ValueError("--strict: extends --enforce; give both")
    if options.spec is not None:
        lint.check_document(options.spec)
    create_proxy(options)  # reports invalid options before the port is taken
    with reserve_port(server.host, server.port) as port:
        server = replace(server, port=port)
        run_server(server, functools.partial(_load_worker, server, options, given["max_body"]))


def _load_worker(server: ServerOptions, options: ProxyOptions, max_body: int) -> Front:
    logging.getLogger("urllib3").setLevel(logging.ERROR)  # its warnings repeat values of responses
    exit_with_parent()
    app = create_proxy(options, log=None if server.quiet else log_request)
    if not server.quiet:
        print_when_ready(server.host, server.port, proxy_greeting(server.base_url, options))
    return Front(app, body_timeout=server.body_timeout, max_file_bytes=max_body, threads=_THREADS)


def proxy_greeting(base_url: str, options: ProxyOptions) -> str:
    """Return the URL of the proxy, its upstream, and its page."""
    mode = "reports violations"
    if options.enforce:
        mode = "refuses violations" + (", of assumed rules too" if options.strict else "")
    lines = [
        f"mock-server {VERSION}, a proxy, at {base_url}",
        f"  forwards to {options.upstream}",
        f"  {mode}, in the header Contract-Violations",
    ]
    if options.control:
        lines.append(f"  page: {base_url.removesuffix(BASE_PATH)}/_mock/")
        lines += warn_of_open_control(base_url)
    return "\n".join([*lines, "", "Ctrl-C ends it."])
