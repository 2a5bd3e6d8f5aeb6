"""The run command against healthy, broken and hostile targets: exit code, one clear line, no traceback."""

import json
import re
import signal
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest

from mock_server import create_app
from mock_server.services.memory import MemoryStore
from tests.support.gate.gate import App
from tests.support.gate.odd_servers import (
    COMMAND,
    TOKENS,
    after_count,
    build_busy_app,
    build_constant_app,
    closed_port,
    echo_secret,
    every_nth,
    first_seconds,
    lose_responses,
    run_command,
    serve_app,
    serve_mute,
    slow_down,
    store_then_fail,
)
from tests.support.gate.planting import add_interceptor

pytestmark = [pytest.mark.timeout(180), pytest.mark.slow]

HOOK = ("--control-hook", "/_mock/services/{id}/status/{status}")
QUICK = ("--layers", "wire,race", "--quiet")


def assert_one_line(text: str, says: str) -> None:
    """Assert that the text is one line that contains a phrase."""
    assert len(text.strip().splitlines()) == 1, text
    assert says in text


def list_stored_ids(store: MemoryStore) -> set[str]:
    """Return the ids of the services in a store."""
    with store.transaction() as step:
        return {service.id for service in step.all()}


# --- targets that cannot be judged


def test_a_target_that_is_down() -> None:
    """A target on which nothing listens ends the run with exit code 3 and a line that says so."""
    done = run_command("run", "--target", closed_port())
    assert (done.code, done.out) == (3, "")
    assert_one_line(done.err, "the connection was refused; is it up, and is the URL right?")


def test_reports_of_a_target_that_is_down_replace_older_ones(tmp_path: Path) -> None:
    """Where nothing could be judged, every report that was asked for says so, and why; no older one is left."""
    options = ("--report", tmp_path, "--format", "comment", "-k", "gpu-count-type")
    assert run_command("run", "--target", "wsgi:mock_server:create_app", *options).code == 0
    assert run_command("run", "--target", closed_port(), *options).code == 3
    for name in ("report.md", "report.html", "junit.xml", "comment.md"):
        text = (tmp_path / name).read_text()
        assert "NOT JUDGED" in text, name
        assert "the connection was refused" in text, name
    report = json.loads((tmp_path / "report.json").read_text())
    assert (report["exit_code"], report["counts"]) == (3, {"not observed": 1})
    assert 'errors="1"' in (tmp_path / "junit.xml").read_text()
    assert "has not finished" in run_command("merge", tmp_path).err


def test_a_target_that_never_responds() -> None:
    """Timeouts are retried within bounds, and then end the run with exit code 3."""
    with serve_mute() as url:
        done = run_command("run", "--target", url, "--timeout", "1s")
    assert (done.code, done.out) == (3, "")
    assert done.seconds < 20
    assert_one_line(done.err, "no response before the timeout")


def test_a_target_that_closes_every_connection() -> None:
    """Lost connections are retried within bounds, and then end the run with exit code 3."""
    with serve_app(create_app(), drops=lambda: True) as url:
        done = run_command("run", "--target", url)
    assert (done.code, done.out) == (3, "")
    assert_one_line(done.err, "the connection was dropped")


@pytest.mark.parametrize(
    ("app", "says"),
    [
        pytest.param(
            build_constant_app(404, b'{"error": "no route"}', "application/json"),
            "is not this API",
            id="404-json",
        ),
        pytest.param(
            build_constant_app(200, b"<!doctype html><p>Hello", "text/html"), "is not this API", id="200-html"
        ),
        pytest.param(
            build_constant_app(200, b"{}", "application/json"), "is not this API", id="200-empty-object"
        ),
        pytest.param(build_constant_app(405, b"", "text/plain"), "is not this API", id="405"),
        pytest.param(build_constant_app(401, b"{}", "application/json"), "refuses every caller", id="401"),
        pytest.param(build_constant_app(403, b"{}", "application/json"), "refuses every caller", id="403"),
        pytest.param(
            build_constant_app(500, b"{}", "application/json"),
            "it responds to each create with a server error",
            id="500",
        ),
        pytest.param(build_constant_app(302, b"", "text/html"), "it redirects POST /containers", id="302"),
    ],
)
@pytest.mark.parametrize("options", [(), ("--refuse-only",)], ids=["all", "refuse-only"])
def test_a_target_that_is_something_else(app: App, says: str, options: tuple[str, ...]) -> None:
    """Another API, a web page or a refusal of every caller ends the run with exit code 3 and a specific line."""
    with serve_app(app) as url:
        done = run_command("run", "--target", url, *options)
    assert (done.code, done.out) == (3, "")
    assert_one_line(done.err, says)


