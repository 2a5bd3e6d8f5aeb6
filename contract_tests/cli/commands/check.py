"""The ``contract-tests check`` command."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import click

from contract_tests.cli.commands.run import write_report_folder
from contract_tests.cli.common.errors import create_report_folder, report_usage_errors
from contract_tests.cli.common.options import (
    add_comparison_options,
    add_report_options,
    check_formats,
    read_comparison_options,
)
from contract_tests.cli.common.output import end_with_report
from contract_tests.cli.configuration.command import ConfiguredCommand
from contract_tests.contract.rules import Catalogue, load_catalogue
from contract_tests.contract.spec import load_spec
from contract_tests.results.aggregate import Aggregate
from contract_tests.results.observation import Observation
from contract_tests.results.recorded.recorded_judge import INCOMPLETE, judge_recording
from contract_tests.results.recorded.recording import load_recording
from contract_tests.results.verdict import LayerSummary, Report, decide_verdicts
from contract_tests.targets.exchange import Exchange


@click.command(cls=ConfiguredCommand)
@click.argument("recording", type=click.Path(path_type=Path))
@click.option("--strict", is_flag=True, help="Fail on assumed rules too.")
@add_report_options
@click.option("--quiet", is_flag=True, help="Print only the summary line.")
@add_comparison_options
def check(
    recording: Path,
    *,
    strict: bool,
    folder: Path | None,
    formats: tuple[str, ...],
    quiet: bool,
    **earlier: Path | None,
) -> None:
    """Judge the traffic of a RECORDING (HAR); send nothing.

    A request or a response of which the recording has only a part is not judged.

    Exit codes: 0 no rule is violated, 1 a rule is violated, 2 wrong usage.
    """
    with report_usage_errors():
        catalogue = load_catalogue()
        observations = _judge_file(recording, catalogue)
        compare = read_comparison_options(**earlier)
        check_formats(formats, folder)
        if folder:
            create_report_folder(folder)
    rows, findings = decide_verdicts(Aggregate.of(observations), catalogue, {}, strict=strict)
    traffic = tuple(exchange for observation in observations for exchange in observation.exchanges)
    seconds = _measure_span(traffic)
    unseen = "nothing in the recording shows it"
    report = Report(
        target=str(recording),
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds=round(seconds, 3),
        seed=0,
        strict=strict,
        callers=(),
        verdicts=tuple(replace(r, reason=unseen) if r.verdict == "not observed" else r for r in rows),
        findings=findings,
        layers={"wire": LayerSummary(len(observations), len(observations), seconds)},
        requests=len(observations),
        created=0,
        notes=_list_notes(observations),
        traffic=traffic,
    )
    report = compare(report)
    write = partial(write_report_folder, report, formats=formats)
    end_with_report(report, folder, write, quiet=quiet)


def _measure_span(traffic: Iterable[Exchange]) -> float:
    """Return the seconds from the first request to the last response; 0 if the recording does not tell the times."""
    try:
        starts = [(datetime.fromisoformat(one.started).timestamp(), one.seconds) for one in traffic]
    except (ValueError, OverflowError):
        return 0.0
    return max(start + seconds for start, seconds in starts) - min(start for start, _ in starts)


def _judge_file(recording: Path, catalogue: Catalogue) -> list[Observation]:
    """Judge a recording; raise ValueError if it has no request of the two operations."""
    observations = judge_recording(load_recording(recording), load_spec(), catalogue)
    if not observations:
        raise ValueError(f"{recording} has no request of POST /containers or PUT /containers/{{serviceId}}")
    return observations


def _list_notes(observations: Iterable[Observation]) -> tuple[str, ...]:
    """Return notes on the exchanges that were not judged."""
    reasons = Counter(one.judgement.reason for one in observations if one.judgement.reason in INCOMPLETE)
    return tuple(f"not judged, because {why}: {number} of the exchanges" for why, number in reasons.items())
