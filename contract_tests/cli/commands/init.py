"""The ``contract-tests init`` and ``contract-tests schema`` commands."""

import json
import os
from pathlib import Path
from typing import Any, NoReturn

import click

from contract_tests.cli.common.errors import exit_with
from contract_tests.cli.common.output import end_with_text, format_os_error
from contract_tests.cli.configuration.command import list_configured
from contract_tests.cli.configuration.file import FILE_NAME
from contract_tests.cli.configuration.schema import build_configuration_schema
from contract_tests.contract.files.report_file import write_file
from contract_tests.contract.json_schemas import SCHEMA_NAMES, build_schema

_FIRST_FILE = Path(__file__).parent.with_name("configuration") / "first.toml"
_SCHEMA_FILE = Path("contract-tests.schema.json")
_NEXT = (
    f"{FILE_NAME} is written, with its JSON Schema for editors beside it.\n"
    "next: mock-server in one terminal, contract-tests run in another"
)


@click.command()
@click.pass_context
def init(ctx: click.Context) -> NoReturn:
    """Write a commented first contract-tests.toml.

    The file is written into the working folder; one that exists is kept.

    Exit codes: 0 written, 2 the file exists already, or cannot be written.
    """
    if os.path.lexists(FILE_NAME):
        exit_with(f"{FILE_NAME} exists already, and is kept; change it, or remove it first", 2)
    try:
        if not _SCHEMA_FILE.exists():
            write_file(_SCHEMA_FILE, _format_schema(ctx, "config"))
        write_file(Path(FILE_NAME), _FIRST_FILE.read_text("utf-8"))
    except OSError as error:
        exit_with(format_os_error(error, FILE_NAME), 2)
    end_with_text(_NEXT, 0)


@click.command()
@click.argument("name", type=click.Choice(["config", *SCHEMA_NAMES]), required=False)
@click.pass_context
def schema(ctx: click.Context, name: str | None) -> NoReturn:
    """Print the JSON Schema of a kind of file, for editors.

    Without NAME, the kinds are listed.
    """
    end_with_text(_format_schema(ctx, name).rstrip("\n") if name else "\n".join(("config", *SCHEMA_NAMES)), 0)


def _format_schema(ctx: click.Context, name: str) -> str:
    if name == "config":
        document: dict[str, Any] = build_configuration_schema(list_configured(ctx.find_root().command))
    else:
        document = build_schema(name)
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
