"""The ``contract-tests run`` command."""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import click

from contract_tests.cases.callers import Caller, load_callers
from contract_tests.cases.model import LAYERS, Layer
from contract_tests.cli.common.errors import (
    create_report_folder,
    exit_with,
    report_target_errors,
    report_usage_errors,
)
from contract_tests.cli.common.lock import lock_folder
from contract_tests.cli.common.options import (
    Duration,
    PerSecond,
    Shard,
    add_comparison_options,
    add_report_options,
    add_target_options,
    check_formats,
    check_target,
    format_replay_options,
    open_command_executor,
    read_comparison_options,
)
from contract_tests.cli.common.output import end_with_report, find_problems, format_os_error, ignore_signals
from contract_tests.cli.common.span_export import open_span_export
from contract_tests.cli.configuration.command import ConfiguredCommand
from contract_tests.cli.long_runs.progress import (
    RunTotals,
    announce_resumed,
    announce_wait,
    show_progress,
)
from contract_tests.cli.long_runs.resume import is_finished, options_to_json, restore_options
from contract_tests.contract.files.report_file import write_each
from contract_tests.contract.profile import Profile, load_profile
from contract_tests.contract.rules import Catalogue
from contract_tests.contract.waivers import load_waivers
from contract_tests.execution.executor import Executor
from contract_tests.execution.preflight.plain_creates import CannotJudge
from contract_tests.execution.sending.created_log import CreatedLog
from contract_tests.execution.sending.limits import TargetGone
from contract_tests.generation.rounds import GATE_EXAMPLES
from contract_tests.results.statistics import USUAL_TRIES, count_needed_tries
from contract_tests.results.verdict import MIN_JUDGED, Report
from contract_tests.runs.checkpoint import RunState, load_state
from contract_tests.runs.example_db import open_archive
from contract_tests.runs.options import Progress, RunOptions
from contract_tests.runs.run import Run, RunHooks, create_state, digest_contract
from contract_tests.targets.base import TargetError


def _parse_layers(_ctx: click.Context, _param: click.Parameter, value: str) -> tuple[Layer, ...]:
    names = [name.strip() for name in value.split(",") if name.strip()]
    unknown = [name for name in names if name not in LAYERS]
    if unknown or not names:
        raise click.BadParameter(f"{', '.join(unknown) or 'none'}: the layers are {', '.join(LAYERS)}")
    return tuple(layer for layer in LAYERS if layer in names)


def _check_number(_ctx: click.Context, _param: click.Parameter, value: float | None) -> float | None:
    if value is not None and math.isnan(value):  # is within every range for click
        raise click.BadParameter("nan is not a number")
    return value


@click.command(cls=ConfiguredCommand)
@add_target_options
@click.option(
    "--layers", default=",".join(LAYERS), callback=_parse_layers, show_default=True, help="Layers to run."
)
@click.option("--strict", is_flag=True, help="Fail on assumed rules too.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed for the random layers.")
@click.option("--max-examples", type=click.IntRange(1), default=GATE_EXAMPLES,
              show_default=True, help="Random bodies per operation and mode.")  # fmt: skip
@click.option("--time", "seconds", type=Duration(), help="Fuzz until this time is over, e.g. 10m, then stop.")
@click.option("--rate", type=PerSecond(), help="Limit of requests per time, e.g. 10/s.")
@click.option(
    "--concurrency",
    type=click.IntRange(1, 256),
    default=12,
    show_default=True,
    help="Number of concurrent requests.",
)
@click.option("--budget", type=click.IntRange(1), metavar="N",
              help="Send at most N requests, those first that tell most.")  # fmt: skip
@click.option("--confidence", type=click.FloatRange(50, 99.9), default=95, show_default=True,
              callback=_check_number, help="Percent of confidence with which --fault-rate is excluded.")  # fmt: skip
@click.option("--fault-rate", type=click.FloatRange(0.01, 1, max_open=True), callback=_check_number,
              help="Repeat cheap cases until a fault in this share of requests, e.g. 0.1, would show.  "
                   f"[default: {USUAL_TRIES} tries of each rule]")  # fmt: skip
@click.option("--max-created", type=click.IntRange(0), help="Limit of services that the run creates.")
@click.option(
    "--refuse-only",
    is_flag=True,
    help="Send only invalid requests: creates nothing on a deployment that conforms.",
)
@click.option("--min-judged", type=click.FloatRange(0, 1), default=MIN_JUDGED,
              callback=_check_number, show_default=True,
              help="Share of the tried rules that must have a verdict; exit code 3 below it.")  # fmt: skip
