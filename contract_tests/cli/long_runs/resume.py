"""Options of a run that is resumed, as its state file stores them.

A state file may come from another machine, or from somebody else. So it names no host, no module and no file that the
command line does not name, too.
"""

import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from contract_tests.results.verdict import STOPPED_AFTER
from contract_tests.runs.checkpoint import RunState

#: Options that identify a run: with another value it would be another run.
_FIXED_OPTIONS = (
    "target",
    "layers",
    "spec",
    "seed",
    "shard",
    "rules",
    "max_examples",
    "strict",
    "refuse_only",
    "budget",
)
_PATH_OPTIONS = ("callers", "spec", "waivers")
#: Options that name a host, a module or a file; each that the run had is given again.
_NAMED_AGAIN = ("target", "control_hook", *_PATH_OPTIONS)
#: How the values of some options are written, so that they can be read again.
_WRITERS: Mapping[str, Callable[[Any], str]] = {
    "layers": ",".join,
    "shard": lambda shard: f"{shard[0]}/{shard[1]}",
    **dict.fromkeys(_PATH_OPTIONS, lambda path: str(Path(path).absolute())),
}
#: Options about the report alone, the example database, whose address may hold a password, and the export of spans.
_UNSAVED_OPTIONS = (
    "asked_seconds",
    "folder",
    "resume",
    "quiet",
    "previous",
    "baseline",
    "profile",
    "example_db",
    "otel",
)


def options_to_json(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of a run as JSON values that the options themselves can read."""
    saved = {name: value for name, value in options.items() if name not in _UNSAVED_OPTIONS}
    return {
        name: _WRITERS[name](value) if name in _WRITERS and value else value for name, value in saved.items()
    }


def restore_options(context: click.Context, given: Mapping[str, Any], state: RunState) -> dict[str, Any]:
    """Return the options of a resumed run; raise ValueError for a new value that would change the run."""
    if _is_given(context, "folder") and given["folder"] != given["resume"]:
        raise ValueError("--resume: a run keeps its report folder; leave --report out")
    options = {**given, "folder": given["resume"]}
    comparable = options_to_json(given)
    _check_named_again(given, state)
    for parameter in context.command.params:
        name = parameter.name or ""
        if name not in state.command_options or name not in comparable:
            continue
        saved = state.command_options[name]
        compared = _is_given(context, name) or name in _NAMED_AGAIN
        if name in _FIXED_OPTIONS and compared and comparable[name] != saved:
            raise ValueError(_explain_other(name, saved))
        if name not in _NAMED_AGAIN and not _is_given(context, name):
            options[name] = _restore_value(context, parameter, saved)
    options["asked_seconds"] = options["seconds"]
    if not _is_given(context, "seconds") and options["seconds"] is not None:
        options["seconds"] = max(0.0, options["seconds"] - state.seconds)
    return options


def _explain_other(name: str, saved: Any) -> str:
    """Return that an option differs from that of the run, and what to do."""
    option = f"--{name.replace('_', '-')}"
    again = f"give {shlex.join((option, str(saved)))}" if name in _NAMED_AGAIN and saved else "leave it out"
    return f"--resume: the run was started with another {option}; {again}, or start a new run"


def _check_named_again(given: Mapping[str, Any], state: RunState) -> None:
    """Raise ValueError if an option is missing that a state file must not give alone."""
    saved = state.command_options
    missing = [name for name in _NAMED_AGAIN if saved.get(name) and not given[name]]
    if missing:
        again = [word for name in missing for word in (f"--{name.replace('_', '-')}", str(saved[name]))]
        raise ValueError(f"--resume: a state file may be another's, so give also: {shlex.join(again)}")


def _is_given(context: click.Context, name: str) -> bool:
    """Return whether the command line has an option; the run had what a configuration file says now, or not."""
    return context.get_parameter_source(name) in (ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT)


def _restore_value(context: click.Context, parameter: click.Parameter, saved: Any) -> Any:
    """Return a saved value as the option itself would; raise ValueError for one that it refuses."""
    try:
        return parameter.process_value(context, saved)
    except (click.BadParameter, ArithmeticError, AttributeError, TypeError) as error:
        reason = getattr(error, "message", "another type is expected")
        raise ValueError(f"--resume: state.json: {parameter.name}: got {saved!r}: {reason}") from None


def is_finished(options: Mapping[str, Any], state: RunState) -> bool:
    """Return whether nothing of a resumed run is left; a finished run only prints its report again.

    One that ended early after its last layer has repeats and explanations left.
    """
    ended_early = bool(state.cut_short) and not state.cut_short.startswith(STOPPED_AFTER)
    all_layers = {*options["layers"]} <= {*state.done_layers} and not ended_early
    return state.finished and (options["seconds"] == 0 or all_layers or bool(options["budget"]))
