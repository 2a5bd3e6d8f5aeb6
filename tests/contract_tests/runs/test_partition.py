"""A run split into parts for the workers of pytest-xdist."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from contract_tests.execution.factory import ExecutorOptions, open_executor
from contract_tests.runs.checkpoint import RunState, merge_states
from contract_tests.runs.options import RunOptions
from contract_tests.runs.partition import Part, load_finished_parts, run_parts, split_run
from contract_tests.runs.run import Run
from contract_tests.targets.wsgi import WsgiTarget
from mock_server import create_app
from tests.support.contract_pytest import MOCK, run_contract_pytest
from tests.support.gate.gate import MOCK_HOOK

pytestmark = pytest.mark.slow

OFF = frozenset({"slug-unique", "exposed-port-range", "team-scope"})


def run_part_on_faulty_mock(part: Part, options: RunOptions) -> RunState:
    """Run one part on a faulty mock; return its state."""
    run = Run(
        open_executor(
            WsgiTarget(create_app(disabled_rules=OFF)), options=ExecutorOptions(control_hook=MOCK_HOOK)
        ),
        part.narrow_options(options),
    )
    run.execute()
    return run.state


def test_parts_together_equal_the_run(tmp_path: Path) -> None:
    """All parts together give every rule the verdict of the whole run."""
    options = RunOptions(target="x", max_examples=500)
    names = [part.name for part in split_run(options)]
    assert names == [
        *("cases-createContainer", "cases-updateContainer", "wire-createContainer", "wire-updateContainer"),
        *("lifecycle", "race"),
        *(
            f"properties-{operation}-{turn}"
            for turn in (0, 1)
            for operation in ("createContainer", "updateContainer")
        ),
        *("properties-2", "properties-3"),
    ]
    options = replace(options, max_examples=10)
    run_parts(tmp_path, split_run(options), lambda part, _: run_part_on_faulty_mock(part, options))
    run = Run(
        open_executor(
            WsgiTarget(create_app(disabled_rules=OFF)), options=ExecutorOptions(control_hook=MOCK_HOOK)
        ),
        options,
    )
    rows = [
        run.execute().verdicts,
        merge_states(load_finished_parts(tmp_path)).build_report(run.catalogue).verdicts,
    ]
    verdicts = [{row.rule.id: row.verdict for row in of} for of in rows]
    assert verdicts[0] == verdicts[1]
    assert {rule for rule, verdict in verdicts[0].items() if verdict == "violated"} == OFF


def list_selected(options: RunOptions, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the ids of the cases that a run selects."""
    ids: list[str] = []
    select_cases = RunOptions.select_cases

    def select_and_note(self: RunOptions, cases: Any, **keywords: Any) -> Any:
        chosen = select_cases(self, cases, **keywords)
        ids.extend(case.id for case in chosen)
        return chosen

    with monkeypatch.context() as patch:
        patch.setattr(RunOptions, "select_cases", select_and_note)
        Run(open_executor(WsgiTarget(create_app())), options).execute()
    return ids


def test_each_case_is_in_one_part(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each case of the whole run is in exactly one part."""
    options = RunOptions(layers=("cases", "wire", "properties"), max_examples=20)

    apart = [
        name
        for part in split_run(options)
        for name in list_selected(part.narrow_options(options), monkeypatch)
    ]
    assert sorted(apart) == sorted(list_selected(options, monkeypatch))


def test_each_part_runs_once(tmp_path: Path) -> None:
    """A locked part is left to its owner, and taken over if the owner does not finish it."""
    wanted = [Part("wire"), Part("race")]
    done: list[str] = []
    lock = FileLock(tmp_path / "wire" / "lock")
    (tmp_path / "wire").mkdir()
    lock.acquire()

    def play(part: Part, _place: Path) -> RunState:
        done.append(part.name)
        lock.release()  # the owner of the other part has crashed
        return RunState(target="x", started="now", finished=True)

    run_parts(tmp_path, wanted, play)
    assert done == ["race", "wire"]
    run_parts(tmp_path, wanted, play)
    assert done == ["race", "wire"]


def test_workers_share_one_run(tmp_path: Path) -> None:
    """Two workers send as many requests as one process, and write the same reports."""
    lines = []
    for workers in ("0", "2"):
        done = run_contract_pytest(
            tmp_path, "--target", MOCK, "-n", workers, "--report", str(tmp_path / workers)
        )
        assert "82 passed, 1 skipped" in done.stdout, done.stdout
        lines.append(
            re.sub(r" in [0-9.]+ s", "", next(x for x in done.stdout.splitlines() if "CONFORMS" in x))
        )
    assert lines[0] == lines[1]
    files = [{path.name for path in (tmp_path / workers).iterdir()} for workers in ("0", "2")]
    assert files[0] == files[1] >= {"report.json", "report.html", "junit.xml", "traffic.har", "ledger.jsonl"}


DYING = """
import os, threading
from pathlib import Path
from mock_server import create_app
FLAG = Path(__file__).with_name("died")
def app():
    made = create_app(disabled_rules=frozenset({"slug-unique"}))
    def wsgi(environ, start):
        if environ["REQUEST_METHOD"] == "PUT":
            try:
                FLAG.touch(exist_ok=False)
            except FileExistsError:
                pass
            else:
                os._exit(1)
        return made(environ, start)
    return wsgi
"""


def test_part_of_a_crashed_worker_runs_elsewhere(tmp_path: Path) -> None:
    """A crashed worker costs one test, but no verdict."""
    (tmp_path / "dying.py").write_text(DYING)
    done = run_contract_pytest(
        tmp_path, "--target", "wsgi:dying:app", "-n", "2", "--report", str(tmp_path / "report")
    )
    assert (tmp_path / "died").exists()
    assert "test_rule[slug-unique]" in done.stdout
    assert re.search(r"VIOLATED in .*1 violated", done.stdout), done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("--target", "http://127.0.0.1:1/api/v1"), 3, "the connection was refused"),
        (("--target", MOCK, "--layers", "none"), 2, "the layers are"),
    ],
    ids=["down", "layer"],
)
def test_workers_report_why_nothing_was_judged(
    tmp_path: Path, arguments: tuple[str, ...], code: int, says: str
) -> None:
    """Workers end with the exit codes of the command."""
    done = run_contract_pytest(tmp_path, "-n", "2", "-k", "slug", *arguments)
    assert (done.returncode, says in done.stdout) == (code, True), done.stdout
