"""Checks a configuration before it is used: keys that no command has, and values of the wrong type."""

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

import click

from contract_tests.cli.configuration.options import TARGET_ONLY, check_value, list_options, names_deployment

Commands = Mapping[str, click.Command]
Options = Mapping[str, click.Option]
_MAX_NAME = 80


class ConfigurationError(ValueError):
    """An unusable configuration; the message is one line that says how to fix it."""


def check_document(document: Mapping[str, Any], commands: Commands) -> None:
    """Raise ConfigurationError, which names the place, for what no command understands."""
    tables = {name: list_options(command) for name, command in commands.items()}
    deployed = [name for name, command in commands.items() if names_deployment(command)]
    for key, value in document.items():
        if key == "targets":
            _check_targets(value, {k: option for name in deployed for k, option in tables[name].items()})
        elif key == "environment":
            if not isinstance(value, str):
                raise ConfigurationError("environment: expected the name of a target")
        elif key in tables:
            _check_table(value, key, tables[key], moved=TARGET_ONLY if key in deployed else ())
        elif any(key in options for options in tables.values()):
            raise ConfigurationError(f"{key}: an option stands in a table such as [run] or [targets.staging]")
        else:
            check_known(key, ("environment", "targets", *tables))


def check_known(name: str, known: Iterable[str], place: str = "", problem: str = "unknown key") -> None:
    """Raise ConfigurationError for a name that is not known, with the one that was probably meant."""
    names = list(known)
    if name in names:
        return
    close = difflib.get_close_matches(name[:_MAX_NAME].lower().replace("_", "-"), names, n=1)
    hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(names) or 'none'}"
    raise ConfigurationError(f"{place}{name[:_MAX_NAME]}: {problem}; {hint}")


def _check_targets(targets: Any, options: Options) -> None:
    if not isinstance(targets, dict):
        raise ConfigurationError("targets: expected tables such as [targets.staging]")
    for name, table in targets.items():
        _check_table(table, f"targets.{name}", options)


def _check_table(table: Any, name: str, options: Options, moved: Iterable[str] = ()) -> None:
    """Check the options of a table; those that are ``moved`` stand in the tables of targets."""
    if not isinstance(table, dict):
        raise ConfigurationError(f"{name}: expected a table")
    for key, value in table.items():
        check_known(key, options, f"{name}.")
        if key in moved:
            raise ConfigurationError(f"{name}.{key}: belongs to a target; move it to a table [targets.NAME]")
        try:
            check_value(options[key], value)
        except ValueError as error:
            raise ConfigurationError(f"{name}.{key}: {error}") from None
