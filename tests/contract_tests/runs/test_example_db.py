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

from contract_tests.cases.model import Case, Step, case_to_json
from contract_tests.execution.factory import open_executor
from contract_tests.results.verdict import Report
from contract_tests.runs.example_db import ExampleArchive, open_archive
from contract_tests.runs.options import RunOptions
from contract_tests.runs.run import Run, RunHooks
from contract_tests.targets.wsgi import WsgiTarget
from mock_server import create_app
from tests.quality.faults import FAULTS
from tests.support.gate.gate import App, violated_rules
from tests.support.gate.messages import Request, Response, Send
from tests.support.gate.odd_servers import COMMAND, run_command, serve_app
from tests.support.gate.planting import add_interceptor

pytestmark = pytest.mark.slow

REDIS = os.environ.get("TEST_REDIS", "redis://127.0.0.1:6379/9")
CASE = Case(
    "property/create-fuzzing-1", "created", "properties", (Step(body={"a": "\ud800"}, expect="open"),)
)


def apply_rare_fault(request: Request, send: Send) -> Response:
    """Accept a display name that is too long beside a port and a replica count."""
    name = request.body.get("display_name")
    if isinstance(name, str) and len(name) > 255 and {"exposed_port", "replica_count"} <= {*request.body}:
        return send(request.setting(display_name="short"))
    return send(request)


def fuzz_app(app: App, archive: ExampleArchive, examples: int) -> Report:
    """Run only the generated bodies; return the report."""
    executor = open_executor(WsgiTarget(app))
    return Run(
        executor, RunOptions(layers=("properties",), max_examples=examples), RunHooks(archive=archive)
    ).execute()


@pytest.fixture
def address() -> Iterator[str]:
    """Return the address of a Redis, and delete the test's keys afterwards."""
    client = redis.Redis.from_url(REDIS)
    try:
        client.ping()
    except redis.RedisError as error:
        pytest.skip(f"no Redis at {REDIS}: {error}")
    yield REDIS
    for key in client.scan_iter("cyberun-contract-kit:*"):
        client.delete(key)
    client.close()


def test_each_case_is_received_once_by_other_runs(tmp_path: Path) -> None:
    """A run receives each case of other runs once, unchanged, and never its own."""
    mine, yours = (open_archive(str(tmp_path), "target", "contract") for _ in range(2))
    mine.save_case(CASE)
    assert [list(mine.iter_pending()), list(yours.iter_pending()), list(yours.iter_pending())] == [
        [],
        [CASE],
        [],
    ]


@pytest.mark.parametrize(("target", "contract"), [("other", "contract"), ("target", "other")])
def test_cases_stay_with_their_target_and_contract(tmp_path: Path, target: str, contract: str) -> None:
    """A run of another target or contract receives no case."""
    open_archive(str(tmp_path), "target", "contract").save_case(CASE)
    assert list(open_archive(str(tmp_path), target, contract).iter_pending()) == []


def test_finding_of_a_long_run_is_repeated_by_a_short_one(tmp_path: Path) -> None:
    """A rare deviation is known to the next run, and deleted once the target is fixed."""

    def archive() -> ExampleArchive:
        return open_archive(str(tmp_path), "target", "contract")

    faulty, right = add_interceptor(create_app(), apply_rare_fault), create_app()
    reports = [
        fuzz_app(faulty, archive(), 10),
        fuzz_app(faulty, archive(), 200),
        fuzz_app(faulty, archive(), 10),
        fuzz_app(right, archive(), 10),
        fuzz_app(faulty, archive(), 10),
    ]
    wrong = {"display-name-length"}
    assert [violated_rules(report) for report in reports] == [set(), wrong, wrong, set(), set()]


def test_generated_request_of_a_long_run_is_repeated(tmp_path: Path) -> None:
    """Generated requests and scenarios are saved like bodies, and repeated by the next run."""
    fault = next(fault for fault in FAULTS if fault.name == "empty-token-taken")
    app = fault.app()
    found = [
        fuzz_app(app, open_archive(str(tmp_path), "target", "contract"), number) for number in (10, 250, 10)
    ]
    assert [violated_rules(report) for report in found] == [set(), {"auth-bearer"}, {"auth-bearer"}]


class Broken:
    """A database that always fails."""

    asked = 0

    def fetch(self, _key: bytes) -> Any:
        """Fail, and count the calls."""
        self.asked += 1
        raise ConnectionError("redis://user:password@host is gone")

    save = delete = fetch


def test_failing_database_does_not_stop_a_run() -> None:
    """A run continues without a failing database and adds a note without the error's text."""
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
def test_unusable_database_is_reported(db: str, says: str) -> None:
    """An unusable address ends with exit code 2 and one line without the password."""
    done = run_command("run", "--target", "wsgi:mock_server:create_app", "--example-db", db)
    assert (done.code, done.err.count("\n"), "hunter2" in done.err) == (2, 1, False)
    assert says in done.err


def test_four_shards_share_a_redis(address: str, tmp_path: Path) -> None:
    """A finding of one of four processes is repeated by the others, and is one finding in the merged report."""
    environment = {**os.environ, "EXAMPLE_DB": address, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    with serve_app(add_interceptor(create_app(), apply_rare_fault)) as url:
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


class OtherPrograms:
    """A database in which other programs have written, too."""

    def __init__(self, *values: bytes) -> None:
        self.values = values

    def fetch(self, _key: bytes) -> tuple[bytes, ...]:
        """Return the values of every key."""
        return self.values

    def save(self, key: bytes, value: bytes) -> None:
        """Keep nothing."""

    def delete(self, key: bytes, value: bytes) -> None:
        """Delete nothing."""


@pytest.mark.parametrize(
    "spoilt",
    [
        b"[" * 100_000,
        json.dumps({**case_to_json(CASE), "layer": []}).encode(),
        json.dumps({**case_to_json(CASE), "id": 5}).encode(),
        json.dumps({**case_to_json(CASE), "steps": []}).encode(),
    ],
    ids=["deep", "layer", "id", "no step"],
)
def test_a_value_that_is_no_case_is_passed_over(spoilt: bytes) -> None:
    """What another program wrote under the same key ends no run."""
    database = OtherPrograms(spoilt, json.dumps(case_to_json(CASE)).encode())
    assert list(ExampleArchive(database, "target", "contract").iter_pending()) == [CASE]
