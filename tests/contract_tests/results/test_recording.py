"""Recorded traffic is judged without sending anything."""

import base64
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from contract_tests.contract.rules import load_catalogue
from contract_tests.contract.spec import load_spec
from contract_tests.execution.factory import open_executor
from contract_tests.reports.write import write_reports
from contract_tests.results.recording import judge_recording, load_recording
from contract_tests.runs.options import RunOptions
from contract_tests.runs.run import Run
from contract_tests.targets.wsgi import WsgiTarget
from mock_server import create_app

SPEC, CATALOGUE = load_spec(), load_catalogue()
ID = "0192f0c1-9a8b-7c6d-9e5f-404142434445"
DEPLOYED = {"service_slug": "a-slug", "display_name": "a", "docker_image": "n"}
EXTERNAL = {**DEPLOYED, "service_type": "external", "external_url": "https://a.example.com"}


def build_entry(
    method: str, path: str, body: Any, status: int, answer: Any, encoding: str | None = None
) -> dict[str, Any]:
    """Build an entry of a recording."""
    text = body if isinstance(body, str) else json.dumps(body)
    content = base64.b64encode(text.encode()).decode() if encoding else text
    return {
        "time": 5,
        "request": {
            "method": method,
            "url": f"https://host.example.com/api/v1{path}",
            "headers": [{"name": "Authorization", "value": "Bearer sk-secret"}],
            "postData": {"text": content, "encoding": encoding},
        },
        "response": {"status": status, "headers": [], "content": {"text": json.dumps(answer)}},
    }


@pytest.mark.parametrize(
    ("entries", "outcomes"),
    [
        ([build_entry("POST", "/containers", DEPLOYED, 201, {"id": ID})], [("created", "passed")]),
        ([build_entry("POST", "/containers", DEPLOYED, 201, {"id": ID}, "base64")], [("created", "passed")]),
        ([build_entry("POST", "/containers", DEPLOYED, 201, {})], [("created", "violated")]),
        ([build_entry("POST", "/containers", DEPLOYED, 409, {})], [("created", "inconclusive")]),
        ([build_entry("POST", "/containers", DEPLOYED, 500, {})], [("created", "violated")]),
        (
            [build_entry("POST", "/containers", {**DEPLOYED, "exposed_port": 0}, 400, {})],
            [("exposed-port-range", "passed")],
        ),
        (
            [build_entry("POST", "/containers", {**DEPLOYED, "exposed_port": 0}, 201, {"id": ID})],
            [("exposed-port-range", "violated")],
        ),
        ([build_entry("POST", "/containers", "{", 201, {"id": ID})], [("body-json", "violated")]),
        (
            [
                build_entry("POST", "/containers", DEPLOYED, 201, {"id": ID}),
                build_entry(
                    "PUT", f"/containers/{ID}", {"external_url": "https://b.example.com"}, 200, {"id": ID}
                ),
            ],
            [("created", "passed"), ("external-url-on-external-only", "violated")],
        ),
        (
            [
                build_entry("POST", "/containers", EXTERNAL, 201, {"id": ID}),
                build_entry(
                    "PUT", f"/containers/{ID}", {"external_url": "https://b.example.com"}, 200, {"id": ID}
                ),
            ],
            [("created", "passed"), ("updated", "passed")],
        ),
        (
            [build_entry("PUT", f"/containers/{ID}", {}, 200, {"id": ID[:-1] + "6"})],
            [("updated", "violated")],
        ),
        ([build_entry("GET", "/containers", {}, 200, {}), build_entry("POST", "/other", {}, 200, {})], []),
    ],
)
def test_recorded_request_is_judged(entries: list[dict[str, Any]], outcomes: list[tuple[str, str]]) -> None:
    """A recorded request is judged by its rule, and is inconclusive if the recording does not show enough."""
    results = judge_recording(entries, SPEC, CATALOGUE)
    assert [(r.judgement.rule, r.judgement.outcome) for r in results] == outcomes
    assert "sk-secret" not in json.dumps([e.to_json() for r in results for e in r.exchanges])


@pytest.mark.parametrize(("without", "code"), [(frozenset(), 0), (frozenset({"replica-count-range"}), 1)])
def test_traffic_of_a_run_is_judged_alike(tmp_path: Path, without: frozenset[str], code: int) -> None:
    """The HAR file of a run gives the same findings offline, for the rules that it can show."""
    app = create_app(disabled_rules=without)
    write_reports(Run(open_executor(WsgiTarget(app)), RunOptions(layers=("cases",))).execute(), tmp_path)
    command = [sys.executable, "-m", "contract_tests", "check", str(tmp_path / "traffic.har")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    assert ("replica-count-range  documented" in done.stdout) == bool(without)


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"log": {}}', '{"log": {"entries": [1]}}', '{"log": {"entries": []}}']
)
def test_invalid_recording_is_refused(tmp_path: Path, text: str) -> None:
    """A file that is not HAR, or has no request of the two operations, ends with one line and exit code 2."""
    file = tmp_path / "traffic.har"
    file.write_text(text)
    command = [sys.executable, "-m", "contract_tests", "check", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1


def test_missing_recording_is_refused(tmp_path: Path) -> None:
    """A missing file is a ValueError with one line."""
    with pytest.raises(ValueError, match="No such file"):
        load_recording(tmp_path / "none.har")
