"""The command ``contract-tests parity``."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from contract_tests.cli.main import build_command

MOCK = "wsgi:mock_server:create_app"
BROKEN = "wsgi:tests.support.gate.calibration:build_broken_mock"
SHAPED = "wsgi:tests.contract_tests.cli.commands.test_parity:build_shaped_mock"


def build_shaped_mock() -> object:
    """Return a mock whose refusals have no body."""
    from mock_server import create_app

    return create_app(profile={"choices": {"error-body": "empty"}})


def parity(*arguments: str | Path) -> Result:
    """Run the command in this process."""
    return CliRunner(env={"COLUMNS": "100"}).invoke(build_command(), ["parity", *map(str, arguments)])


@pytest.mark.slow
def test_a_mock_agrees_with_itself(tmp_path: Path) -> None:
    """The score comes with an interval, and without a profile the usual options are named."""
    done = parity("--target", MOCK, "--requests", "400", "--report", tmp_path / "out")
    lines = done.stdout.splitlines()
    assert done.exit_code == 0, done.output
    assert lines[0] == f"{MOCK} and the mock with the usual options (no --profile), seed 0"
    assert lines[1] == "agrees in 100.0 % (99.0 to 100.0) of 399 requests"
    assert max(map(len, lines)) <= 100
    assert json.loads((tmp_path / "out" / "parity.json").read_text())["exit_code"] == 0
    assert "sk-red-5f0c7c1e9a" not in done.output


@pytest.mark.slow
def test_a_rule_that_is_not_enforced_is_exit_code_1() -> None:
    """It is named, with a command to paste."""
    done = parity("--target", BROKEN, "--requests", "2000")
    assert done.exit_code == 1
    assert "✗ exposed-port-range (rule, documented), accept or refuse: " in done.stdout
    assert "curl -i -X " in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "code", "outcome"),
    [
        ((), 0, "AGREES except for the shape of answers on 1 choice: "),
        (("--strict",), 1, "DIFFERS on 1 choice: "),
    ],
    ids=["lenient", "strict"],
)
def test_another_shape_alone_fails_with_strict_only(
    options: tuple[str, ...], code: int, outcome: str
) -> None:
    """It is reported in any case; --quiet prints the outcome alone."""
    arguments = ("--target", SHAPED, "--requests", "200", *options)
    done, quiet = parity(*arguments), parity(*arguments, "--quiet")
    assert done.exit_code == quiet.exit_code == code
    assert "✗ error-body (choice), shape of the answer: " in done.stdout
    assert f"\n{outcome}" in done.stdout
    assert [line.startswith(outcome) for line in quiet.stdout.splitlines()] == [True]


@pytest.mark.slow
def test_a_profile_makes_the_mock_agree(tmp_path: Path) -> None:
    """With the deployment's own option nothing parts, also with --strict."""
    profile = tmp_path / "profile.yaml"
    profile.write_text("choices: {error-body: empty}")
    done = parity("--target", SHAPED, "--profile", profile, "--requests", "200", "--strict")
    assert done.exit_code == 0, done.output
    assert f"and the mock with {profile}, seed 0" in " ".join(done.stdout.split())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "contract-tests.toml, which `contract-tests init` writes"),
        (("--target", MOCK, "--profile", "none.yaml"), "none.yaml"),
        (("--target", MOCK, "--profile", "bad.yaml"), "no choice has the id 'invalid-status'"),
        (("--target", MOCK, "--requests", "0"), "not in the range"),
        (("--target", "https://me:secret@host"), "holds a user name or a password"),
    ],
)
def test_wrong_usage_is_one_line_with_exit_code_2(
    arguments: tuple[str, ...], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is missing or unusable is said before anything is sent."""
    (tmp_path / "bad.yaml").write_text("choices: {invalid-status: 422}")
    monkeypatch.chdir(tmp_path)
    done = parity(*arguments)
    assert done.exit_code == 2, done.output
    assert message in done.stderr
    assert "secret" not in done.output
    assert "Traceback" not in done.output


def test_a_target_that_is_not_there_is_exit_code_3() -> None:
    """Nothing could be compared."""
    assert parity("--target", "http://127.0.0.1:9/api/v1").exit_code == 3


def test_a_key_of_another_team_than_the_file_says_is_named_and_left_out(tmp_path: Path) -> None:
    """The mock takes the team from the file, so that such a key would show differences that no deployment has."""
    callers = tmp_path / "callers.yaml"
    callers.write_text(
        "teams: {red: 0192f0c0-1111-7aaa-8bbb-0123456789ab, blue: 0192f0c0-2222-7aaa-8bbb-0123456789ab}\n"
        "callers:\n"
        "  - {name: sk-red, kind: sk, teams: [red], token: sk-red-5f0c7c1e9a}\n"
        "  - {name: dk-blue, kind: dk, teams: [blue], token: dk-red-1b6e20f8d4}\n"
    )
    done = parity("--target", MOCK, "--requests", "300", "--callers", callers)
    assert done.exit_code == 3, done.output
    assert "cannot be used: dk-blue (acts for the team of sk-red" in " ".join(done.stdout.split())
    assert "agrees in 100.0 %" in done.stdout
