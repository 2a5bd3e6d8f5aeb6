"""Types of command-line options, the options that name a target, and the executor that they describe."""

import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from contract_tests.cases.callers import Caller, load_callers
from contract_tests.execution.executor import Executor
from contract_tests.execution.factory import ExecutorOptions, open_executor
from contract_tests.execution.sending.created_log import CreatedLog
from contract_tests.reports.code_hosts.formats import FORMAT_FILES
from contract_tests.results.comparison import load_report
from contract_tests.results.verdict import Report
from contract_tests.targets.base import Target, TargetError
from contract_tests.targets.control_hook import CONTROL_HOOK_HELP
from contract_tests.targets.factory import open_target

#: Few digits: clocks and locks overflow at numbers far beyond any use.
_DECIMAL = r"[0-9]{1,6}(?:\.[0-9]{1,6})?"
#: A gate has some 2,000 requests; more shards would have nothing to send.
_MAX_SHARDS = 1000
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


class Duration(click.ParamType[float]):
    """A duration in seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Parse ``500ms``, ``90``, ``90s``, ``10m`` or ``2h`` as seconds."""
        if isinstance(value, float):
            return value
        match = re.fullmatch(rf"({_DECIMAL})(ms|[smh]|)", str(value))
        if not match or float(match[1]) <= 0:
            self.fail(f"{value!r} is not a time such as 500ms, 90s, 10m or 2h", param, ctx)
        return float(match[1]) * _UNITS[match[2] or "s"]


class PerSecond(click.ParamType[float]):
    """A number of requests per second."""

    name = "rate"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Parse ``10/s``, ``10`` or ``30/m`` as requests per second."""
        if isinstance(value, float):
            return value
        match = re.fullmatch(rf"({_DECIMAL})(?:/([smh]))?", str(value))
        if not match or float(match[1]) <= 0:
            self.fail(f"{value!r} is not a rate such as 10/s or 30/m", param, ctx)
        return float(match[1]) / _UNITS[match[2] or "s"]


class ReportFormat(click.Choice[str]):
    """A further report for a code host."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Refuse a report that each folder has with the option that writes it."""
        if value in ("html", "json", "junit", "markdown"):
            self.fail(f"{value!r} needs no --format: --report DIR writes it", param, ctx)
        return super().convert(value, param, ctx)


class Shard(click.ParamType[tuple[int, int]]):
    """The i-th of n shards."""

    name = "i/n"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        """Parse ``1/4`` as the first of four."""
        if isinstance(value, tuple):
            return value
        match = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", str(value))
        if not match or not 1 <= int(match[1]) <= int(match[2]) <= _MAX_SHARDS:
            self.fail(f"{value!r} is not a shard such as 1/4, of at most {_MAX_SHARDS}", param, ctx)
        return int(match[1]), int(match[2])


_TARGET_OPTIONS = (
    click.option("--target", help="Base URL (https://host/api/v1), or wsgi:module:factory."),
    click.option(
        "--callers",
        type=click.Path(path_type=Path),
        help="File of callers; `mock-server callers` prints one.  [default: those of the mock]",
    ),
    click.option(
        "--spec", type=click.Path(path_type=Path), help="Another openapi.yaml, with its rules.yaml beside it."
    ),
    click.option(
        "--timeout", type=Duration(), default="10s", show_default=True, help="Time limit of a request."
    ),
    click.option("--control-hook", metavar="URL", help=CONTROL_HOOK_HELP),
    click.option("--slug-prefix", default="ck-", show_default=True, help="Prefix for created slugs."),
    click.option(
        "--traceparent/--no-traceparent",
        "traced",
        default=False,
        show_default=True,
        help="Send headers that name the trace and the case.",
    ),
)

_COMPARISON_OPTIONS = (
    click.option(
        "--previous",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="An earlier report.json: tell what is new, fixed or still broken.",
    ),
    click.option(
        "--baseline",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="An earlier report.json: fail only on what is new.",
    ),
)


def add_report_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that name the folder of the reports, and further reports in it."""
    command = click.option("--format", "formats", type=ReportFormat([*FORMAT_FILES]), multiple=True,
                           help="One more report, for a code host; can be repeated.")(command)  # fmt: skip
    folder = click.Path(path_type=Path, file_okay=False)
    return click.option(
        "--report", "folder", type=folder, help="Folder for all reports: HTML, JUnit, JSON, …"
    )(command)


def check_formats(formats: tuple[str, ...], folder: Path | None) -> None:
    """Raise ValueError for further reports without a folder."""
    if formats and folder is None:
        raise ValueError(f"--format {formats[0]} needs a folder for the report; add --report DIR")


def add_comparison_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that name an earlier report."""
    for option in reversed(_COMPARISON_OPTIONS):
        command = option(command)
    return command


def read_comparison_options(previous: Path | None, baseline: Path | None) -> Callable[[Report], Report]:
    """Return what compares a report with the earlier one of an option; raise ValueError if that is unusable."""
    if previous and baseline:
        raise ValueError("--previous and --baseline: give one of them; a baseline is compared with, too")
    file = baseline or previous
    if file is None:
        return lambda report: report
    earlier = load_report(file)
    return lambda report: report.compare_with(earlier, is_baseline=baseline is not None)


def add_target_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that name a target to a command."""
    for option in reversed(_TARGET_OPTIONS):
        command = option(command)
    return command


def check_target(options: Mapping[str, Any]) -> None:
    """Raise TargetError unless the command line or the configuration file names a target."""
    if not options["target"]:
        raise TargetError(
            "name a target: --target https://host/api/v1 or wsgi:module:factory, "
            "or a table [targets.NAME] of contract-tests.toml, which `contract-tests init` writes"
        )


def open_command_target(options: Mapping[str, Any]) -> Target:
    """Return the target that a command's options describe."""
    connections = options.get("concurrency", 12)
    target = open_target(options["target"], timeout=options["timeout"], connections=connections)
    if options.get("rate"):
        # Loads asyncio and more, which a run without a limit never needs.
        from contract_tests.targets.rate_limit import RateLimitedTarget

        target = RateLimitedTarget(target, options["rate"])
    return target


def open_command_executor(
    options: Mapping[str, Any], created_log: CreatedLog, callers: Sequence[Caller] | None = None
) -> Executor:
    """Return the executor that a command's options describe; `callers` are those that were read already."""
    created_log.name_target(options["target"])
    if callers is None and options["callers"]:
        callers = load_callers(options["callers"])
    return open_executor(
        open_command_target(options),
        callers,
        ExecutorOptions(
            spec_path=options["spec"],
            control_hook=options["control_hook"],
            slug_prefix=options["slug_prefix"],
            max_created=options.get("max_created"),
            max_requests=options.get("budget"),
            refuse_only=options.get("refuse_only", False),
            traced=options["traced"],
        ),
        created_log,
    )


def format_replay_options(options: Mapping[str, Any]) -> str:
    """Return the options with which ``contract-tests replay`` sends a finding as this command did."""
    names = ("target", "callers", "spec", "control_hook")
    given = [(f"--{name.replace('_', '-')}", str(options[name])) for name in names if options.get(name)]
    return shlex.join(word for pair in given for word in pair)


def format_saved_options(saved: Mapping[str, Any]) -> str:
    """Return these options of a run from its state file; a path below the working folder is relative to it."""
    paths = {name: Path(saved[name]) for name in ("callers", "spec") if saved.get(name)}
    here = Path.cwd()
    shown = {
        name: path.relative_to(here) if path.is_relative_to(here) else path for name, path in paths.items()
    }
    return format_replay_options({**saved, **shown})