# --- targets with problems


def test_a_target_that_is_busy_at_every_tenth_request() -> None:
    """A 429 with Retry-After is obeyed, and is never a violation; a note counts these responses."""
    with serve_app(build_busy_app(create_app(), every_nth(10), 429, "1")) as url:
        done = run_command("run", "--target", url, *QUICK[:-1])
    assert done.code == 0, done.out + done.err
    assert "too busy to respond" not in done.out
    assert re.search(
        r"note: the target was too busy \(429 or 503\) [1-9][0-9]+ times; these requests", done.out
    )


def test_a_target_that_starts_slowly() -> None:
    """The run waits while the target responds with 503 for two seconds."""
    with serve_app(build_busy_app(create_app(), first_seconds(2), 503, "1")) as url:
        done = run_command("run", "--target", url, *QUICK)
    assert done.code == 0, done.out + done.err


def test_a_target_that_drops_every_tenth_connection() -> None:
    """A request on a lost connection is retried, and a request that was sent twice is never a finding."""
    with serve_app(create_app(), drops=every_nth(10)) as url:
        done = run_command("run", "--target", url, "--layers", "cases,wire", "--quiet")
    assert done.code == 0, done.out + done.err


@pytest.mark.parametrize(
    ("off", "code", "says"),
    [(set(), 3, "NOT JUDGED"), ({"auth-required", "exposed-port-type", "display-name-type"}, 1, "VIOLATED")],
    ids=["right", "faulty"],
)
def test_a_target_that_dies_in_the_middle(tmp_path: Path, off: set[str], code: int, says: str) -> None:
    """The report covers everything until the target died; the exit code is 3 unless a rule was violated before."""
    with serve_app(create_app(disabled_rules=off), drops=after_count(450)) as url:
        done = run_command("run", "--target", url, "--report", tmp_path)
    assert done.code == code, done.out + done.err
    assert "the target stopped responding: the connection was dropped" in done.out
    assert (tmp_path / "report.html").is_file()
    assert says in done.last
    assert any(line.split()[1:2] == ["conforms"] for line in done.out.splitlines())


# --- services that a run leaves behind


def test_log_lists_every_created_service(tmp_path: Path) -> None:
    """Every stored service is in the log, and was announced before its create was sent."""
    store = MemoryStore()
    with serve_app(create_app(store=store)) as url:
        done = run_command("run", "--target", url, "--report", tmp_path, "--quiet", *HOOK)
    entries = [json.loads(line) for line in (tmp_path / "ledger.jsonl").read_text().splitlines()]
    created = {entry["id"] for entry in entries if entry["event"] == "created"}
    assert done.code == 0
    assert created == list_stored_ids(store)
    announced = [entry["slug"] for entry in entries if entry["event"] == "sending"]
    assert {entry["slug"] for entry in entries if entry["event"] == "created"} <= set(announced)


@pytest.mark.parametrize(
    "choices",
    [{}, {"repeated-keys": "accepted", "nul-characters": "accepted", "unknown-tokens": "accepted"}],
    ids=["usual", "accepts-what-is-assumed"],
)
def test_refuse_only_creates_nothing(choices: dict[str, str]) -> None:
    """With --refuse-only nothing is stored on a target that conforms, also where it accepts what it may refuse."""
    store = MemoryStore()
    with serve_app(create_app(store=store, profile={"choices": choices})) as url:
        done = run_command("run", "--target", url, "--refuse-only", "--quiet")
    assert done.code == 0, done.out + done.err
    assert list_stored_ids(store) == set()


