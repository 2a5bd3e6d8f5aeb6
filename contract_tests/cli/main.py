"""The ``contract-tests`` command."""

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from contract_tests import __version__
from contract_tests.cases.callers import load_callers
from contract_tests.cases.model import LAYERS, Layer
from contract_tests.cli.check import check
from contract_tests.cli.errors import end, unjudged, usage_errors
from contract_tests.cli.merge import merge
from contract_tests.cli.mutate import mutate
from contract_tests.cli.options import Duration, PerSecond, Shard
from contract_tests.cli.resume import nothing_left, plain, resumed
from contract_tests.contract.rules import Catalogue
from contract_tests.contract.spec import load_spec
from contract_tests.execution.created_log import Ledger
from contract_tests.execution.executor import Player
from contract_tests.execution.factory import open_player
from contract_tests.generation.rounds import GATE_EXAMPLES
from contract_tests.results.waivers import load_waivers
from contract_tests.runs.checkpoint import State, load_state
from contract_tests.runs.example_db import open_archive
from contract_tests.runs.run import Options, Progress, Run, contract_of, new_state
from contract_tests.targets.base import TargetError, open_target


def _layers(_ctx: click.Context, _param: click.Parameter, value: str) -> tuple[Layer, ...]:
    names = [name.strip() for name in value.split(",") if name.strip()]
    unknown = [name for name in names if name not in LAYERS]
    if unknown or not names:
        raise click.BadParameter(f"{', '.join(unknown) or 'none'}: the layers are {', '.join(LAYERS)}")
    return tuple(layer for layer in LAYERS if layer in names)


_TARGET = (
    click.option("--target", help="Base URL (https://host/api/v1), or wsgi:module:factory."),
    click.option(
        "--callers", type=click.Path(path_type=Path), help="Who calls; the form of fixtures/callers.yaml."
    ),
    click.option(
        "--spec", type=click.Path(path_type=Path), help="Another openapi.yaml, its rules.yaml beside it."
    ),
    click.option("--timeout", type=Duration(), default="10s", show_default=True, help="Per request."),
    click.option("--control-hook", metavar="URL", help="Sets a status: URL with {id} and {status}, POST."),
    click.option("--slug-prefix", default="ck-", show_default=True, help="Begins every slug."),
)


def _target_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(_TARGET):
        command = option(command)
    return command


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="contract-tests")
def main() -> None:
    """Judge a deployment of the two operations, rule by rule.

    Exit codes: 0 conforms, 1 violated, 2 usage, 3 the target could not be judged, 130 Ctrl-C before a violation.
    """


@main.command()
@_target_options
@click.option("--layers", default=",".join(LAYERS), callback=_layers, show_default=True, help="What to play.")
@click.option("--strict", is_flag=True, help="Hold the target to the assumed rules too.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the random layers.")
@click.option("--max-examples", type=click.IntRange(1), default=GATE_EXAMPLES,
              show_default=True, help="Random bodies per operation and mode.")  # fmt: skip
@click.option(
    "--time", "seconds", type=Duration(), help="Stop after this time, e.g. 10m; fuzzing goes on until then."
)
@click.option("--rate", type=PerSecond(), help="At most so many requests, e.g. 10/s.")
@click.option(
    "--concurrency", type=click.IntRange(1, 256), default=12, show_default=True, help="Requests at once."
)
@click.option("--max-created", type=click.IntRange(0), help="Create at most so many services.")
@click.option("--refuse-only", is_flag=True, help="Send only what must be refused: nothing is created.")
@click.option("--waivers", type=click.Path(path_type=Path), help="YAML list of rule, reason, until.")
@click.option("--shard", type=Shard(), default="1/1", show_default=True, help="Play the i-th of n parts.")
@click.option(
    "--report", "folder", type=click.Path(path_type=Path, file_okay=False), help="Write all reports here."
)
@click.option("-k", "rules", default="", metavar="RULE", help="Only rules whose id contains this.")
@click.option("--example-db", metavar="DB", envvar="EXAMPLE_DB", show_envvar=True,
              help="Share findings with other runs: redis://host:6379/0, or a folder.")  # fmt: skip
@click.option("--resume", type=click.Path(path_type=Path), metavar="DIR",
              help="Go on with the run that reports to DIR; its options need not be repeated.")  # fmt: skip
@click.option("--quiet", is_flag=True, help="Only the last line.")
@click.pass_context
def run(context: click.Context, /, **given: Any) -> None:
    """Run the gate: every layer, a verdict per rule."""
    with usage_errors():
        state = load_state(given["resume"]) if given["resume"] else None
        if state:
            given = resumed(context, given, state)
        if not given["target"]:
            raise TargetError("name what to judge: --target https://host/api/v1, or wsgi:module:factory")
        playing, catalogue = _run(given, state)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ended as by Ctrl-C: with what was seen
    if state and nothing_left(given, state):
        report = state.report(catalogue)
    else:
        with _alone(given["folder"]), unjudged(), _bar(given["quiet"], given["seconds"]) as progress:
            report = playing(progress).report()
    from contract_tests.reports.terminal import show

    show(report, quiet=given["quiet"])
    if folder := given["folder"]:
        from contract_tests.reports.write import (
            write_reports,  # templates and formats only where they are asked for
        )

        write_reports(report, folder, resumed=state is not None)
        click.echo(f"reports: {folder}", err=True)
    sys.exit(report.exit_code)


