"""Recorded traffic is judged without sending anything."""

import base64
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from contract_tests.cases.model import LAYERS
from contract_tests.cli.commands.check import check
from contract_tests.contract.rules import load_catalogue
from contract_tests.contract.spec import load_spec
from contract_tests.execution.factory import open_executor
from contract_tests.execution.preflight.run import apply_preflight, run_preflight
from contract_tests.reports.har import write_har
from contract_tests.results.aggregate import Aggregate
from contract_tests.results.recorded.recorded_judge import judge_recording
from contract_tests.results.recorded.recording import Recording, load_recording
from contract_tests.results.verdict import decide_verdicts
from contract_tests.targets.wsgi import WsgiTarget
from mock_server import create_app
from tests.quality.faults import FAULTS
from tests.support.gate.gate import App, judge_app, violated_rules

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
            "headers": [
                {"name": "Authorization", "value": "Bearer sk-secret"},
                {"name": "Content-Type", "value": "application/json"},
            ],
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
    results = judge_recording(Recording(entries), SPEC, CATALOGUE)
    assert [(r.judgement.rule, r.judgement.outcome) for r in results] == outcomes
    assert "sk-secret" not in json.dumps([e.to_json() for r in results for e in r.exchanges])


def judge_entry(entry: dict[str, Any]) -> tuple[str, str, str]:
    """Return the rule, the outcome and the reason of the only entry of a recording."""
    (observation,) = judge_recording(Recording([entry]), SPEC, CATALOGUE)
    judgement = observation.judgement
    return judgement.rule, judgement.outcome, judgement.reason


def change_part(part: str, **changes: Any) -> dict[str, Any]:
    """Build a create with a wrong port that was accepted, with changes to its request or its response."""
    entry = build_entry("POST", "/containers", {**DEPLOYED, "exposed_port": 0}, 201, {"id": ID})
    entry[part] = {**entry[part], **changes}
    return entry


CUT_BODY = json.dumps({**DEPLOYED, "service_desc": "a" * 70_000})[: 64 * 1024]


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param(change_part("request", bodySize=1000), id="larger size"),
        pytest.param(change_part("request", postData={"text": CUT_BODY}), id="64 KiB"),
        pytest.param(change_part("request", postData=None), id="no body"),
        pytest.param(change_part("request", postData={"mimeType": "application/json"}), id="no text"),
        pytest.param(change_part("request", postData={"text": "", "_file": "a.json"}), id="body in a file"),
        pytest.param(
            change_part(
                "request", postData=None, bodySize=0, headers=[{"name": "Content-Length", "value": "61"}]
            ),
            id="size of 0 beside a length",
        ),
        pytest.param(
            change_part("request", headers=[{"name": "content-length", "value": "1000"}]), id="longer length"
        ),
    ],
)
def test_part_of_a_request_is_not_judged(entry: dict[str, Any]) -> None:
    """A request whose body was cut or left out is inconclusive, although its response is a success."""
    assert judge_entry(entry) == ("created", "inconclusive", "the recording has only a part of the request")


@pytest.mark.parametrize(
    ("status", "answer", "reason"),
    [
        pytest.param(500, {}, "a server error is never correct", id="server error"),
        pytest.param(
            201, {"error": "?"}, "the response has no id that is a UUID", id="success without an id"
        ),
    ],
)
def test_response_to_a_part_of_a_request_is_judged(status: int, answer: Any, reason: str) -> None:
    """What no request may be answered is a violation, even if the recording has only a part of the request."""
    entry = change_part("request", postData={"text": CUT_BODY})
    entry["response"] = build_entry("POST", "", {}, status, answer)["response"]
    assert judge_entry(entry) == ("created", "violated", reason)


@pytest.mark.parametrize(("slug", "outcome"), [("b-slug", "violated"), ("a-slug", "passed")])
def test_two_creates_with_one_id_are_a_violation(slug: str, outcome: str) -> None:
    """An id belongs to one slug; another program may have recorded the same create twice."""
    bodies = (DEPLOYED, {**DEPLOYED, "service_slug": slug})
    entries = [build_entry("POST", "/containers", body, 201, {"id": ID}) for body in bodies]
    results = judge_recording(Recording(entries), SPEC, CATALOGUE)
    assert [(one.judgement.rule, one.judgement.outcome) for one in results] == [("created", outcome)] * 2