@pytest.mark.parametrize("most", [2, 5, 12])
def test_no_more_is_created_than_allowed(most: int) -> None:
    """With --max-created the target stores no more services than that, even with concurrent requests."""
    store = MemoryStore()
    with serve_app(create_app(store=store)) as url:
        done = run_command("run", "--target", url, "--max-created", str(most), "--min-judged", "0", "--quiet")
    assert done.code == 0, done.out + done.err
    assert len(list_stored_ids(store)) <= most


@pytest.mark.parametrize("status", [400, 409, 422])
def test_a_create_whose_response_is_lost_breaks_no_rule(status: int, tmp_path: Path) -> None:
    """Sent again, it finds its slug taken, with any status; its service counts in --max-created, to the end."""
    store, profile = MemoryStore(), tmp_path / "p.yaml"
    profile.write_text("choices: {id-version: '7'}")
    app = create_app(store=store, profile={"choices": {"slug-taken-status": status}})
    limits = ("--max-created", "60", "--profile", profile)
    with serve_app(lose_responses(app, every_nth(7))) as url:
        done = run_command("run", "--target", url, *limits, "--min-judged", "0")
    assert done.code == 0, done.out + done.err
    assert 40 < len(list_stored_ids(store)) <= 60


def test_a_create_that_was_stored_before_a_503_breaks_no_rule() -> None:
    """Sent again, it finds its slug taken, as after the 503 of a gateway, or of a database that did commit."""
    with serve_app(store_then_fail(create_app(), every_nth(7))) as url:
        done = run_command("run", "--target", url, "--min-judged", "0", "--quiet")
    assert done.code == 0, done.out + done.err


def test_no_token_reaches_a_report(tmp_path: Path) -> None:
    """A faulty target that repeats the secret in its responses brings it into no report."""
    app = add_interceptor(create_app(disabled_rules={"display-name-type", "slug-unique"}), echo_secret)
    with serve_app(app) as url:
        done = run_command("run", "--target", url, "--report", tmp_path, *HOOK)
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert done.code == 1
    assert len(written) > 5
    assert "$TOKEN" in "".join(path.read_text("utf-8") for path in written)
    for path in written:
        assert not any(token.encode() in path.read_bytes() for token in TOKENS), path


def test_a_finding_can_be_replayed(tmp_path: Path) -> None:
    """The file of each finding reproduces it on the faulty target, and passes on a correct one."""
    off = {"slug-unique", "auth-required", "replica-count-range", "team-scope", "exposed-port-default"}
    with serve_app(create_app(disabled_rules=off)) as url:
        assert run_command("run", "--target", url, "--report", tmp_path, "--quiet", *HOOK).code == 1
        files = sorted((tmp_path / "findings").glob("*.json"))
        codes = {file.name: run_command("replay", file, "--target", url, *HOOK).code for file in files}
    assert {name.rsplit("-", 1)[0] for name in codes} == off
    assert set(codes.values()) == {1}, codes
    with serve_app(create_app()) as url:
        codes = {file.name: run_command("replay", file, "--target", url, *HOOK).code for file in files}
    assert set(codes.values()) == {0}, codes