@click.option("--waivers", type=click.Path(path_type=Path), help="YAML list of rule, reason, until.")
@click.option("--shard", type=Shard(), default="1/1", show_default=True, help="Run the i-th of n shards.")
@add_report_options
@click.option(
    "-k",
    "--rules",
    "rules",
    default="",
    metavar="RULE,…",
    help="Run only rules whose id contains this, or one of several, as slug,port.",
)
@click.option("--example-db", metavar="DB", envvar="EXAMPLE_DB", show_envvar=True,
              help="Share findings with other runs: redis://host:6379/0, or a folder.")  # fmt: skip
@click.option("--otel", is_flag=True,
              help="Also export each request as a span, as the OTEL_* variables say.")  # fmt: skip
@click.option("--resume", type=click.Path(path_type=Path), metavar="DIR",
              help="Continue the run that reports to DIR, with its options.")  # fmt: skip
@add_comparison_options
@click.option("--profile", type=click.Path(path_type=Path), metavar="FILE",
              help="Its profile: tell where the deployment departs from it, in up to 160 requests.")  # fmt: skip
@click.option("--quiet", is_flag=True, help="Print only the summary line.")
@click.pass_context
def run(context: click.Context, /, **options: Any) -> None:
    """Run the gate: every layer, with a verdict per rule.

    Exit codes: 0 conforms, or nothing is new, 1 violated, or --strict saw a drift, 2 wrong usage, 3 the target, or
    enough of it, could not be judged, or a listed caller could not be used, 130 interrupted before a violation.
    """
    problems: list[str] = []
    with report_usage_errors():
        compare = read_comparison_options(options["previous"], options["baseline"])
        profile = load_profile(options["profile"]) if options["profile"] else None
        state = load_state(options["resume"]) if options["resume"] else None
        if state:
            options = restore_options(context, options, state)
        check_target(options)
        if profile and options["refuse_only"]:
            raise ValueError("--profile: only valid requests show a choice, and --refuse-only sends none")
        if profile and options["budget"]:
            raise ValueError("--profile takes up to 160 requests of its own; leave out --budget")
        callers = load_callers(options["callers"]) if options["callers"] else None
        log = _open_log(options, resumed=state is not None)
        open_run, catalogue, totals = _prepare_run(options, state, callers, problems, log)
    finished = state if state and is_finished(options, state) else None
    with closing(log), lock_folder(None if finished else options["folder"]):
        if finished:
            report = finished.build_report(catalogue)
        else:
            if state and not options["quiet"]:
                announce_resumed(totals)
            with (
                report_target_errors(),
                _report_unwritable_files(),
                show_progress(totals, quiet=options["quiet"]) as progress,
            ):
                report = _execute(open_run(progress), options, resumed=state is not None)
        if profile:
            report = _check_profile(report, profile, options, callers, log.possible)
        _end_run(compare(report), options, problems, resumed=state is not None)


def _execute(work: Run, options: dict[str, Any], *, resumed: bool) -> Report:
    """Execute a run; before an error or Ctrl-C ends one that judged nothing, its reports say so."""
    try:
        return work.execute()
    except (CannotJudge, TargetGone, KeyboardInterrupt) as error:
        folder: Path | None = options["folder"]
        if folder and not resumed:  # a resumed run keeps the reports of its first part
            report = work.report_unjudged(str(error) or "interrupted")
            with _report_unwritable_files(), suppress(ExceptionGroup):
                write_report_folder(report, folder, **_report_options(options))
        raise


def _check_profile(
    report: Report,
    profile: Profile,
    options: dict[str, Any],
    callers: Sequence[Caller] | None,
    created: int,
) -> Report:
    """Return the report with the departures from a profile; a run that was cut short is not compared.

    The run itself may have ``created`` so many services.
    """
    # Loads all probes, which a run without a profile never needs.
    from contract_tests.calibration.drift import check_profile
    from contract_tests.calibration.probing.limits import MAX_CREATED, MAX_REQUESTS

    if report.cut_short and not report.stopped_as_asked:
        note = f"not compared with the profile {profile.name}: the run was cut short"
        return replace(report, notes=(*report.notes, note))
    limit = options["max_created"]
    left = MAX_CREATED if limit is None else max(0, min(MAX_CREATED, limit - created))
    if not options["quiet"]:
        click.echo(f"comparing with the profile {profile.name}: up to {MAX_REQUESTS} requests", err=True)

    def open_second() -> Executor:
        try:
            log = _open_log(options, resumed=True)
            log.count = log.lost = 0  # those of the run are not in ``left``
            return open_command_executor({**options, "max_created": left}, log, callers)
        except (OSError, ValueError) as error:
            raise CannotJudge(str(error)) from None

    return check_profile(report, profile, open_second)


def _end_run(report: Report, options: dict[str, Any], problems: list[str], *, resumed: bool) -> NoReturn:
    write_options = _report_options(options)
    end_with_report(
        report,
        options["folder"],
        partial(write_report_folder, report, resumed=resumed, **write_options),
        quiet=options["quiet"],
        replay_options=write_options["replay_options"],
        problems=problems,
    )


