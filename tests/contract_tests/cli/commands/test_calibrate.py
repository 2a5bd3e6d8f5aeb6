"""The command ``contract-tests calibrate``."""

import itertools
import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from contract_tests.cli.main import build_command
from mock_server import create_app

MOCK = "wsgi:mock_server:create_app"
BROKEN = "wsgi:tests.support.gate.calibration:build_broken_mock"


def calibrate(*arguments: str | Path, columns: int = 300) -> Result:
    """Run the command in this process, in a terminal of so many columns."""
    return CliRunner(env={"COLUMNS": str(columns)}).invoke(
        build_command(), ["calibrate", *map(str, arguments)]
    )


def test_each_choice_has_a_line_and_the_profile_is_written(tmp_path: Path) -> None:
    """The terminal says of each choice how it was seen, or why not; the file has the same."""
    file = tmp_path / "mock.yaml"
    done = calibrate("--target", MOCK, "-o", file)
    lines = done.stdout.splitlines()
    assert done.exit_code == 0, done.output
    assert any(line.startswith("invalid-body-status") and "→ 400" in line for line in lines)
    assert any(line.startswith("busy-status") and "not seen: needs --control-hook" in line for line in lines)
    assert lines[-1].startswith("74 of 75 choices seen in 1")
    document = yaml.safe_load(file.read_text())
    assert len(document["choices"]) == 74
    assert list(document["not_seen"]) == ["busy-status"]
    assert "sk-red-5f0c7c1e9a" not in done.output + file.read_text()


def test_quiet_prints_how_much_was_seen(tmp_path: Path) -> None:
    """The profile has the rest."""
    (line,) = calibrate("--target", MOCK, "-o", tmp_path / "mock.yaml", "--quiet").stdout.splitlines()
    assert line.startswith("74 of 75 choices seen in 1")
    assert (tmp_path / "mock.yaml").is_file()


def test_lines_are_wrapped_in_a_narrow_terminal(tmp_path: Path) -> None:
    """No line is longer than the terminal; a wrapped one goes on below its choice, in most of the width."""
    lines = calibrate("--target", MOCK, "-o", tmp_path / "mock.yaml", columns=80).stdout.splitlines()
    assert [line for line in lines if len(line) > 80] == []
    number = next(n for n, line in enumerate(lines) if line.startswith("invalid-body-status"))
    assert lines[number].endswith("400")
    assert lines[number + 1].startswith('    PUT with {"exposed_port": 0} → 400; ')
    assert len(lines) < 200


def test_a_broken_rule_is_reported_with_exit_code_1(tmp_path: Path) -> None:
    """A sentence says what was sent, received and expected; the profile is written without the choice."""
    file = tmp_path / "broken.yaml"
    done = calibrate("--target", BROKEN, "-o", file)
    assert done.exit_code == 1
    assert (
        "✗ exposed-port-range (documented), update of a deployed service: accepted a request that"
        in done.stdout
    )
    assert "received: 200 OK" in done.stdout
    assert "1 rules broken" not in done.stdout
    assert "1 rule broken" in done.stdout
    assert "invalid-body-status" not in yaml.safe_load(file.read_text())["choices"]


def build_refusing_mock(**_: Any) -> Any:
    """Return a mock that refuses every request after the first 30."""
    app, numbers = create_app(), itertools.count()

    def respond(environ: Any, start_response: Any) -> Any:
        if next(numbers) < 30:
            return app(environ, start_response)
        start_response("400 Bad Request", [("Content-Type", "application/json")])
        return [b"{}"]

    return respond


def test_nothing_learnt_is_no_success(tmp_path: Path) -> None:
    """A target of which no choice can be seen could not be judged: exit code 3."""
    done = calibrate("--target", f"wsgi:{__name__}:build_refusing_mock", "-o", tmp_path / "mock.yaml")
    assert (done.exit_code, done.stdout.splitlines()[-1].startswith("0 of ")) == (3, True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("-o", "p.yaml"), "contract-tests.toml, which `contract-tests init` writes"),
        (("--target", MOCK), "Missing option '-o'"),
        (("--target", MOCK, "-o", "no/such/folder/p.yaml"), "no such folder"),
        (("--target", MOCK, "-o", "/dev/null/p.yaml"), "no such folder"),
        (("--target", "https://me:secret@host", "-o", "p.yaml"), "holds a user name or a password"),
    ],
)
def test_wrong_usage_is_one_line_with_exit_code_2(
    arguments: tuple[str, ...], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is missing or unusable is said before anything is sent."""
    monkeypatch.chdir(tmp_path)
    done = calibrate(*arguments)
    assert (done.exit_code, list(tmp_path.iterdir())) == (2, [])
    assert message in done.stderr
    assert "secret" not in done.output


def test_a_target_that_is_not_there_is_exit_code_3(tmp_path: Path) -> None:
    """Nothing is written where nothing can be judged."""
    done = calibrate("--target", "http://127.0.0.1:9/api/v1", "-o", tmp_path / "p.yaml")
    assert done.exit_code == 3
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_written_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    """Nothing is learnt for a file that cannot hold it, and an earlier profile stays as it is."""
    os.mkfifo(tmp_path / "pipe")
    for file in (tmp_path / ("name" * 100), tmp_path / "pipe"):
        done = calibrate("--target", "http://127.0.0.1:1", "-o", file)
        assert done.exit_code == 2
        assert "name a file that can be written" in done.stderr
    earlier = tmp_path / "earlier.yaml"
    earlier.write_text("choices: {}\n")
    assert calibrate("--target", "http://127.0.0.1:1/api", "-o", earlier).exit_code == 3
    assert earlier.read_text() == "choices: {}\n"
