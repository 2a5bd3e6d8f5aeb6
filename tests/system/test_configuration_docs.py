"""The commands and files of docs/configuration.md work as shown."""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from contract_tests.cli.configuration.command import list_configured
from contract_tests.cli.configuration.options import names_deployment
from contract_tests.cli.main import build_command
from contract_tests.contract.resources import data_file
from tests.support.fixture_player import ROOT
from tests.support.processes import mock_server

PAGE = (ROOT / "docs" / "configuration.md").read_text("utf-8")
SHELL = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)


def run_shell(block: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a block of the page in a folder."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(["sh", "-ec", block], cwd=folder, env={**os.environ, "PATH": path},
                          capture_output=True, text=True, timeout=120, check=False)  # fmt: skip


@pytest.mark.slow
def test_the_first_commands_judge_the_mock(tmp_path: Path) -> None:
    """After `init`, a run without options judges the mock and writes the reports."""
    init, judge = SHELL[0].splitlines()
    with mock_server(stderr=subprocess.DEVNULL) as mock:
        change_port = f"sed -i.old 's|http://127.0.0.1:4010/api/v1|{mock.url}|' contract-tests.toml"
        done = run_shell(f"{init}\n{change_port}\n{judge}", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "CONFORMS in " in done.stdout
    assert (tmp_path / "contract-report" / "report.html").is_file()


def test_the_example_follows_the_schema() -> None:
    """The configuration of the page is one that an editor finds no fault in."""
    example = tomllib.loads(re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)[0])
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
    assert run_shell(SHELL[1], tmp_path).returncode == 0
    block = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)[0]
    named = re.findall(r"\$schema=(\S+)", block)[0]
    schema = json.loads((tmp_path / named).read_text("utf-8"))
    assert Draft202012Validator(schema).is_valid(yaml.safe_load(block))
