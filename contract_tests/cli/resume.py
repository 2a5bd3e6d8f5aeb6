"""Options of a run that is resumed, as its state file stores them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

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
)
_PATH_OPTIONS = ("callers", "spec", "waivers")
_UNSAVED_OPTIONS = ("folder", "resume", "quiet", "example_db")  # the last may hold a password


def options_to_json(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of a run as JSON values."""
    saved = {name: value for name, value in options.items() if name not in _UNSAVED_OPTIONS}
    return {
        name: str(Path(value).absolute()) if name in _PATH_OPTIONS and value else value
        for name, value in saved.items()
    }


def restore_options(context: click.Context, given: Mapping[str, Any], state: RunState) -> dict[str, Any]:
    """Return the options of a resumed run; raise ValueError for a new value that would change the run."""
    if given["folder"] not in (None, given["resume"]):
        raise ValueError("--resume: a run keeps its report folder; leave --report out")
    options = {**given, "folder": given["resume"]}
    for name, saved in state.command_options.items():
        value = _restore_value(name, saved)
        if context.get_parameter_source(name) in (ParameterSource.DEFAULT, None):
            options[name] = value
        elif name in _FIXED_OPTIONS and given[name] != value:
            raise ValueError(
                f"--resume: the run was started with another --{name}; leave it out, or start a new run"
            )
    if context.get_parameter_source("seconds") is ParameterSource.DEFAULT and options["seconds"] is not None:
        options["seconds"] = max(0.0, options["seconds"] - state.seconds)
    return options


def _restore_value(name: str, saved: Any) -> Any:
    if isinstance(saved, list):
        return tuple(saved)
    return Path(str(saved)) if name in _PATH_OPTIONS and saved else saved


def is_finished(options: Mapping[str, Any], state: RunState) -> bool:
    """Return whether nothing of a resumed run is left; a finished run only prints its report again."""
    return state.finished and (options["seconds"] == 0 or {*options["layers"]} <= {*state.done_layers})