def _report_options(options: dict[str, Any]) -> dict[str, Any]:
    """Return the options of ``write_report_folder``."""
    further = {name: options[name] for name in ("formats", "spec")}
    return {"replay_options": format_replay_options(options), **further}


def write_report_folder(
    report: Report, folder: Path, *, formats: tuple[str, ...] = (), spec: Path | None = None, **options: Any
) -> None:
    """Write every report into a folder; see ``write_reports`` and ``write_formats``."""
    # Loads the template engine and all formats, which a run without reports never needs.
    from contract_tests.reports.write import write_formats, write_reports

    reports = partial(write_reports, report, folder, **options)
    write_each([reports, partial(write_formats, report, folder, formats, spec)])


@contextmanager
def _report_unwritable_files() -> Iterator[None]:
    """Exit with 2 if a file of the run cannot be written before there is any result."""
    try:
        yield
    except OSError as error:
        exit_with(format_os_error(error), 2)


def _prepare_run(
    options: dict[str, Any],
    state: RunState | None,
    callers: Sequence[Caller] | None,
    problems: list[str],
    created_log: CreatedLog,
) -> tuple[Callable[[Progress], Run], Catalogue, RunTotals]:
    """Prepare a run, so that wrong options are reported before anything is sent.

    ``problems`` then says why the run could not save its last state, if it could not.
    """
    folder: Path | None = options["folder"]
    executor = open_command_executor(options, created_log, callers)
    if options["otel"]:
        executor.sender.spans = open_span_export(traced=options["traced"])
    if not options["quiet"]:
        executor.sender.target.clock.tell = announce_wait
    run_options = _build_run_options(options, executor.catalogue)
    contract = digest_contract(executor)
    if state and state.contract != contract:
        raise ValueError("the contract has changed since that run started; start a new one")
    if state:
        state.check_rules(executor.catalogue)
    state = state or create_state(executor, run_options)
    total = None if options["seconds"] is None else round(options["seconds"] + state.seconds, 3)
    state.command_options = options_to_json({**options, "seconds": total})
    state.waivers = run_options.waivers
    database = options["example_db"]
    archive = open_archive(database, state.target, contract) if database else None
    totals = RunTotals(
        state,
        executor.catalogue,
        lambda: executor.sender.requests,
        options["seconds"],
        budget=options["budget"],
    )

    end = (lambda: None) if options["profile"] else ignore_signals  # a comparison with it sends requests
    hooks = RunHooks(save_state=partial(_save_state, totals, folder, problems), archive=archive, end=end)

    def open_run(progress: Progress) -> Run:
        return Run(executor, run_options, replace(hooks, progress=progress), state=state)

    return open_run, executor.catalogue, totals


def _open_log(options: dict[str, Any], *, resumed: bool) -> CreatedLog:
    """Return the log of the creates in the folder of the reports, which is created if it is missing."""
    folder: Path | None = options["folder"]
    check_formats(options["formats"], folder)
    if folder:
        create_report_folder(folder)
    return CreatedLog(folder / "ledger.jsonl" if folder else None, resumed=resumed)


def _save_state(totals: RunTotals, folder: Path | None, problems: list[str], state: RunState) -> None:
    totals.count_findings(state)
    if folder:
        problems[:] = find_problems(partial(state.save, folder), str(folder))


def _build_run_options(options: dict[str, Any], catalogue: Catalogue) -> RunOptions:
    parts = [part.strip() for part in options["rules"].split(",") if part.strip()]
    rules = frozenset(rule for rule in catalogue if any(part in rule for part in parts))
    waivers = load_waivers(options["waivers"], catalogue) if options["waivers"] else {}
    if options["budget"] and options["shard"] != (1, 1):
        raise TargetError("--budget is for one run: leave out --shard")
    for part in parts:
        if not any(part in rule for rule in rules):
            close = get_close_matches(part, catalogue, n=1)
            hint = f"did you mean {close[0]}?" if close else "`mock-server rules` lists them"
            raise TargetError(f"-k {part}: no rule id contains this; {hint}")
    if options["rules"] and not parts:
        raise TargetError(f"-k {options['rules']}: it names no rule; `mock-server rules` lists them")
    rate, confidence = options["fault_rate"], options["confidence"] / 100
    return RunOptions(
        waivers=waivers,
        min_tries=count_needed_tries(rate, confidence) if rate else USUAL_TRIES,
        rules=rules if parts else None,
        asked_seconds=options.get("asked_seconds"),
        **{name: options[name] for name in _RUN_OPTIONS},
    )


_RUN_OPTIONS = (
    "target", "layers", "strict", "seed", "max_examples", "seconds", "concurrency", "refuse_only", "shard",
    "min_judged", "budget",
)  # fmt: skip
