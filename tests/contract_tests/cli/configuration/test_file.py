"""A configuration file gives the options that the command line leaves out."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from contract_tests.cli.configuration.command import list_configured
from contract_tests.cli.configuration.file import ConfigurationError, read_configuration
from contract_tests.cli.configuration.options import list_options
from contract_tests.cli.main import build_command
from tests.support.gate.odd_servers import run_command

GROUP = build_command()
COMMANDS = list_configured(GROUP)
MOCK = "wsgi:mock_server:create_app"
TWO = """
[targets.staging]
target = "https://staging.example.com/api/v1"
callers = "callers.yaml"
rate = "10/s"
[targets.local]
target = {env = "LOCAL_URL"}
[run]
rate = "20/s"
strict = true
report = "reports"
time = 90
"""


@pytest.fixture(autouse=True)
def _working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(text: str, name: str = "contract-tests.toml") -> None:
    """Write a configuration into the working folder."""
    Path(name).write_text(text, "utf-8")


def defaults(name: str, given: Mapping[str, Any], environ: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the options of a command by the configuration of the working folder."""
    return read_configuration(None, COMMANDS).list_defaults(COMMANDS[name], given, environ or {})


def invoke(*arguments: str) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(GROUP, arguments)


@pytest.mark.slow
def test_a_run_with_a_file_does_what_the_flags_do() -> None:
    """The reports of both runs are the same, except for times."""
    options = ("--layers", "cases", "-k", "slug", "--seed", "7", "--strict", "--concurrency", "1")
    assert run_command("run", "--target", MOCK, "--report", "flags", *options).code == 0
    write(f'[targets.mock]\ntarget = "{MOCK}"\n[run]\nreport = "file"\nlayers = "cases"\nrules = "slug"\nseed = 7\n'
          "strict = true\nconcurrency = 1\n")  # fmt: skip
    assert run_command("run").code == 0
    documents = [json.loads(Path(folder, "report.json").read_text("utf-8")) for folder in ("flags", "file")]
    for document in documents:
        del document["started"], document["seconds"]
        for layer in document["layers"].values():
            del layer["seconds"]
    assert documents[0] == documents[1]
    assert (documents[1]["seed"], documents[1]["strict"]) == (7, True)


def test_the_table_of_a_target_precedes_that_of_a_command() -> None:
    """The rate of the chosen target stands, beside the other options of the command."""
    write(TWO)
    assert defaults("run", {"environment": "staging"}) == {
        "target": "https://staging.example.com/api/v1", "callers": "callers.yaml", "rate": "10/s", "strict": True,
        "folder": "reports", "seconds": 90,
    }  # fmt: skip


def test_the_command_line_precedes_the_file() -> None:
    """An option of the command line is not taken from the file."""
    write(TWO)
    found = defaults("run", {"environment": "staging", "rate": "1/s", "strict": True})
    assert found.keys() & {"rate", "strict"} == set()


def test_another_target_gets_no_callers_of_the_file() -> None:
    """With a target on the command line and no name of one in the file, no table of a target is used."""
    write(TWO)
    assert defaults("run", {"target": "http://127.0.0.1:4010/api/v1"}).keys() & {"target", "callers"} == set()


@pytest.mark.parametrize(
    ("given", "refused"),
    [
        ({"target": MOCK}, True),
        ({"target": "https://staging.example.com/api/v1/"}, False),
        ({"target": MOCK, "folder": "mine"}, False),
        ({"target": MOCK, "resume": "reports"}, False),
        ({"target": MOCK, "environment": "staging"}, False),
        ({"environment": "staging"}, False),
    ],
)
def test_another_target_does_not_replace_the_report(given: dict[str, str], refused: bool) -> None:
    """Who tries another target by hand keeps the report of the pipeline, which the file names."""
    write(TWO)
    Path("reports").mkdir()
    Path("reports/report.json").write_text('{"target": "https://staging.example.com/api/v1"}', "utf-8")
    problem = ""
    try:
        defaults("run", given)
    except ConfigurationError as error:
        problem = str(error)
    assert (
        problem.startswith("contract-tests.toml: run.report: reports has the report of https://") == refused
    )
    assert problem.endswith("name another folder for this target with --report") == refused


def test_the_only_target_needs_no_name() -> None:
    """A single target is used; of several the file, or the command line, names one."""
    write('[targets.a]\ntarget = "a"')
    assert defaults("replay", {}) == {"target": "a"}
    write('environment = "b"\n[targets.a]\ntarget = "a"\n[targets.b]\ntarget = "b"')
    assert defaults("replay", {}) == {"target": "b"}
    assert defaults("replay", {"environment": "a"}) == {"target": "a"}


def test_a_variable_stands_for_a_value() -> None:
    """The value of ``{env = NAME}`` is read from the environment; one that is not set is one line."""
    write(TWO)
    assert defaults("replay", {"environment": "local"}, {"LOCAL_URL": "u"}) == {"target": "u"}
    with pytest.raises(
        ConfigurationError, match=r"^contract-tests.toml: targets.local.target: .* LOCAL_URL is not set$"
    ):
        defaults("replay", {"environment": "local"})


