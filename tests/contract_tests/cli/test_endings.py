"""Commands whose output cannot be written, or that are signalled: the verdict and the reports survive."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import click
import pytest

from contract_tests.cli.common.output import end_with_output
from mock_server import create_app
from tests.support.fixture_player import ROOT
from tests.support.gate.odd_servers import COMMAND, CommandResult, run_command, serve_app

pytestmark = pytest.mark.timeout(120)

SHORT = ("--layers", "race", "-k", "slug-unique", "--min-judged", "0")
REPORTS = {"report.json", "junit.xml", "report.md", "report.html", "traffic.har"}
VALID = {"service_slug": "a-slug", "display_name": "a", "docker_image": "r/i:1"}


def run_short(folder: Path, *, off: str = "") -> CommandResult:
    """Run one case against a mock that breaks its rule or not."""
    with serve_app(create_app(disabled_rules={off} - {""})) as url:
        return run_command("run", "--target", url, *SHORT, "--report", folder)


def write_recording(folder: Path, body: dict[str, object]) -> Path:
    """Write a recording of a create that was accepted."""
    created = {"id": "5f6c9b9e-6f7e-4f0e-9a55-6d6c9fbb3f0a"}
    entry = {
        "request": {
            "method": "POST",
            "url": "http://h/api/v1/containers",
            "headers": [
                {"name": "Authorization", "value": "Bearer sk-1234567"},
                {"name": "Content-Type", "value": "application/json"},
            ],
            "postData": {"text": json.dumps(body)},
        },
        "response": {"status": 201, "headers": [], "content": {"text": json.dumps(created)}},
    }
    file = folder / "traffic.har"
    file.write_text(json.dumps({"log": {"entries": [entry]}}), "utf-8")
    return file


def spoil_folder(folder: Path, name: str) -> Path:
    """Make one file of a report folder unwritable: a directory, a file in place of a folder, a full disk."""
    folder.mkdir()
    if name == "findings":
        (folder / name).write_text("")
    elif name == "ledger.jsonl":
        (folder / name).symlink_to("/dev/full")
    else:
        (folder / name).mkdir()
    return folder


@pytest.mark.parametrize("name", ["report.json", "report.html", "findings", "traffic.har"])
@pytest.mark.slow
def test_a_violation_is_shown_although_a_report_cannot_be_written(name: str, tmp_path: Path) -> None:
    """The findings are on the terminal, the file is one line, and the exit code is that of the verdict."""
    done = run_short(spoil_folder(tmp_path / "report", name), off="slug-unique")
    assert (done.code, "slug-unique" in done.out, "VIOLATED" in done.last) == (1, True, True)
    assert done.err.startswith(f"contract-tests: {tmp_path / 'report' / name}")
    assert done.err.count("\n") == 1


def test_a_report_that_cannot_be_written_is_no_success(tmp_path: Path) -> None:
    """A target that conforms ends with 2, because its report is missing."""
    done = run_short(spoil_folder(tmp_path / "report", "report.html"))
    assert (done.code, "CONFORMS" in done.last) == (2, True)


@pytest.mark.parametrize(("body", "code"), [({"display_name": 1}, 1), (VALID, 2)], ids=["broken", "right"])
@pytest.mark.slow
def test_check_shows_its_verdict_although_a_report_cannot_be_written(
    body: dict[str, object], code: int, tmp_path: Path
) -> None:
    """It is the same for a recording."""
    folder = spoil_folder(tmp_path / "report", "report.json")
    done = run_command("check", write_recording(tmp_path, body), "--report", folder)
    assert (done.code, done.err) == (
        code,
        f"contract-tests: {folder / 'report.json'}: Is a directory\n",
    )
    assert "created" in done.out


def test_a_log_of_creates_without_room_is_one_line(tmp_path: Path) -> None:
    """What it could not hold is not written, nor told, once more at the end, as Python 3.13 does."""
    folder = spoil_folder(tmp_path / "report", "ledger.jsonl")
    done = run_short(folder)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert done.err.startswith(f"contract-tests: {folder / 'ledger.jsonl'}: ")


def test_a_quiet_check_prints_its_last_line_only(tmp_path: Path) -> None:
    """Neither the matrix nor the findings are shown, and no line follows."""
    done = run_command("check", write_recording(tmp_path, {"display_name": 1}), "--quiet")
    assert (done.code, done.out.count("\n"), done.err) == (1, 1, "")
    assert done.out.startswith("VIOLATED in ")


@pytest.mark.parametrize("name", ["state.json", "lock", "ledger.jsonl"])
@pytest.mark.slow
def test_a_file_that_a_run_needs_is_tried_first(name: str, tmp_path: Path) -> None:
    """A state, a lock or a log that cannot be written ends the run before it begins, with one line."""
    done = run_short(spoil_folder(tmp_path / "report", name))
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert name in done.err


@pytest.mark.slow
def test_a_reader_that_leaves_early_changes_nothing(tmp_path: Path) -> None:
    """A closed pipe ends quietly, with the verdict's exit code and every report."""
    reading, writing = os.pipe()
    os.close(reading)
    command = [*COMMAND, "check", str(write_recording(tmp_path, {"display_name": 1}))]
    done = subprocess.run(
        [*command, "--report", tmp_path / "report"], stdout=writing, stderr=subprocess.PIPE, text=True
    )
    os.close(writing)
    first, second = done.stderr.splitlines()
    assert (done.returncode, first) == (1, f"reports: {tmp_path / 'report'}")
    assert second.startswith(f"next: open {tmp_path / 'report'}/report.html")
    assert {path.name for path in (tmp_path / "report").iterdir()} >= REPORTS