@contextmanager
def _alone(folder: Path | None) -> Iterator[None]:
    """Let one run at a time report to a folder."""
    if folder is None:
        yield
        return
    from filelock import FileLock, Timeout

    lock = FileLock(folder / "lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        end(f"another run reports to {folder}; wait for it, or name another folder", 2)
    try:
        yield
    finally:
        lock.release()
        (folder / "lock").unlink(missing_ok=True)


def _run(given: dict[str, Any], state: State | None) -> tuple[Callable[[Progress], Run], Catalogue]:
    """Put a run together; what is wrong with the options is told before anything is sent."""
    folder: Path | None = given["folder"]
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
    player = _player(given, Ledger(folder / "ledger.jsonl" if folder else None, resumed=state is not None))
    waivers = load_waivers(given["waivers"], player.catalogue) if given["waivers"] else {}
    rules = frozenset(rule for rule in player.catalogue if given["rules"] in rule)
    if not rules:
        raise TargetError(f"-k {given['rules']}: no rule has that in its id; docs/rules.md lists them")
    options = Options(
        waivers=waivers,
        rules=rules if given["rules"] else None,
        **{name: given[name] for name in _OPTIONS},
    )
    contract = contract_of(player)
    if state and state.contract != contract:
        raise ValueError("the contract has changed since that run began; start a new one")
    state = state or new_state(player, options)
    state.given, state.waivers = plain(given), waivers
    database = given["example_db"]
    archive = open_archive(database, state.target, contract) if database else None

    def keep(now: State) -> None:
        if folder:
            now.save(folder)

    def playing(progress: Progress) -> Run:
        return Run(player, options, progress, state=state, keep=keep, archive=archive)

    return playing, player.catalogue


_OPTIONS = (
    "target", "layers", "strict", "seed", "max_examples", "seconds", "concurrency", "refuse_only", "shard",
)  # fmt: skip


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
@_target_options
def replay(file: Path, **given: Any) -> None:
    """Send the requests of a finding's FILE again and judge the answer anew."""
    from contract_tests.results.findings import load

    with usage_errors():
        case, _ = load(file)
        if not given["target"]:
            raise TargetError("name where to send it: --target https://host/api/v1, or wsgi:module:factory")
        player = _player(given, Ledger())
        if case.rule not in player.catalogue:
            raise ValueError(f"{file}: there is no rule {case.rule!r} any more")
    with unjudged():
        from contract_tests.execution.preflight import preflight
        from contract_tests.execution.race import play_race

        ready = preflight(player)
        player.cast, player.readback = ready.cast, ready.readback
        result = play_race(player, case) if case.layer == "race" else player.play(case)
    judgement = result.judgement
    for exchange in result.exchanges:
        click.echo(
            f"{exchange.curl()}\n  -> {exchange.status or exchange.reason} {exchange.reply_body[:300]}"
        )
    why = f": {judgement.reason}" if judgement.outcome != "passed" else ""
    click.echo(f"{judgement.rule} {'conforms' if judgement.outcome == 'passed' else judgement.outcome}{why}")
    sys.exit({"violated": 1, "passed": 0}.get(judgement.outcome, 3))


@main.command(hidden=True)
def freeze() -> None:
    """Write the generated bodies and traces of the gate anew (for who works on the kit)."""
    from contract_tests.execution import random_scenarios
    from contract_tests.generation import bodies

    bodies.freeze(load_spec(), 0, GATE_EXAMPLES)
    random_scenarios.freeze(0)


def _player(given: dict[str, Any], ledger: Ledger) -> Player:
    target = open_target(given["target"], timeout=given["timeout"], connections=given.get("concurrency", 12))
    if given.get("rate"):
        from contract_tests.targets.rate_limit import RateLimited  # imports asyncio and more

        target = RateLimited(target, given["rate"])
    return open_player(
        target,
        load_callers(given["callers"]) if given["callers"] else None,
        spec=given["spec"],
        control_hook=given["control_hook"],
        ledger=ledger,
        slug_prefix=given["slug_prefix"],
        max_created=given.get("max_created"),
        refuse_only=given.get("refuse_only", False),
    )


@contextmanager
def _bar(quiet: bool, seconds: float | None) -> Iterator[Progress]:
    """Show how far each layer is; of a run that has a time, how much of it the generated bodies have used."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description:<10}"), BarColumn(), MofNCompleteColumn(),
               TextColumn("{task.fields[found]} findings"), TimeRemainingColumn())  # fmt: skip
    console = Console(stderr=True)
    with Bar(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as bar:
        tasks: dict[Layer, Any] = {}
        started = time.monotonic()

        def progress(layer: Layer, done: int, total: int, found: int) -> None:
            if seconds is not None and layer == "properties":
                done, total = int(time.monotonic() - started), int(seconds)
            if layer not in tasks:
                tasks[layer] = bar.add_task(layer, total=total, found=0)
            bar.update(tasks[layer], completed=done, total=total, found=found)

        yield progress


main.add_command(check)
main.add_command(merge)
main.add_command(mutate)
