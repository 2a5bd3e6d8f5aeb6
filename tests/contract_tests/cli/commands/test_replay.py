"""The commands that a report shows send a finding again."""

import html
import io
import itertools
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from contract_tests.contract.resources import data_file
from mock_server import create_app
from tests.quality.faults import FAULTS
from tests.support.api import TOKENS
from tests.support.gate.odd_servers import run_command, serve_app
from tests.support.sampling import keep_first

HOOK = "/_mock/services/{id}/status/{status}"


@pytest.fixture
def faulty_url() -> Iterator[str]:
    """Serve an app that accepts any port and loses what an update omits, and yield its URL."""
    with serve_app(create_app(disabled_rules={"exposed-port-range", "update-keeps-omitted"})) as url:
        yield url


@pytest.mark.slow
def test_replay_lines_of_the_terminal_work(faulty_url: str, tmp_path: Path) -> None:
    """Each replay line of the terminal finds the same violation again, with the options of the run."""
    folder = tmp_path / "a report"
    done = run_command(
        "run",
        "--target",
        faulty_url,
        "--control-hook",
        HOOK,
        "--layers",
        "cases,lifecycle",
        "--report",
        folder,
    )
    lines = re.findall(r"^  contract-tests (replay .*)$", done.out, re.MULTILINE)
    assert len(lines) == len(list((folder / "findings").glob("*.json"))) > 2
    assert [line for line in lines if run_command(*shlex.split(line)).code != 1] == []


@pytest.mark.parametrize("report", ["report.md", "report.html", "junit.xml"])
@pytest.mark.slow
def test_replay_lines_of_a_report_work_where_the_run_was_started(
    report: str, faulty_url: str, tmp_path: Path
) -> None:
    """The paths of the finding and of the callers are those of the run, whichever folder has the report."""
    shutil.copy(data_file("fixtures/callers.yaml"), tmp_path / "callers.yaml")
    options = ("--callers", "callers.yaml", "--layers", "cases", "-k", "exposed-port-range", "--quiet")
    run_command("run", "--target", faulty_url, *options, "--report", "reports", cwd=tmp_path)
    text = html.unescape((tmp_path / "reports" / report).read_text("utf-8"))
    (line, *_) = re.findall(r"contract-tests (replay reports/findings/\S+ [^\n<]*)", text)
    assert run_command(*shlex.split(line), cwd=tmp_path).code == 1
    assert report == "junit.xml" or "in the folder where contract-tests was started" in text


@pytest.mark.slow
def test_replay_lines_of_a_merged_report_have_the_options_of_the_runs(
    faulty_url: str, tmp_path: Path
) -> None:
    """Without the callers of the runs, the command would send the made-up tokens of the fixtures."""
    shutil.copy(data_file("fixtures/callers.yaml"), tmp_path / "callers.yaml")
    options = (
        "--callers",
        "callers.yaml",
        "--control-hook",
        HOOK,
        "--layers",
        "cases",
        "-k",
        "exposed-port-range",
    )
    run_command("run", "--target", faulty_url, *options, "--quiet", "--report", "shard", cwd=tmp_path)
    merged = run_command("merge", "shard", "--report", "merged", cwd=tmp_path)
    lines = re.findall(r"contract-tests (replay merged/findings/\S+ .*)", merged.out)
    expected = f"--target {faulty_url} --callers callers.yaml --control-hook '{HOOK}'"
    assert [line.partition(".json ")[2] for line in lines] == [expected] * 2
    assert run_command(*shlex.split(lines[0]), cwd=tmp_path).code == 1
    assert expected in (tmp_path / "merged" / "report.md").read_text("utf-8")