@pytest.mark.parametrize(("body", "code"), [({"display_name": 1}, 1), (VALID, 2)], ids=["broken", "right"])
@pytest.mark.slow
def test_a_full_standard_output_is_one_line(body: dict[str, object], code: int, tmp_path: Path) -> None:
    """The exit code is that of a violation, and 2 if there is none."""
    with Path("/dev/full").open("w") as full:
        command = [*COMMAND, "check", str(write_recording(tmp_path, body))]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    line = "contract-tests: standard output: No space left on device\n"
    assert (done.returncode, done.stderr) == (code, line)


def signal_repeatedly(process: "subprocess.Popen[str]", log: Path, number: signal.Signals) -> None:
    """Send a signal once a run has logged many creates, and then again and again."""
    while not log.is_file() or log.stat().st_size < 8000:
        assert process.poll() is None
        time.sleep(0.01)
    for _ in range(10):
        process.send_signal(number)
        time.sleep(0.1)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT], ids=lambda one: one.name)
def test_repeated_signals_end_a_run_with_its_reports(number: signal.Signals, tmp_path: Path) -> None:
    """Each signal ends a run with its reports; those that follow while it ends change nothing."""
    with serve_app(create_app()) as url:
        command = [
            *COMMAND,
            "run",
            "--target",
            url,
            "--layers",
            "cases,properties",
            "--report",
            str(tmp_path),
        ]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            signal_repeatedly(process, tmp_path / "ledger.jsonl", number)
            out, err = process.communicate(timeout=60)
    following = f"contract-tests run --resume {tmp_path} --target {url} goes on from here"
    assert (process.returncode, err) == (130, f"reports: {tmp_path}\nnext: {following}\n")
    assert "interrupted" in out
    assert {path.name for path in tmp_path.iterdir()} >= REPORTS