def test_a_pyproject_holds_the_same() -> None:
    """The table [tool.contract-tests] is read; a pyproject without it is no configuration."""
    write('[tool.contract-tests.targets.a]\ntarget = "a"', "pyproject.toml")
    assert defaults("calibrate", {}) == {"target": "a"}
    write("[tool.other]\nkey = 1", "pyproject.toml")
    assert defaults("calibrate", {}) == {}


def test_paths_are_relative_to_the_file() -> None:
    """A file in another folder names its neighbours."""
    Path("ci").mkdir()
    write('[targets.a]\ncallers = "callers.yaml"\n[run]\nexample-db = "redis://host:6379/0"', "ci/own.toml")
    found = read_configuration(Path("ci/own.toml"), COMMANDS).list_defaults(COMMANDS["run"], {}, {})
    assert found == {"callers": str(Path("ci/callers.yaml")), "example_db": "redis://host:6379/0"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[run]\nstrikt = true", "run.strikt: unknown key; did you mean strict?"),
        ("[runs]\nstrict = true", "runs: unknown key; did you mean run?"),
        ("[run]\nmax_created = 1", "run.max_created: unknown key; did you mean max-created?"),
        ("[targets.a]\ncaller = 'x'", "targets.a.caller: unknown key; did you mean callers?"),
        ("strict = true", "strict: an option stands in a table such as [run] or [targets.staging]"),
        ('[run]\nstrict = "yes"', "run.strict: expected true or false"),
        ("[run]\nseed = true", "run.seed: expected an integer"),
        ("[run]\nreport = 5", "run.report: expected a text"),
        ("[run]\nreport = {file = 'x'}", 'run.report: expected a text, or {env = "NAME"}'),
        ("[run]\nmin-judged = 2.5", "run.min-judged: 2.5 is not in the range 0<=x<=1."),
        ('[run]\nlayers = "cases,wires"', "run.layers: wires: the layers are "),
        ('[run]\nrate = "fast"', "run.rate: 'fast' is not a rate such as 10/s or 30/m"),
        ("[run]\ntarget = 'x'", "run.target: belongs to a target; move it to a table [targets.NAME]"),
        ("run = 5", "run: expected a table"),
        ("targets = []", "targets: expected tables such as [targets.staging]"),
        ("environment = 5", "environment: expected the name of a target"),
        ("environment = 'b'\n[targets.a]", "targets.b: no such table; "),
        ("[targets.a]\n[targets.b]", "choose a target with --environment: a, b"),
        ("[run]\nexample-db = 'redis://:secret@host'", "run.example-db: the value holds a password; name a variable"),
        ("[run", "contract-tests.toml is not TOML: "),
        pytest.param("a = " + "9" * 5000, "contract-tests.toml is not TOML: Exceeds the limit", id="digits"),
        pytest.param(".".join("a" * 60_000) + " = 1", "contract-tests.toml is larger than 64 KiB", id="large"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_one_line(text: str, says: str) -> None:
    """An unknown key, a wrong type or value ends with exit code 2 and the place, and shows no secret."""
    write(text)
    done = invoke("run")
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.output
    assert done.stderr.startswith("contract-tests: ")
    assert says in done.stderr
    assert "secret" not in done.stderr


def test_a_named_file_must_exist() -> None:
    """A file of --config that is missing, or has no table for us, is one line."""
    assert "own.toml: No such file" in invoke("run", "--config", "own.toml").stderr
    write("[tool]", "pyproject.toml")
    assert "has no table [tool.contract-tests]" in invoke("run", "--config", "pyproject.toml").stderr


def test_help_needs_no_usable_file() -> None:
    """--help works beside a broken configuration."""
    write("[run")
    assert invoke("run", "--help").exit_code == 0


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_has_a_long_name(name: str) -> None:
    """Each option of a command can stand in a file, under a name of its own."""
    options = [param for param in COMMANDS[name].params if isinstance(param, click.Option)]
    assert all(any(text.startswith("--") for text in option.opts) for option in options)
    own = [option for option in options if option.expose_value]
    assert {option.name for option in list_options(COMMANDS[name]).values()} == {
        option.name for option in own
    }


@pytest.mark.slow
def test_a_run_of_a_file_is_resumed_by_its_folder() -> None:
    """The file names the target again; the run keeps its own options, and refuses another target."""
    table = f'[targets.mock]\ntarget = "{MOCK}"\n'
    write(f'{table}[run]\nreport = "one"\nlayers = "cases"\nrules = "slug"\nseed = 7\n')
    assert run_command("run").code == 0
    write(f'{table}[run]\nreport = "two"\nseed = 8\n')
    done = run_command("run", "--resume", "one")
    assert (done.code, "seed 7" in done.out, Path("two").exists()) == (0, True, False), done.err
    write('[targets.mock]\ntarget = "wsgi:other:app"')
    done = run_command("run", "--resume", "one")
    assert done.code == 2
    assert f"started with another --target; give --target {MOCK}, or start a new run" in done.err
    done = run_command("run", "--resume", "one", "--target", MOCK, "--max-examples", "3")
    assert "started with another --max-examples; leave it out, or start a new run" in done.err
