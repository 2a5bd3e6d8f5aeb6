"""The options that let a run fail only on what is new, and tell a deployment that departs from its profile."""

import json
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest

from contract_tests.contract.resources import data_file
from mock_server import create_app
from tests.contract_tests.cli.test_endings import VALID, write_recording
from tests.support.gate.odd_servers import COMMAND, run_command

MOCK = "wsgi:mock_server:create_app"
SHORT = ("--layers", "race", "-k", "slug-unique", "--min-judged", "0", "--quiet")


def age_report(file: Path) -> Path:
    """Let a report be of another day, and return its file."""
    text = file.read_text("utf-8")
    started = json.loads(text)["started"]
    file.write_text(text.replace(started, "2026-11-02T09:00:00+00:00"), "utf-8")
    return file


def read_first_seen(folder: Path) -> dict[str, str]:
    """Return the day on which each kind of input in a report was first seen."""
    keys = json.loads((folder / "report.json").read_text("utf-8"))["finding_keys"]
    return {key["input"]: key["first_seen"][:10] for key in keys}


@pytest.fixture
def baseline(tmp_path: Path) -> Path:
    """Return the report of a recording with a wrong port, of another day."""
    recording = write_recording(tmp_path, {**VALID, "exposed_port": 0})
    assert run_command("check", recording, "--report", tmp_path / "first").code == 1
    return age_report(tmp_path / "first" / "report.json")


@pytest.mark.slow
def test_known_findings_do_not_fail(baseline: Path, tmp_path: Path) -> None:
    """What the baseline has is listed with its age, and keeps its day in the next report, which is a baseline too."""
    recording = write_recording(tmp_path, {**VALID, "exposed_port": 0})
    second = tmp_path / "second"
    ended = run_command("check", recording, "--baseline", baseline, "--report", second)
    assert ended.code == 0
    assert "Known from the baseline (they do not fail the run)" in ended.out
    assert "exposed_port 0 → 201; known since 2026-11-02, " in " ".join(ended.out.split())
    assert ended.last.startswith("NOTHING NEW in 1 of 83 rules: 1 known, 82 not observed")
    assert list(read_first_seen(second).values()) == ["2026-11-02"]
    assert run_command("check", recording, "--baseline", second).code == 0


@pytest.mark.slow
def test_a_new_finding_fails_and_a_fixed_one_is_told(baseline: Path, tmp_path: Path) -> None:
    """Another finding is exit code 1; what the baseline has and is gone is told."""
    recording = write_recording(tmp_path, {**VALID, "replica_count": 11})
    ended = run_command("check", recording, "--baseline", baseline)
    assert ended.code == 1
    assert "✗ replica-count-range  new; " in ended.out
    assert "  no longer judged: exposed-port-range: create " in ended.out


@pytest.mark.slow
def test_a_run_with_a_baseline_can_be_resumed_without_it(tmp_path: Path) -> None:
    """The baseline is about the report alone: the state of the run does not name it."""
    first, second = tmp_path / "first", tmp_path / "second"
    run_command("run", "--target", MOCK, *SHORT, "--report", first)
    assert run_command("run", "--target", MOCK, *SHORT, "--report", second, "--baseline", first).code == 0
    assert "baseline" not in json.loads((second / "state.json").read_text("utf-8"))["given"]
    ended = run_command("run", "--resume", second, "--target", MOCK, "--baseline", first, "--quiet")
    assert ended.code == 0
    assert json.loads((second / "report.json").read_text("utf-8"))["comparison"]["baseline"] is True


def build_strict_mock(**_: Any) -> Any:
    """Return a mock that answers wrong bodies with 422."""
    return create_app(profile={"choices": {"invalid-body-status": 422}})


