"""The report folder of a run: one run at a time writes to it, and only its own findings are in it."""

import signal
import subprocess
import time
from pathlib import Path

import pytest

from mock_server import create_app
from tests.support.gate.odd_servers import COMMAND, run_command, serve_app

pytestmark = pytest.mark.slow


def test_findings_of_an_earlier_run_are_deleted(tmp_path: Path) -> None:
    """A reused folder contains only the findings of its last run."""
    for without, found in (({"slug-unique"}, True), (set(), False)):
        with serve_app(create_app(disabled_rules=without)) as url:
            run_command("run", "--target", url, "--layers", "race,wire", "--report", tmp_path)
        assert any((tmp_path / "findings").glob("*.json")) == found


def test_two_runs_never_report_to_one_folder(tmp_path: Path) -> None:
    """A second run is refused while the first one runs, and SIGTERM ends the first with all reports."""
    with serve_app(create_app()) as url:
        first = subprocess.Popen(
            [*COMMAND, "run", "--target", url, "--time", "60s", "--layers", "wire,properties",
             "--report", str(tmp_path), "--quiet"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        for _ in range(600):
            time.sleep(0.05)
            if (tmp_path / "state.json").exists():
                break
        second = run_command("run", "--target", url, "--layers", "wire", "--report", tmp_path)
        first.send_signal(signal.SIGTERM)
        out, _ = first.communicate(timeout=60)
    assert (second.code, "another run reports" in second.err) == (2, True)
    assert (first.returncode, "CONFORMS so far" in out, (tmp_path / "report.html").exists()) == (
        130,
        True,
        True,
    )
    assert not (tmp_path / "lock").exists()


def test_a_comparison_with_a_profile_keeps_its_folder(tmp_path: Path) -> None:
    """A second run is refused while the first one compares the target with a profile, and then reports."""
    profile, folder = tmp_path / "profile.yaml", tmp_path / "report"
    profile.write_text("choices: {}\n", "utf-8")
    with serve_app(create_app()) as url:
        options = ("run", "--target", url, "--layers", "race", "-k", "slug-unique", "--report", str(folder))
        first = subprocess.Popen(
            [*COMMAND, *options, "--rate", "20/s", "--profile", str(profile)],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert first.stderr is not None
        compares = any("comparing with the profile" in line for line in first.stderr)
        second = run_command(*options)
        first.send_signal(signal.SIGTERM)
        first.communicate(timeout=60)
    assert (compares, second.code, "another run reports" in second.err) == (True, 2, True)
