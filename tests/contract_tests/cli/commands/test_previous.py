"""The option that compares a report with an earlier one."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.contract_tests.cli.test_endings import VALID, write_recording
from tests.support.gate.odd_servers import run_command


@pytest.mark.slow
def test_check_tells_what_is_still_there(tmp_path: Path) -> None:
    """A recording that is judged twice has the same finding, by the folder of the earlier report."""
    recording = write_recording(tmp_path, {**VALID, "exposed_port": 0})
    run_command("check", recording, "--report", tmp_path / "first")
    ended = run_command("check", recording, "--report", tmp_path / "second", "--previous", tmp_path / "first")
    assert ended.code == 1
    assert ": 1 still broken\n" in ended.out
    comparison = json.loads((tmp_path / "second/report.json").read_text())["comparison"]
    assert {name: len(comparison[name]) for name in ("new", "still", "fixed", "chosen", "unjudged")} == {
        "new": 0, "still": 1, "fixed": 0, "chosen": 0, "unjudged": 0,
    }  # fmt: skip
    assert f"next: open {tmp_path / 'second'}/report.html" in ended.err


def test_unusable_earlier_report_is_a_usage_error(tmp_path: Path) -> None:
    """An earlier report that is none ends the command before anything is judged, with one line."""
    recording = write_recording(tmp_path, VALID)
    ended = run_command("check", recording, "--previous", recording)
    assert (ended.code, ended.out) == (2, "")
    wrong = "is a recording (HAR), not a report of `contract-tests run`; name the report.json of a run, or its folder"
    assert ended.err == f"contract-tests: {recording} {wrong}\n"


def test_times_of_recorded_requests_are_in_junit(tmp_path: Path) -> None:
    """The times of the JUnit cases of a recording add up to the time of its requests."""
    recording = write_recording(tmp_path, {**VALID, "exposed_port": 0})
    document = json.loads(recording.read_text())
    document["log"]["entries"][0]["time"] = 250  # milliseconds
    recording.write_text(json.dumps(document))
    run_command("check", recording, "--report", tmp_path / "report")
    cases = ElementTree.parse(tmp_path / "report/junit.xml").iter("testcase")
    assert sum(float(case.attrib.get("time", 0)) for case in cases) == 0.25
