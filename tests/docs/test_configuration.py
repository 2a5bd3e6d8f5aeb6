"""The commands and files of docs/configuration.md work as shown."""

import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from contract_tests.cli.configuration.command import list_configured
from contract_tests.cli.configuration.options import names_deployment
from contract_tests.cli.main import build_command
from contract_tests.contract.resources import data_file
from tests.support.docs import list_blocks, read_page, run_block
from tests.support.processes import mock_server

PAGE = read_page("docs/configuration.md")
SHELL = list_blocks(PAGE, "sh")


@pytest.mark.slow
def test_the_first_commands_judge_the_mock(tmp_path: Path) -> None:
    """After `init`, a run without options judges the mock and writes the reports."""
    init, judge = SHELL[0].splitlines()
    with mock_server(stderr=subprocess.DEVNULL) as mock:
        change_port = f"sed -i.old 's|http://127.0.0.1:4010/api/v1|{mock.url}|' contract-tests.toml"
        done = run_block(f"{init}\n{change_port}\n{judge}", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "CONFORMS in " in done.stdout
    assert (tmp_path / "contract-report" / "report.html").is_file()


def test_the_example_follows_the_schema() -> None:
    """The configuration of the page is one that an editor finds no fault in."""
    example = tomllib.loads(list_blocks(PAGE, "toml")[0])
    schema = json.loads(data_file("spec/schemas/config.schema.json").read_text("utf-8"))
    assert [error.message for error in Draft202012Validator(schema).iter_errors(example)] == []


def test_the_page_names_the_commands_of_a_target() -> None:
    """The page lists exactly the commands that take `--environment`."""
    (sentence,) = re.findall(r"commands that name a deployment: ([^.]*)\.", PAGE)
    commands = list_configured(build_command())
    taking = [name for name, command in commands.items() if names_deployment(command)]
    assert re.findall("`(.*?)`", sentence) == sorted(taking)


@pytest.mark.slow
def test_the_printed_schemas_fit_the_first_line(tmp_path: Path) -> None:
    """The commands write the schema that the first line of the example names, and it accepts the example."""
    assert run_block(SHELL[1], tmp_path).returncode == 0
    block = list_blocks(PAGE, "yaml")[0]
    named = re.findall(r"\$schema=(\S+)", block)[0]
    schema = json.loads((tmp_path / named).read_text("utf-8"))
    assert Draft202012Validator(schema).is_valid(yaml.safe_load(block))