@pytest.mark.slow
def test_replay_compares_a_readback_by_property(faulty_url: str, tmp_path: Path) -> None:
    """Replaying a read-back prints what happened, a line for each property that differs, and commands."""
    options = ("--layers", "lifecycle", "-k", "update-keeps-omitted", "--quiet", "--report", tmp_path)
    run_command("run", "--target", faulty_url, *options)
    file = next((tmp_path / "findings").glob("update-keeps-omitted-*.json"))
    output = run_command("replay", file, "--target", faulty_url).out
    assert re.search(r"^After an? .* the read-back of the service showed ", output, re.MULTILINE)
    assert re.search(r"^\w+: received absent, expected .+$", output, re.MULTILINE)
    assert re.search(r'^SLUG="ck-\w+-\$\(date \+%s\)"$', output, re.MULTILINE)
    assert re.search(r'Bearer \$TOKEN_(\w+)" .*"\$SLUG".*  # as \S+$', output, re.MULTILINE)


@pytest.mark.slow
def test_a_folder_of_findings_is_replayed_with_a_line_for_each(faulty_url: str, tmp_path: Path) -> None:
    """A report is a folder of findings; the last line counts them, and a target without the faults has none."""
    options = ("--layers", "cases", "-k", "exposed-port-range", "--quiet", "--report", tmp_path)
    run_command("run", "--target", faulty_url, *options)
    files = sorted((tmp_path / "findings").glob("*.json"))
    done = run_command("replay", tmp_path, files[0], "--target", faulty_url)
    *lines, last = done.out.splitlines()
    assert [line.partition(": exposed-port-range violated: ")[0] for line in lines] == list(map(str, files))
    assert (done.code, last.partition(";")[0]) == (1, "2 findings: 2 still violated")
    fixed = run_command("replay", tmp_path / "findings", "--target", "wsgi:mock_server:create_app")
    assert (fixed.code, fixed.out.splitlines()[-1].partition(";")[0]) == (0, "2 findings: 2 not violated")
    assert [len(done.out.splitlines()), done.out.count("curl")] == [3, 0]


@pytest.mark.slow
def test_a_finding_that_was_replayed_counts_when_the_target_goes_away(tmp_path: Path) -> None:
    """The verdict on the first finding is kept, and the others are not judged."""
    files = []
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
        files.append(write_finding(tmp_path / name, "exposed-port-range", {"exposed_port": 0}))
    app, sent = create_app(disabled_rules={"exposed-port-range"}), []

    def application(environ: Any, start_response: Any) -> Any:
        if sent:
            start_response("401 Unauthorized", [("Content-Length", "0")])
            return [b""]
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        sent.extend([body] if b'"exposed_port": 0' in body else [])
        return app({**environ, "wsgi.input": io.BytesIO(body)}, start_response)

    with serve_app(application) as url:
        done = run_command("replay", *files, "--target", url)
    verdicts = [line.split(": ")[1] for line in done.out.splitlines()[:3]]
    assert verdicts == ["exposed-port-range violated", *["exposed-port-range not observed"] * 2]
    assert (done.code, "1 still violated, 2 not judged" in done.out) == (1, True)


def test_a_folder_that_cannot_be_replayed_is_a_usage_error(tmp_path: Path) -> None:
    """A folder without findings is named; what only has the name of one, such as a pipe, is not read."""
    os.mkfifo(tmp_path / "a.json")
    done = run_command("replay", tmp_path, "--target", "wsgi:mock_server:create_app")
    assert (done.code, "no finding is in this folder" in done.err) == (2, True)


def test_a_report_without_findings_says_so(tmp_path: Path) -> None:
    """The report of a run that conforms has nothing to send again: its files are not taken for findings."""
    (tmp_path / "report.json").write_text("{}")
    done = run_command("replay", tmp_path, "--target", "wsgi:mock_server:create_app")
    assert (done.code, "the report has no finding, so there is nothing to send again" in done.err) == (
        2,
        True,
    )