def interrupt_run(app: App, *arguments: str | Path, requests: int) -> tuple[int, str, str]:
    """Send Ctrl-C to a run after some requests; return its exit code and output."""
    received = threading.Semaphore(0)

    def count_request(environ: Any, start_response: Any) -> Any:
        received.release()
        return app(environ, start_response)

    with serve_app(count_request) as url:
        process = subprocess.Popen(
            [*COMMAND, "run", "--target", url, *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert all(received.acquire(timeout=60) for _ in range(requests))
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def test_control_c_ends_requests_on_their_way() -> None:
    """After Ctrl-C no request is waited for, whatever its --timeout."""
    answered, released, app = iter(range(100)), threading.Event(), create_app()

    def fall_silent(environ: Any, start_response: Any) -> Any:
        if next(answered, None) is None:
            released.wait(60)
        return app(environ, start_response)

    code, out, _ = interrupt_run(fall_silent, "--timeout", "300s", requests=102)
    released.set()
    assert (code, "interrupted" in out) == (130, True)


def test_the_time_limit_ends_the_wait_for_a_busy_target() -> None:
    """A Retry-After of a day is told, and outlasts neither --time nor the results so far."""
    answered, app = iter(range(50)), create_app()

    def become_busy(environ: Any, start_response: Any) -> Any:
        if next(answered, None) is not None:
            return app(environ, start_response)
        start_response("429 Too Many Requests", [("Retry-After", "86400"), ("Content-Length", "0")])
        return [b""]

    with serve_app(become_busy) as url:
        result = run_command("run", "--target", url, "--time", "4s")
    assert "waiting 30s: the target asks for it with Retry-After" in result.err
    assert "stopped after --time" in result.out
    assert "cut short" not in result.out


def test_control_c_ends_with_the_report(tmp_path: Path) -> None:
    """After Ctrl-C the results so far are printed and written, and the target is not said to conform."""
    app = add_interceptor(create_app(), slow_down(0.03))
    code, out, err = interrupt_run(app, "--report", tmp_path, "--concurrency", "2", requests=100)
    assert "Traceback" not in out + err
    assert "interrupted" in out
    assert (tmp_path / "report.html").is_file()
    assert code == 130, out


def test_a_budget_limits_the_requests() -> None:
    """With --budget the target receives at most so many requests, and the last line says how much was judged."""
    app, paths = create_app(), []

    def count_requests(environ: Any, start_response: Any) -> Any:
        paths.append(environ["PATH_INFO"])
        return app(environ, start_response)

    with serve_app(count_requests) as url:
        done = run_command("run", "--target", url, "--budget", "100", "--max-created", "25", *HOOK)
    sent = [
        path for path in paths if not path.startswith("/_mock/")
    ]  # the control hook is no request of the API
    assert (done.code, done.err.count("\n")) == (0, 0), done.out + done.err
    assert re.search(r"^CONFORMS in [567]\d of 83 rules: .* 100 requests in ", done.out, re.MULTILINE)
    assert "faults that the plan is learnt from, of which a run sees" in done.out
    assert len(sent) == 100


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (("--budget", "0"), "--budget"),
        (("--budget", "100", "--shard", "1/2"), "--budget is for one run: leave out --shard"),
        (("--fault-rate", "0"), "--fault-rate"),
        (("--fault-rate", "1"), "--fault-rate"),
        (("--confidence", "100"), "--confidence"),
    ],
)
def test_an_impossible_budget_is_refused(options: tuple[str, ...], problem: str) -> None:
    """A wrong number is one line that names the option, with exit code 2."""
    done = run_command("run", "--target", "http://127.0.0.1:1/api/v1", *options)
    assert done.code == 2
    assert problem in done.err
    assert "Traceback" not in done.err


def test_a_resumed_run_says_the_time_that_was_asked_for(tmp_path: Path) -> None:
    """A run that is resumed goes on for the rest of its time, and still names all of it."""
    options = ("--target", "wsgi:mock_server:create_app", "--layers", "properties", "-k", "gpu-count-type")
    assert run_command("run", *options, "--time", "2s", "--report", tmp_path).code == 0
    file = tmp_path / "state.json"
    state = json.loads(file.read_text())
    file.write_text(json.dumps({**state, "seconds": 1.5, "finished": False}))
    done = run_command("run", *options[:2], "--resume", tmp_path)
    assert "stopped after --time 2s as asked" in done.out
    assert json.loads(file.read_text())["given"]["seconds"] == 2.0


def test_a_budget_for_less_than_the_callers_is_told() -> None:
    """Where the budget does not pay for the preflight, one line says so, with exit code 3."""
    with serve_app(create_app()) as url:
        done = run_command("run", "--target", url, "--budget", "3")
    assert (done.code, done.err.count("\n")) == (3, 1)
    assert "--budget is too small" in done.err