@pytest.mark.parametrize(
    "content",
    [
        pytest.param({"text": "{", "size": 50}, id="larger size"),
        pytest.param({"size": 50}, id="no text"),
        pytest.param({}, id="nothing known"),
        pytest.param({"text": "", "size": -1}, id="empty text of unknown size"),
        pytest.param(None, id="no content"),
    ],
)
def test_part_of_a_response_is_not_judged(content: Any) -> None:
    """A success whose body was cut or left out proves nothing about the id in it."""
    entry = build_entry("POST", "/containers", DEPLOYED, 201, {"id": ID})
    entry["response"]["content"] = content
    assert judge_entry(entry) == ("created", "inconclusive", "the recording has only a part of the response")


def test_empty_text_of_a_response_with_a_length_is_not_judged() -> None:
    """Recorders write an empty text for a body that they left out, as mitmproxy for one that it streamed."""
    entry = build_entry("POST", "/containers", DEPLOYED, 201, {"id": ID})
    entry["response"] |= {
        "headers": [{"name": "Content-Length", "value": "45"}], "content": {"text": "", "size": 0},
    }  # fmt: skip
    assert judge_entry(entry) == ("created", "inconclusive", "the recording has only a part of the response")


def test_empty_request_is_judged() -> None:
    """A request that is recorded as empty, with a size of 0, breaks the rule about JSON."""
    entry = change_part("request", postData=None, bodySize=0)
    assert judge_entry(entry)[:2] == ("body-json", "violated")


def test_status_alone_shows_that_a_wrong_request_was_accepted() -> None:
    """A wrong request that was accepted is a violation, even if the body of the response is missing."""
    entry = change_part("response", content={"size": 50})
    assert judge_entry(entry)[:2] == ("exposed-port-range", "violated")


def test_part_of_a_response_to_what_an_assumed_rule_refuses_is_not_judged() -> None:
    """What an assumed rule refuses may be accepted, so the id in the missing part decides."""
    entry = build_entry("POST", "/containers", {**DEPLOYED, "gpu_count": -2}, 201, {"id": ID})
    entry["response"]["content"] = {"size": 50}
    assert judge_entry(entry)[1:] == ("inconclusive", "the recording has only a part of the response")


def test_empty_response_is_judged() -> None:
    """A success whose body is recorded as empty breaks the rule about the id."""
    entry = build_entry("POST", "/containers", DEPLOYED, 201, {"id": ID})
    entry["response"]["content"] = {"size": 0}
    assert judge_entry(entry)[:2] == ("created", "violated")


@pytest.mark.parametrize(
    "odd",
    [
        '"bodySize": 1e999',
        '"time": 1e999',
        f'"time": {10**400}',
        '"time": -1e999',
        f'"status": {10**30}',
        '"size": 1e999',
        '"size": NaN',
    ],
    ids=lambda odd: odd[:16].replace(" ", ""),
)
def test_an_absurd_number_is_unknown(odd: str, tmp_path: Path) -> None:
    """A size, a time or a status that no measurement gives is read as if it were not recorded."""
    entry = json.dumps(build_entry("POST", "/containers", DEPLOYED, 201, {"id": ID}))
    name = odd.split('"')[1]
    place = {"bodySize": '"request": {', "time": "{", "status": '"response": {', "size": '"content": {'}[name]
    text = entry.replace('"time": 5, ', "").replace('"status": 201, ' if name == "status" else "\0", "")
    file = tmp_path / "traffic.har"
    file.write_text(f'{{"log": {{"entries": [{text.replace(place, place + odd + ", ", 1)}]}}}}', "utf-8")
    (observation,) = judge_recording(load_recording(file), SPEC, CATALOGUE)
    expected = "inconclusive" if name == "status" else "passed"
    assert (observation.judgement.outcome, observation.exchanges[0].seconds) == (expected, 0)


def record_run(app: App, folder: Path) -> tuple[set[str], set[str]]:
    """Return the rules that a run of every layer found to be violated, and those that its traffic shows."""
    run = judge_app(app, layers=LAYERS)
    write_har(run, folder / "traffic.har")
    observations = judge_recording(load_recording(folder / "traffic.har"), SPEC, CATALOGUE)
    rows, _ = decide_verdicts(Aggregate.of(observations), CATALOGUE, {}, strict=True)
    return violated_rules(run), {row.rule.id for row in rows if row.verdict == "violated"}


@pytest.mark.slow
def test_traffic_of_a_run_without_findings_has_none(tmp_path: Path) -> None:
    """The traffic of a run on the mock breaks no rule, assumed rules included."""
    assert record_run(create_app(), tmp_path) == (set(), set())