@pytest.mark.slow
def test_replay_on_another_target_says_so(faulty_url: str, tmp_path: Path) -> None:
    """The outcome is that of the target that got the requests; the target of the finding is named beside it."""
    options = ("--layers", "cases", "-k", "exposed-port-range", "--quiet", "--report", tmp_path)
    run_command("run", "--target", faulty_url, *options)
    file = next((tmp_path / "findings").glob("exposed-port-range-*.json"))
    mock = "wsgi:mock_server:create_app"
    *_, note, verdict = run_command("replay", file, "--target", mock).out.splitlines()
    assert note == f"note: the finding is of {faulty_url}, and was sent to {mock}"
    assert verdict == "exposed-port-range conforms"
    assert "note: the finding is of" not in run_command("replay", file, "--target", f"{faulty_url}/").out


def paste(commands: str, caller: str, folder: Path) -> str:
    """Return what a shell prints for commands, with the tokens of all callers in their variables."""
    tokens = {f"TOKEN_{name.upper().replace('-', '_')}": token for name, token in TOKENS.items()}
    unknown = f"TOKEN_{caller.upper().replace('-', '_')}"
    environment = {unknown: "sk-never-issued", **tokens, "PATH": os.environ["PATH"]}
    return subprocess.run(
        ["sh", "-c", commands], cwd=folder, env=environment, capture_output=True, text=True, check=True
    ).stdout


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")
@pytest.mark.parametrize(
    "name", ["null-clears-the-credential", "slug-unique-not-for-dk", "sk-reaches-other-teams"]
)
def test_curl_commands_of_several_requests_show_the_violation(name: str, tmp_path: Path) -> None:
    """The commands create a new service and use it: the last one shows the same status and properties as before."""
    fault = next(fault for fault in FAULTS if fault.name == name)
    with serve_app(fault.app()) as url:
        run_command("run", "--target", url, "--layers", "lifecycle", "--report", tmp_path)
        findings = [json.loads(path.read_text("utf-8")) for path in (tmp_path / "findings").glob("*.json")]
        for finding in findings:
            last = finding["exchanges"][-1]
            shown = paste(finding["curl"], last["caller"], tmp_path)
            assert re.findall(r"^HTTP/\S+ (\d+)", shown, re.MULTILINE)[-1] == str(last["status"]), shown
            service = json.loads(shown.splitlines()[-1])
            for difference in finding["differences"]:
                value = service.get(difference["property"], "absent")
                shown_value = value if value == "absent" else json.dumps(value, ensure_ascii=False)
                assert shown_value == difference["received"]
    assert findings


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")
@pytest.mark.parametrize(
    "name",
    keep_first(2, ["no-utf-8-crashes", "port-0-taken-on-update", "large-body-crashes", "nan-taken"]),
)
def test_curl_commands_show_the_violation(name: str, tmp_path: Path) -> None:
    """The curl commands of a finding, pasted into a shell in the report folder, get the same status again.

    A deployment that knows nothing of the run shows it too: each update creates its service first.
    """
    fault = next(fault for fault in FAULTS if fault.name == name)
    with serve_app(fault.app()) as url, serve_app(fault.app()) as fresh_url:
        run_command("run", "--target", url, "--strict", "--layers", "cases,wire", "--report", tmp_path)
        findings = [json.loads(path.read_text("utf-8")) for path in (tmp_path / "findings").glob("*.json")]
        for finding in findings:
            last = finding["exchanges"][-1]
            for commands in (finding["curl"], finding["curl"].replace(url, fresh_url)):
                shown = paste(commands, last["caller"], tmp_path)
                assert re.findall(r"^HTTP/\S+ (\d+)", shown, re.MULTILINE)[-1] == str(last["status"]), shown
    assert findings