@pytest.mark.slow
@pytest.mark.parametrize(("strict", "code"), [((), 0), (("--strict",), 1)], ids=["note", "strict"])
def test_a_deployment_that_departs_from_its_profile_is_told(
    strict: tuple[str, ...], code: int, tmp_path: Path
) -> None:
    """A departure is a note, and exit code 1 with --strict; the services of both parts are in one log."""
    profile = tmp_path / "staging.yaml"
    profile.write_text("choices: {invalid-body-status: 400, id-version: '7', busy-status: 409}")
    options = ("--profile", profile, "--report", tmp_path / "report", *strict)
    target = f"wsgi:{__name__}:build_strict_mock"
    ended = run_command("run", "--target", target, *SHORT[:-1], *options)
    assert ended.code == code, ended.out
    assert (
        "drift: invalid-body-status: the deployment chose 422, its profile says 400: PUT /containers/"
        in ended.out
    )
    assert "compared with the profile " in ended.out
    assert ": 2 of 3 choices seen in 1" in ended.out
    report = json.loads((tmp_path / "report" / "report.json").read_text("utf-8"))
    assert [(one["choice"], one["profile"], one["seen"]) for one in report["drift"]] == [
        ("invalid-body-status", 400, 422)
    ]
    log = (tmp_path / "report" / "ledger.jsonl").read_text("utf-8")
    assert log.count('"event": "created"') == report["created"] > 10


@pytest.mark.slow
def test_callers_and_spec_of_a_pipe_are_enough_for_both_parts(tmp_path: Path) -> None:
    """A pipe is read once: the comparison has the same callers, and a contract that is gone loses no report."""
    (tmp_path / "p.yaml").write_text("choices: {id-version: '7'}")
    shell = (
        f"{shlex.join(COMMAND)} run --target {MOCK} {shlex.join(SHORT[:-1])} --profile p.yaml "
        f"--callers <(cat {data_file('fixtures/callers.yaml')})"
    )
    spec = f" --spec <(cat {data_file('spec/openapi.yaml')})"
    both, gone = (
        subprocess.run(["bash", "-c", line], capture_output=True, text=True, cwd=tmp_path)
        for line in (shell, shell + spec)
    )
    assert (both.returncode, "compared with the profile p.yaml: 1 of 1 choices seen" in both.stdout) == (
        0,
        True,
    )
    note = "not compared with the profile p.yaml: /dev/fd/"
    assert (gone.returncode, note in gone.stdout, "CONFORMS in 1" in gone.stdout) == (0, True, True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--baseline", "a", "--previous", "b"), "--previous and --baseline: give one of them"),
        (("--baseline", "no/such.json"), "no/such.json: No such file or directory; name the report.json of a run"),
        (("--profile", "no/such.yaml"), "no/such.yaml: No such file or directory; name a file that `contract-tests"),
        (("--profile", "p.yaml", "--refuse-only"), "--profile: only valid requests show a choice"),
        (("--profile", "p.yaml", "--budget", "100"), "--profile takes up to 160 requests of its own"),
        (("--profile", "p.yaml", "--baseline", "p.yaml"), "p.yaml is not JSON, or only a part of it"),
    ],
)  # fmt: skip
@pytest.mark.slow
def test_wrong_usage_is_one_line(options: tuple[str, ...], message: str, tmp_path: Path) -> None:
    """What cannot be used is said before anything is sent, with exit code 2."""
    (tmp_path / "p.yaml").write_text("choices: {id-version: '7'}")
    ended = run_command("run", "--target", MOCK, *options, cwd=tmp_path)
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert message in ended.err


@pytest.mark.slow
def test_the_limit_of_services_holds_for_the_whole_run(tmp_path: Path) -> None:
    """With --max-created the comparison with a profile creates no more than the run has left."""
    profile = tmp_path / "p.yaml"
    profile.write_text("choices: {id-version: '7'}")
    report = tmp_path / "report"
    ended = run_command(
        "run", "--target", MOCK, *SHORT[:-1], "--max-created", "12", "--profile", profile, "--report", report
    )
    created = json.loads((report / "report.json").read_text("utf-8"))["created"]
    assert created <= 12
    assert "the profile" in ended.out
