"""What a configuration file may say about an option: its name there, its type, and its value for the command."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from contract_tests.cli.common.options import Duration, PerSecond

#: Options that belong to a target: given to another one, they would send it tokens that are not its own.
TARGET_ONLY = ("target", "callers", "control-hook")
#: Options that only the command line has.
CONFIGURATION_OPTIONS = ("config", "environment")
_PASSWORD = re.compile(r"://[^/@\s]*:[^/@\s]*@")
_TYPES: Mapping[str, tuple[type, ...]] = {
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "string": (str,),
    "array": (list,),
}
_TYPE_NAMES = {"boolean": "true or false", "integer": "an integer", "number": "a number", "string": "a text",
               "array": "a list"}  # fmt: skip


def list_options(command: click.Command) -> dict[str, click.Option]:
    """Return the options of a command by their long name without dashes, as a configuration file spells them."""
    options = [param for param in command.params if isinstance(param, click.Option)]
    named = {max(option.opts, key=len).lstrip("-"): option for option in options}
    return {name: option for name, option in named.items() if name not in CONFIGURATION_OPTIONS}


def names_deployment(command: click.Command) -> bool:
    """Return whether a command sends requests to a deployment, so that the tables of targets are for it."""
    return {"target", "callers"} <= list_options(command).keys()


def describe_option(option: click.Option) -> dict[str, Any]:
    """Return the JSON Schema of an option's value in a configuration file."""
    schema = _describe_type(option.type)
    if option.is_flag:
        schema = {"type": "boolean"}
    if option.multiple:
        schema = {"type": "array", "items": schema}
    return {**schema, **({"description": option.help} if option.help else {})}


def _describe_type(kind: click.ParamType[Any]) -> dict[str, Any]:
    if isinstance(kind, click.Choice):
        return {"type": "string", "enum": list(kind.choices)}
    if isinstance(kind, Duration | PerSecond):
        return {"type": ["string", "integer"]}
    if isinstance(kind, type(click.INT) | type(click.FLOAT)):
        bounds = {"minimum": getattr(kind, "min", None), "maximum": getattr(kind, "max", None)}
        name = "integer" if isinstance(kind, type(click.INT)) else "number"
        return {"type": name} | {key: bound for key, bound in bounds.items() if bound is not None}
    return {"type": "string"}


def accepts_variable(schema: Mapping[str, Any]) -> bool:
    """Return whether ``{env = "NAME"}`` may stand for a value: where it is any text."""
    return bool(schema.get("type") == "string") and "enum" not in schema


def check_value(option: click.Option, value: Any) -> None:
    """Raise ValueError for a value that a configuration file must not give to an option."""
    schema = describe_option(option)
    if isinstance(value, dict) and accepts_variable(schema):
        if list(value) != ["env"] or not isinstance(value["env"], str):
            raise ValueError('expected a text, or {env = "NAME"}')
        return
    types = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    if not _has_type(value, types):
        raise ValueError(f"expected {' or '.join(_TYPE_NAMES[name] for name in types)}")
    if isinstance(value, str) and _PASSWORD.search(value):
        raise ValueError('the value holds a password; name a variable that holds it: {env = "NAME"}')


def _has_type(value: Any, types: list[str]) -> bool:
    allowed = tuple(kind for name in types for kind in _TYPES[name])
    return isinstance(value, allowed) and (bool in allowed or not isinstance(value, bool))


def resolve_value(option: click.Option, value: Any, folder: Path, environ: Mapping[str, str]) -> Any:
    """Return a checked value as the command line would give it; raise ValueError if the option refuses it.

    A path is relative to the folder of the file. ``{env = "NAME"}`` is the value of a variable.
    """
    if isinstance(value, dict):
        name = value["env"]
        if not environ.get(name):
            raise ValueError(f"the environment variable {name} is not set")
        value = environ[name]
    if isinstance(option.type, click.Path):
        value = [str(folder / one) for one in value] if isinstance(value, list) else str(folder / value)
    try:
        option.process_value(click.Context(click.Command("check")), value)
    except click.BadParameter as error:
        raise ValueError(error.message) from None
    return value