@pytest.mark.slow
def test_a_finding_is_printed_as_a_pytest(faulty_url: str, tmp_path: Path) -> None:
    """With --as pytest nothing is sent: the test is printed, and pytest finds the fault with it."""
    options = ("--layers", "cases", "-k", "exposed-port-range", "--quiet", "--report", tmp_path)
    run_command("run", "--target", faulty_url, *options)
    file = next((tmp_path / "findings").glob("exposed-port-range-*.json"))
    done = run_command("replay", file, "--as", "pytest")
    assert (done.code, done.err) == (0, "")
    (tmp_path / "test_finding.py").write_text(done.out, "utf-8")
    caller = json.loads(file.read_text("utf-8"))["exchanges"][-1]["caller"]
    environ = {
        **os.environ,
        "TARGET": faulty_url,
        f"TOKEN_{caller.upper().replace('-', '_')}": TOKENS[caller],
    }
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        str(tmp_path / "test_finding.py"),
    ]
    failed = subprocess.run(command, env=environ, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert "test_exposed_port_range" in failed.stdout
    assert failed.returncode == 1, failed.stdout


def test_a_race_is_no_pytest(tmp_path: Path) -> None:
    """A finding that plain requests cannot show is refused in one line that names the other way."""
    file = tmp_path / "race.json"
    case = {"id": "race/create-1", "rule": "slug-unique", "layer": "race", "steps": [{}]}
    file.write_text(json.dumps({"case": case}), "utf-8")
    done = run_command("replay", file, "--as", "pytest")
    assert done.code == 2
    assert re.fullmatch(
        r"contract-tests: .*a race needs several requests .*contract-tests replay\n", done.err
    )


def write_finding(folder: Path, rule: str, body: Any, **entries: Any) -> Path:
    """Write a finding of a create that must be refused, and return its file."""
    step = {"body": {"display_name": "One", "docker_image": "acme/one:1", **body}, "expect": "refuse"}
    case = {"id": "one", "rule": rule, "layer": "cases", "steps": [step]}
    file = folder / "finding.json"
    file.write_text(json.dumps({"case": case, **entries}), "utf-8")
    return file


@pytest.mark.slow
def test_an_intermittent_finding_is_sent_as_often_as_its_rate_needs(tmp_path: Path) -> None:
    """One try in three shows it, so one try that passes does not call it fixed."""
    file = write_finding(
        tmp_path, "exposed-port-range", {"exposed_port": 0}, rate={"shown": 7, "tries": 20, "pattern": ""}
    )
    right, wrong = create_app(), create_app(disabled_rules={"exposed-port-range"})
    calls = itertools.count(1)

    def application(environ: Any, start_response: Any) -> Any:
        return (wrong if next(calls) % 3 == 0 else right)(environ, start_response)

    with serve_app(application) as url:
        broken = run_command("replay", file, "--target", url)
    with serve_app(right) as url:
        fixed = run_command("replay", file, "--target", url)
    assert broken.code == 1
    assert re.search(r"^exposed-port-range violated: .*; showed in [1-6] of 7 tries$", broken.last)
    assert (fixed.code, fixed.last) == (0, "exposed-port-range conforms: showed in 0 of 7 tries")


@pytest.mark.slow
def test_an_assumed_finding_fails_only_if_strict(tmp_path: Path) -> None:
    """The run only notes it, and so does its replay, unless the run or the replay is strict; several are counted."""
    note = write_finding(tmp_path, "gpu-count-range", {"gpu_count": -2}, severity="note")
    with serve_app(create_app(disabled_rules={"gpu-count-range"})) as url:
        done = run_command("replay", note, "--target", url)
        assert done.code == 0
        assert "gpu-count-range differs (the rule is only assumed" in done.last
        both = run_command("replay", note, shutil.copy(note, tmp_path / "same.json"), "--target", url)
        assert both.last.startswith("2 findings: 2 differ on an assumed rule; ")
        assert run_command("replay", note, "--target", url, "--strict").code == 1
        failure = write_finding(tmp_path, "gpu-count-range", {"gpu_count": -2}, severity="failure")
        assert run_command("replay", failure, "--target", url).code == 1