VISIBLE = (
    "no-token-needed-on-create", "basic-taken", "unknown-token-taken-on-update", "agent-key-taken",
    "jwt-without-a-team-taken", "jwt-without-a-team-answered-401", "text-plain-taken", "nan-taken",
    "malformed-id-answered-200", "half-a-pair-replaced", "malformed-json-crashes", "keys-twice-crash",
    "unknown-property-crashes", "slug-newline-at-the-end", "volume-after-the-first-item-unchecked",
    "check-then-insert-crashes", "create-answers-the-same-id",
)  # fmt: skip


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.exhaustive if number % 9 else pytest.mark.slow)
        for number, name in enumerate(VISIBLE)
    ],
)
def test_traffic_shows_the_rules_that_the_run_found(name: str, tmp_path: Path) -> None:
    """A planted fault that single exchanges show is found in the traffic under the same rules as in the run."""
    fault = next(fault for fault in FAULTS if fault.name == name)
    found, shown = record_run(fault.app(), tmp_path)
    assert found
    assert shown == found


@pytest.mark.slow
def test_faults_that_need_several_exchanges_are_not_guessed(tmp_path: Path) -> None:
    """Rules that only the order of several exchanges shows are not named by a recording."""
    fault = next(fault for fault in FAULTS if fault.name == "sk-reaches-other-teams")
    assert record_run(fault.app(), tmp_path) == ({"team-scope"}, set())


@pytest.mark.slow
def test_recorded_finding_can_be_replayed(tmp_path: Path) -> None:
    """The case of a recorded violation shows the same violation on the same server."""
    app = create_app(disabled_rules={"auth-required", "body-media-type", "replica-count-range"})
    run = judge_app(app, layers=("cases", "wire"))
    write_har(run, tmp_path / "traffic.har")
    observations = judge_recording(load_recording(tmp_path / "traffic.har"), SPEC, CATALOGUE)
    wrong = [one for one in observations if one.judgement.outcome == "violated"]
    executor = open_executor(WsgiTarget(app))
    apply_preflight(executor, run_preflight(executor))
    replayed = [executor.run_case(one.case).judgement for one in wrong]
    assert {one.judgement.rule for one in wrong} == violated_rules(run)
    assert {(one.rule, one.outcome) for one in replayed} == {
        (rule, "violated") for rule in violated_rules(run)
    }


@pytest.mark.slow
@pytest.mark.parametrize(("without", "code"), [(frozenset(), 0), (frozenset({"replica-count-range"}), 1)])
def test_command_judges_the_traffic_of_a_run(tmp_path: Path, without: frozenset[str], code: int) -> None:
    """The command prints the finding of the run, and how many exchanges it could not judge."""
    app = create_app(disabled_rules=without)
    write_har(judge_app(app, layers=("cases", "wire")), tmp_path / "traffic.har")
    command = [sys.executable, "-m", "contract_tests", "check", str(tmp_path / "traffic.har")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    assert ("replica-count-range  documented" in done.stdout) == bool(without)
    assert "not judged, because the recording has only a part of the request: " in done.stdout


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"log": {}}', '{"log": {"entries": [1]}}', '{"log": {"entries": []}}']
)
@pytest.mark.slow
def test_invalid_recording_is_refused(tmp_path: Path, text: str) -> None:
    """A file that is not HAR, or has no request of the two operations, ends with one line and exit code 2."""
    file = tmp_path / "traffic.har"
    file.write_text(text)
    command = [sys.executable, "-m", "contract_tests", "check", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1


def test_the_time_is_that_from_the_first_request_to_the_last_response(tmp_path: Path) -> None:
    """Requests that were sent at the same time count once; times of another form count for nothing."""
    request = {"method": "POST", "url": "http://h/containers", "headers": []}
    answer = {"status": 401, "headers": [], "content": {"text": "{}"}}
    starts = ("2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z", "2026-01-01T01:00:01+01:00")
    entries = [
        {"startedDateTime": start, "time": 2000, "request": request, "response": answer} for start in starts
    ]
    file = tmp_path / "traffic.har"
    for started, shown in (("2026-01-01T00:00:04Z", "4 requests in 6.0 s"), ("soon", "4 requests in 0.0 s")):
        last = {**entries[0], "startedDateTime": started}
        file.write_text(json.dumps({"log": {"entries": [*entries, last]}}))
        done = CliRunner().invoke(check, [str(file), "--quiet"])
        assert shown in done.output


def test_missing_recording_is_refused(tmp_path: Path) -> None:
    """A missing file is a ValueError with one line."""
    with pytest.raises(ValueError, match="No such file"):
        load_recording(tmp_path / "none.har")