@pytest.mark.slow
def test_a_signal_after_the_last_request_loses_no_report(tmp_path: Path) -> None:
    """A run whose results are complete writes them, and has the exit code of its verdict."""
    code = (
        "import signal\n"
        "from contract_tests.cli.main import main\n"
        "from contract_tests.runs.checkpoint import RunState\n"
        "build_report = RunState.build_report\n"
        "def build_interrupted(state, *arguments):\n"
        "    if state.finished: signal.raise_signal(signal.SIGINT)\n"
        "    return build_report(state, *arguments)\n"
        "RunState.build_report = build_interrupted\n"
        "main()\n"
    )
    arguments = ("run", "--target", "wsgi:mock_server:create_app", *SHORT, "--report", str(tmp_path))
    done = subprocess.run([*COMMAND[:1], "-c", code, *arguments], capture_output=True, text=True, check=False)
    assert (done.returncode, "CONFORMS in 1 of 1 rules" in done.stdout) == (0, True)
    assert {path.name for path in tmp_path.iterdir()} >= REPORTS


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT], ids=lambda one: one.name)
def test_a_signal_while_modules_load_is_one_line(number: signal.Signals) -> None:
    """A signal before the command runs ends it with 130 and no traceback."""
    code = (
        "import os, sys\n"
        "from contract_tests.cli.main import main\n"
        "class Signal:\n"
        "    def find_spec(self, name, *_):\n"
        f"        if name == 'contract_tests.cli.commands.run': os.kill(os.getpid(), {int(number)})\n"
        "sys.meta_path.insert(0, Signal())\n"
        "main()\n"
    )
    done = subprocess.run([*COMMAND[:1], "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "contract-tests: interrupted\n")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT], ids=lambda one: one.name)
def test_a_signal_within_a_destructor_ends_a_command(number: signal.Signals) -> None:
    """Python drops what a destructor raises, also when an import calls one: the signal is sent again."""
    code = (
        "import os, time\n"
        "import contract_tests.cli.main as main\n"
        "class Signal:\n"
        "    def __del__(self):\n"
        f"        os.kill(os.getpid(), {int(number)})\n"
        "def command():\n"
        "    Signal()\n"
        "    time.sleep(20)\n"
        "main.build_command = lambda: command\n"
        "main.main()\n"
    )
    done = subprocess.run([*COMMAND[:1], "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "contract-tests: interrupted\n")


def test_a_destructor_that_raises_an_interrupt_of_its_own_ends_nothing() -> None:
    """An app in this process may have one: it is no signal, and Python reports it as ever."""
    code = (
        "import time\n"
        "import contract_tests.cli.main as main\n"
        "class Odd:\n"
        "    def __del__(self):\n"
        "        raise KeyboardInterrupt\n"
        "def command():\n"
        "    Odd()\n"
        "    time.sleep(0.5)\n"
        "    print('the end')\n"
        "main.build_command = lambda: command\n"
        "main.main()\n"
    )
    done = subprocess.run([*COMMAND[:1], "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "the end\n")
    assert done.stderr.startswith("Exception ignored in: ")


@pytest.mark.slow
def test_a_state_that_cannot_be_saved_any_more_does_not_end_a_run(tmp_path: Path) -> None:
    """A run goes on, shows and writes its report, and ends with 2, because it cannot be resumed or merged."""
    state, app = tmp_path / "state.json", create_app()

    def spoil_state(environ: Any, start_response: Any) -> Any:
        if state.is_file():
            state.unlink()
            state.mkdir()
        return app(environ, start_response)

    with serve_app(spoil_state) as url:
        done = run_command("run", "--target", url, "--layers", "cases,wire", "--report", tmp_path, "--quiet")
    assert (done.code, "CONFORMS" in done.last) == (2, True)
    assert done.err == f"contract-tests: {state}: Is a directory\nreports: {tmp_path}\n"
    assert {path.name for path in tmp_path.iterdir()} == REPORTS | {"state.json", "ledger.jsonl"}


@pytest.mark.parametrize("command", ["run", "check", "merge", "mutate"])
@pytest.mark.slow
def test_a_report_folder_that_cannot_be_created_is_reported_with_its_option(
    command: str, tmp_path: Path
) -> None:
    """One line names the option before anything is sent or judged, and the exit code is 2."""
    (tmp_path / "file").write_text("")
    arguments = {
        "run": ["--target", "wsgi:mock_server:create_app"],
        "check": [write_recording(tmp_path, VALID)],
        "merge": [tmp_path],
        "mutate": ["--target", "wsgi:mock_server:create_app", "--only", "gpu"],
    }[command]
    folder = tmp_path / "file" / "report"
    done = run_command(command, *arguments, "--report", folder)
    line = f"contract-tests: --report {folder}: Not a directory; name a folder that can be written\n"
    assert (done.code, done.out, done.err) == (2, "", line)


@pytest.mark.parametrize(("output", "code"), [(">/dev/full", 2), (">&-", 0)], ids=["full", "closed"])
@pytest.mark.slow
def test_a_profile_is_written_although_it_cannot_be_shown(output: str, code: int, tmp_path: Path) -> None:
    """What was learnt with 160 requests is in the file, as after `calibrate … | head`."""
    profile = tmp_path / "profile.yaml"
    calibrate = [
        *map(str, COMMAND),
        "calibrate",
        "--target",
        "wsgi:mock_server:create_app",
        "-o",
        str(profile),
    ]
    done = subprocess.run(
        ["sh", "-c", f"exec {shlex.join(calibrate)} {output}"], stderr=subprocess.PIPE, text=True, check=False
    )
    assert (done.returncode, profile.is_file()) == (code, True)
    assert "of the kit" not in done.stderr


def test_an_app_that_closes_the_standard_output_loses_no_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it closed is opened again, and discards what is printed."""
    written: list[Path] = []
    closed = (tmp_path / "out").open("w")
    closed.close()
    monkeypatch.setattr(sys, "stdout", closed)
    monkeypatch.setattr("contract_tests.cli.common.output.ignore_signals", lambda: None)
    with pytest.raises(SystemExit) as ended:
        end_with_output(lambda: click.echo("CONFORMS"), 0, tmp_path, written.append)
    sys.stdout.close()
    assert (ended.value.code, written) == (0, [tmp_path])


@pytest.mark.slow
def test_a_thread_that_an_app_leaves_is_not_waited_for(tmp_path: Path) -> None:
    """The command ends with its exit code; Python would wait for the thread, and ignore Ctrl-C."""
    (tmp_path / "app_with_a_thread.py").write_text(
        "import threading, mock_server\n"
        "def create():\n"
        "    threading.Thread(target=threading.Event().wait).start()\n"
        "    return mock_server.create_app()\n"
    )
    target = ("--target", "wsgi:app_with_a_thread:create", "--layers", "cases", "-k", "slug-required")
    done = subprocess.run(
        [*COMMAND, "run", *target, "--quiet"], capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])},
    )  # fmt: skip
    assert (done.returncode, done.stdout.partition(" in ")[0]) == (0, "CONFORMS")
    assert "the app left a thread that does not end" in done.stderr
