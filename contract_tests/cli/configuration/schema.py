"""The JSON Schema of the configuration file, made of the options of the commands."""

from typing import Any

import click

from contract_tests.cli.configuration.options import (
    TARGET_ONLY,
    accepts_variable,
    describe_option,
    list_options,
    names_deployment,
)
from contract_tests.contract.json_schemas import DIALECT

_VARIABLE = {
    "type": "object",
    "description": "The value of an environment variable",
    "required": ["env"],
    "additionalProperties": False,
    "properties": {"env": {"type": "string"}},
}


def build_configuration_schema(commands: dict[str, click.Command]) -> dict[str, Any]:
    """Return the JSON Schema of ``contract-tests.toml``: a table per command, and one per target."""
    of_targets: dict[str, click.Option] = {}
    tables: dict[str, Any] = {}
    for name, command in commands.items():
        options = list_options(command)
        if names_deployment(command):
            of_targets |= options
            options = {key: option for key, option in options.items() if key not in TARGET_ONLY}
        tables[name] = _describe_table(f"Options of contract-tests {name}", options)
    targets = {
        "type": "object",
        "description": "The deployments, each with its options",
        "additionalProperties": _describe_table("Options for one deployment", of_targets),
    }
    environment = {"type": "string", "description": "The target that is used without --environment"}
    return {
        "$schema": DIALECT,
        "title": "Configuration of contract-tests",
        "type": "object",
        "additionalProperties": False,
        "properties": {"environment": environment, "targets": targets, **tables},
    }


def _describe_table(description: str, options: dict[str, click.Option]) -> dict[str, Any]:
    return {
        "type": "object",
        "description": description,
        "additionalProperties": False,
        "properties": {key: _describe_value(option) for key, option in options.items()},
    }


def _describe_value(option: click.Option) -> dict[str, Any]:
    schema = describe_option(option)
    if not accepts_variable(schema):
        return schema
    text = schema.pop("description", "")
    return {"description": text, "anyOf": [schema, _VARIABLE]}
