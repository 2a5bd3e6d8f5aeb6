"""Going on with a run that ended early: its options as its state file holds them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from contract_tests.runs.checkpoint import State

#: What a run is about; another value of one would make it another run.
_FIXED = ("target", "layers", "spec", "seed", "shard", "rules", "max_examples", "strict", "refuse_only")
_PATHS = ("callers", "spec", "waivers")
_NOT_KEPT = ("folder", "resume", "quiet", "example_db")  # the last may hold a password


def plain(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of a run as JSON values."""
    kept = {name: value for name, value in given.items() if name not in _NOT_KEPT}
    return {
        name: str(Path(value).absolute()) if name in _PATHS and value else value
        for name, value in kept.items()
    }


def resumed(context: click.Context, given: Mapping[str, Any], state: State) -> dict[str, Any]:
    """Return the options to go on with; ValueError where one was given that a run keeps for good."""
    if given["folder"] not in (None, given["resume"]):
        raise ValueError("--resume: the run goes on reporting to its own folder; leave --report out")
    options = {**given, "folder": given["resume"]}
    for name, kept in state.given.items():
        value = (
            tuple(kept) if isinstance(kept, list) else Path(str(kept)) if name in _PATHS and kept else kept
        )
        if context.get_parameter_source(name) in (ParameterSource.DEFAULT, None):
            options[name] = value
        elif name in _FIXED and given[name] != value:
            raise ValueError(
                f"--resume: the run was made with another --{name}; leave it out, or start a new run"
            )
    if context.get_parameter_source("seconds") is ParameterSource.DEFAULT and options["seconds"] is not None:
        options["seconds"] = max(0.0, options["seconds"] - state.seconds)
    return options


def nothing_left(options: Mapping[str, Any], state: State) -> bool:
    """Say whether a run that is to be gone on with has ended: it is told again, and nothing is sent."""
    return state.finished and (options["seconds"] == 0 or {*options["layers"]} <= {*state.done})
