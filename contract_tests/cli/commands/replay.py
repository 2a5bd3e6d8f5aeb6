"""The ``contract-tests replay`` command."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from contract_tests.cases.model import Case
from contract_tests.cli.common.errors import report_target_errors, report_usage_errors
from contract_tests.cli.common.options import add_target_options, check_target, open_command_executor
from contract_tests.cli.common.output import end_with_text
from contract_tests.cli.configuration.command import ConfiguredCommand
from contract_tests.execution.sending.created_log import CreatedLog
from contract_tests.reports.content.common import escape_unprintable
from contract_tests.results.observation import Observation
from contract_tests.results.reproduction.curl import build_curl
from contract_tests.results.story import tell_story
from contract_tests.targets.exchange import Exchange


@click.command(cls=ConfiguredCommand)
@click.argument("file", type=click.Path(path_type=Path))
@add_target_options
@click.option(
    "--as", "form", type=click.Choice(["pytest"]), help="Print the finding as a test; send nothing."
)
def replay(file: Path, form: str | None, **options: Any) -> None:
    """Send the requests of a finding's FILE again, and judge them.

    Exit codes: 0 conforms now, 1 still violated, 2 wrong usage, 3 the target could not be judged.
    """
    from contract_tests.results.findings import load_finding

    with report_usage_errors():
        case, document = load_finding(file)
        if form:
            end_with_text(_render_pytest(file, case, document, options["spec"]), 0)
        check_target(options)
        executor = open_command_executor(options, CreatedLog())
        if case.rule not in executor.catalogue:
            raise ValueError(f"{file}: the contract has no rule {case.rule!r} any more")
    with report_target_errors():
        from contract_tests.execution.preflight import apply_preflight, run_preflight
        from contract_tests.execution.race import run_race

        apply_preflight(executor, run_preflight(executor))
        observation = run_race(executor, case) if case.layer == "race" else executor.run_case(case)
    code = {"violated": 1, "passed": 0}.get(observation.judgement.outcome, 3)
    end_with_text(escape_unprintable("\n".join(_describe_observation(observation))), code)


def _render_pytest(file: Path, case: Case, document: Mapping[str, Any], spec: Path | None) -> str:
    """Return a finding as a pytest; raise ValueError with one line if it cannot be one."""
    from contract_tests.contract.rules import load_catalogue
    from contract_tests.results.reproduction.pytest_file import render_pytest
    from contract_tests.targets.exchange import exchange_from_json

    rules = spec.with_name("rules.yaml") if spec else None
    rule = load_catalogue(rules if rules and rules.is_file() else None).get(case.rule)
    if rule is None:
        raise ValueError(f"{file}: the contract has no rule {case.rule!r} any more")
    exchanges = [exchange_from_json(entry) for entry in document.get("exchanges", ())]
    try:
        return render_pytest(case, rule, document, exchanges).rstrip("\n")
    except ValueError as error:
        raise ValueError(f"{file} cannot be a pytest: {error}; send it by contract-tests replay") from None


def _describe_observation(observation: Observation) -> Iterator[str]:
    """Yield what was sent and received, and the outcome."""
    yield from map(_describe_exchange, observation.exchanges)
    judgement = observation.judgement
    passed = judgement.outcome == "passed"
    reason = "" if passed else f": {judgement.reason}"
    if judgement.outcome == "violated":
        yield from _describe_violation(observation)
    yield f"{judgement.rule} {'conforms' if passed else judgement.outcome}{reason}"


def _describe_exchange(exchange: Exchange) -> str:
    command = f"{build_curl(exchange)}  # as {exchange.caller}"
    if exchange.needs_body_file:
        size = len(exchange.body_bytes or exchange.body or "")
        what = f"{exchange.method} {exchange.url} as {exchange.caller}"
        command = f"{what}, with a body of {size:,} bytes that cannot be shown"
    return f"{command}\n  -> {exchange.status or exchange.reason} {exchange.response_body[:300]}"


def _describe_violation(observation: Observation) -> Iterator[str]:
    """Return what happened, and what was received and expected."""
    judgement = observation.judgement
    story = tell_story(observation.case, observation.exchanges, judgement)
    lines = [f"{name}: received {got}, expected {wanted}" for name, got, wanted in judgement.differences]
    lines = lines or [f"received: {judgement.received}", f"expected: {judgement.expected}"]
    return iter((*([story] if story else []), *lines))
