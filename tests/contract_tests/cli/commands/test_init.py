"""The commands that write a first configuration and the schemas."""

import json
import re
import resource
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from contract_tests.cli.configuration.command import list_configured
from contract_tests.cli.configuration.file import read_configuration
from contract_tests.cli.configuration.schema import build_configuration_schema
from contract_tests.cli.main import build_command

COMMANDS = list_configured(build_command())
#: A line of the first configuration that only its comment sign turns off.
TURNED_OFF = re.compile(r"^# (?=\[|[a-z-]+ = )", re.MULTILINE)


@pytest.fixture(autouse=True)
def _working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_init_writes_a_configuration_that_can_be_used() -> None:
    """The file names the mock, and every line that is a comment can be turned on."""
    assert CliRunner().invoke(build_command(), ["init"]).exit_code == 0
    file = Path("contract-tests.toml")
    found = read_configuration(None, COMMANDS).list_defaults(COMMANDS["run"], {}, {})
    assert (found["target"], found["folder"]) == ("http://127.0.0.1:4010/api/v1", "contract-report")
    whole, number = TURNED_OFF.subn("", file.read_text("utf-8"))
    assert number == 10
    file.write_text(whole, "utf-8")
    found = read_configuration(None, COMMANDS).list_defaults(COMMANDS["run"], {"environment": "staging"}, {})
    assert (found["max_created"], found["strict"], found["callers"]) == (500, True, "callers.yaml")


def test_the_schema_beside_it_describes_it() -> None:
    """The first line names a schema that is there, and that accepts the file."""
    CliRunner().invoke(build_command(), ["init"])
    text = Path("contract-tests.toml").read_text("utf-8")
    named = re.match(r"#:schema (\S+)", text)
    assert named is not None
    schema = json.loads(Path(named[1]).read_text("utf-8"))
    whole = tomllib.loads(TURNED_OFF.sub("", text))
    assert [error.message for error in Draft202012Validator(schema).iter_errors(whole)] == []


def test_init_without_room_leaves_nothing(tmp_path: Path) -> None:
    """A file that finds no room is not left half written, so that the next `init` writes it."""
    done = subprocess.run(
        [sys.executable, "-m", "contract_tests", "init"],
        capture_output=True, text=True, cwd=tmp_path,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100)),
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("contract-tests: contract-tests")
    assert [*tmp_path.iterdir()] == []


def test_init_never_overwrites() -> None:
    """A second call leaves the file as it is and ends with exit code 2; an own schema is kept, too."""
    Path("contract-tests.toml").write_text("[run]\n", "utf-8")
    done = CliRunner().invoke(build_command(), ["init"])
    assert (done.exit_code, done.stderr) == (
        2, "contract-tests: contract-tests.toml exists already, and is kept; change it, or remove it first\n",
    )  # fmt: skip
    assert Path("contract-tests.toml").read_text("utf-8") == "[run]\n"
    assert not Path("contract-tests.schema.json").exists()


@pytest.mark.parametrize(
    ("document", "valid"),
    [
        ({"run": {"strict": True, "time": "10m", "report": {"env": "FOLDER"}}}, True),
        ({"targets": {"a": {"target": "https://h", "max-created": 5}}, "environment": "a"}, True),
        ({"run": {"strict": "yes"}}, False),
        ({"run": {"strikt": True}}, False),
        ({"run": {"target": "https://h"}}, False),
        ({"run": {"min-judged": 2}}, False),
        ({"targets": {"a": {"caller": "x"}}}, False),
        ({"strict": True}, False),
    ],
)
def test_the_schema_accepts_what_the_commands_accept(document: object, valid: bool) -> None:
    """An editor marks what the commands refuse, and nothing else."""
    schema = build_configuration_schema(COMMANDS)
    assert Draft202012Validator(schema).is_valid(document) is valid


@pytest.mark.slow
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_gets_its_completion(shell: str) -> None:
    """The variable of docs/configuration.md makes each command print a script that completes it."""
    for program in ("contract-tests", "mock-server"):
        variable = f"_{program.upper().replace('-', '_')}_COMPLETE"
        command = [str(Path(sys.executable).with_name(program))]
        done = subprocess.run(
            command, env={variable: f"{shell}_source"}, capture_output=True, text=True, check=False
        )
        assert (done.returncode, variable in done.stdout) == (0, True), done.stderr
