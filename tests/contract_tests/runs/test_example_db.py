"""Findings that runs share through an example database."""

import json
import os
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from contract_tests.cases.model import Case, Step
from contract_tests.execution.factory import open_executor
from contract_tests.results.verdict import Report
from contract_tests.runs.example_db import ExampleArchive, open_archive
from contract_tests.runs.options import RunOptions
from contract_tests.runs.run import Run, RunHooks
from contract_tests.targets.wsgi import WsgiTarget
from mock_server import create_app
from tests.quality.faults import FAULTS
from tests.support.gate.gate import App, violated_rules
from tests.support.gate.odd_servers import COMMAND, run_command, serve_app
from tests.support.gate.planting import Request, Response, Send, twisted

REDIS = os.environ.get("TEST_REDIS", "redis://127.0.0.1:6379/9")
CASE = Case(
    "property/create-fuzzing-1", "created", "properties", (Step(body={"a": "\ud800"}, expect="open"),)
)


def apply_rare_fault(request: Request, send: Send) -> Response:
    """Takes a display name that is too long, where there is a port and a replica count as well."""
    name = request.body.get("display_name")
    if isinstance(name, str) and len(name) > 255 and {"exposed_port", "replica_count"} <= {*request.body}:
        return send(request.setting(display_name="short"))
    return send(request)


def fuzz_app(app: App, archive: ExampleArchive, examples: int) -> Report:
    """The report of a run of the generated bodies alone."""
    player = open_executor(WsgiTarget(app))
    return Run(
        player, RunOptions(layers=("properties",), max_examples=examples), RunHooks(archive=archive)
    ).execute()


@pytest.fixture
def address() -> Iterator[str]:
    """A Redis, and nothing of ours in it afterwards."""
    client = redis.Redis.from_url(REDIS)
    try:
        client.ping()
    except redis.RedisError as error:
        pytest.skip(f"no Redis at {REDIS}: {error}")
    yield REDIS
    for key in client.scan_iter("cyberun-contract-kit:*"):
        client.delete(key)
    client.close()


def test_a_case_is_given_once_and_never_back_to_who_kept_it(tmp_path: Path) -> None:
    """What one run keeps another is given, whole, whatever is in it; and nobody twice."""
    mine, yours = (open_archive(str(tmp_path), "target", "contract") for _ in range(2))
    mine.save_case(CASE)
    assert [list(mine.iter_pending()), list(yours.iter_pending()), list(yours.iter_pending())] == [
        [],
        [CASE],
        [],
    ]


@pytest.mark.parametrize(("target", "contract"), [("other", "contract"), ("target", "other")])
def test_cases_stay_with_their_target_and_contract(tmp_path: Path, target: str, contract: str) -> None:
    """A run of another target, or by another contract, is given nothing."""
    open_archive(str(tmp_path), "target", "contract").save_case(CASE)
    assert list(open_archive(str(tmp_path), target, contract).iter_pending()) == []


def test_what_a_long_run_found_a_short_one_finds_again(tmp_path: Path) -> None:
    """A deviation that few bodies show is known to the next run; once the target is right it is forgotten."""

    def archive() -> ExampleArchive:
        return open_archive(str(tmp_path), "target", "contract")

    faulty, right = twisted(create_app(), apply_rare_fault), create_app()
    reports = [
        fuzz_app(faulty, archive(), 10),
        fuzz_app(faulty, archive(), 200),
        fuzz_app(faulty, archive(), 10),
        fuzz_app(right, archive(), 10),
        fuzz_app(faulty, archive(), 10),
    ]
    wrong = {"display-name-length"}
    assert [violated_rules(report) for report in reports] == [set(), wrong, wrong, set(), set()]


def test_a_call_that_a_long_run_found_is_known(tmp_path: Path) -> None:
    """Generated calls and traces are kept as bodies are, and played by the next run of generated requests."""
    fault = next(fault for fault in FAULTS if fault.name == "empty-token-taken")
    app = fault.app()
    found = [
        fuzz_app(app, open_archive(str(tmp_path), "target", "contract"), number) for number in (10, 250, 10)
    ]
    assert [violated_rules(report) for report in found] == [set(), {"auth-bearer"}, {"auth-bearer"}]


class Broken:
    """A database that is gone."""

    asked = 0

    def fetch(self, _key: bytes) -> Any:
        """Fails."""
        self.asked += 1
        raise ConnectionError("redis://user:password@host is gone")

    save = delete = fetch


def test_a_database_that_fails_spoils_no_run() -> None:
    """The run goes on without it and says so, without repeating what the error says; it is asked once."""
    database = Broken()
    report = fuzz_app(create_app(), ExampleArchive(database, "target", "contract"), 10)
    assert (report.exit_code, database.asked) == (0, 1)
    assert [note for note in report.notes if "database" in note] == [
        "the example database failed (ConnectionError), and was not used any more"
    ]


@pytest.mark.parametrize(
    ("db", "says"),
    [
        ("redis://user:hunter2@127.0.0.1:1/0", "no Redis responds there (ConnectionError)"),
        ("redis://[", "no Redis responds there"),
        ("mysql://user:hunter2@host/db", "give redis://host:6379/0 or a folder"),
    ],
    ids=["down", "no-url", "scheme"],
)
def test_a_database_that_cannot_be_used_is_told(db: str, says: str) -> None:
    """Exit code 2 and one line, in which no password is repeated."""
    done = run_command("run", "--target", "wsgi:mock_server:create_app", "--example-db", db)
    assert (done.code, done.err.count("\n"), "hunter2" in done.err) == (2, 1, False)
    assert says in done.err


def test_four_shards_share_a_redis(address: str, tmp_path: Path) -> None:
    """What one of four processes finds the others play too, and the merged report tells it once."""
    environment = {**os.environ, "EXAMPLE_DB": address, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    with serve_app(twisted(create_app(), apply_rare_fault)) as url:
        target = f"{url}?{uuid.uuid4()}".partition("?")[0]
        first = run_command("run", "--target", target, "--layers", "properties", "--max-examples", "150",
                        "--seed", "7", "--example-db", address, "--quiet")  # fmt: skip
        processes = [
            subprocess.Popen(
                [*COMMAND, "run", "--target", target, "--layers", "properties", "--quiet",
                 "--shard", f"{number}/4", "--report", str(tmp_path / str(number))],
                env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )
            for number in range(1, 5)
        ]  # fmt: skip
        codes = [process.wait(timeout=120) for process in processes]
    merged = run_command(
        "merge", *(tmp_path / str(n) for n in range(1, 5)), "--report", tmp_path / "all", "--quiet"
    )
    report = json.loads((tmp_path / "all" / "report.json").read_text())
    assert (first.code, codes, merged.code) == (1, [1, 1, 1, 1], 1)
    assert {finding["rule"] for finding in report["findings"]} == {"display-name-length"}
