"""Whole runs against the mock."""

import errno
import os
from pathlib import Path

import pytest

from contract_tests.execution.factory import ExecutorOptions, open_executor
from contract_tests.execution.sending.created_log import CreatedLog
from contract_tests.reports.content.common import list_warnings
from contract_tests.runs.options import RunOptions, format_duration
from contract_tests.runs.run import Run
from contract_tests.targets.wsgi import WsgiTarget
from mock_server import create_app
from tests.support.gate.gate import describe_findings, judge_app, open_app_executor


@pytest.mark.slow
def test_run_that_judged_nothing_fails() -> None:
    """A run that could judge no rule ends with 3; one that only refuses judges the other rules."""
    executor = open_executor(WsgiTarget(create_app()))
    rules = frozenset({"not-while-busy"})
    assert Run(executor, RunOptions(layers=("lifecycle",), rules=rules)).execute().exit_code == 3
    careful = open_executor(WsgiTarget(create_app()), options=ExecutorOptions(refuse_only=True))
    report = Run(careful, RunOptions(refuse_only=True)).execute()
    assert (report.exit_code, report.created) == (0, 0)
    assert report.count_verdicts()["conforms"] > 40


def test_a_run_ends_when_its_time_is_up() -> None:
    """A run of a tenth of a second reports that it ended early."""
    report = Run(open_executor(WsgiTarget(create_app())), RunOptions(seconds=0.1)).execute()
    assert report.cut_short == "stopped after --time 0.1s as asked"
    assert list_warnings(report) == (report.cut_short,)
    assert report.seconds < 5


@pytest.mark.slow
def test_traffic_and_ids_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A long run keeps the last requests and ids, and says so in a note."""
    monkeypatch.setattr("contract_tests.execution.sending.sender.MAX_TRAFFIC", 100)
    monkeypatch.setattr("contract_tests.runs.run.MAX_TRAFFIC", 100)
    monkeypatch.setattr("contract_tests.execution.sending.limits.MAX_IDS", 10)
    executor = open_executor(WsgiTarget(create_app()))
    report = Run(executor, RunOptions(layers=("cases",))).execute()
    assert (len(report.traffic), len(executor._seen_ids._ids)) == (100, 10), describe_findings(report)
    assert "traffic.har has the last 100 requests only" in report.notes


@pytest.mark.parametrize(("seconds", "text"), [(0.1, "0.1s"), (90, "90s"), (600, "10m"), (7200, "2h")])
def test_a_duration_is_written_as_a_user_writes_it(seconds: float, text: str) -> None:
    """Whole minutes and hours have their units."""
    assert format_duration(seconds) == text


def test_a_control_hook_that_fails_is_the_reason() -> None:
    """A rule that needs the control hook is inconclusive with the status of the hook."""
    report = judge_app(
        create_app(), hook="/nope/{id}/{status}", rules=frozenset({"not-while-busy"}), layers=("lifecycle",)
    )
    (row,) = report.verdicts
    assert (row.verdict, row.reason) == ("inconclusive", "the control hook failed: it responds with 404")


@pytest.mark.slow
def test_refuse_only_is_the_reason_of_what_it_leaves_out() -> None:
    """With --refuse-only, a rule that only valid requests show names the option, and so does a credential."""
    executor = open_app_executor(create_app(), refuse_only=True)
    report = Run(executor, RunOptions(refuse_only=True, layers=("cases", "wire"))).execute()
    reasons = {row.rule.id: row.reason for row in report.verdicts}
    assert reasons["texts-unbounded"] == "--refuse-only sends nothing that may be accepted"
    assert reasons["external-credential-type"].startswith("--refuse-only sends no request")
    assert "no case of this rule was run" not in reasons.values()


def test_a_disk_that_is_full_in_mid_run_is_no_error_of_the_suite(tmp_path: Path) -> None:
    """A run that can log no further create ends with the file and the reason."""
    executor = open_executor(WsgiTarget(create_app()), created_log=FullLog(tmp_path / "ledger.jsonl", 30))
    report = Run(executor, RunOptions(layers=("cases",))).execute()
    reason = (
        f"{tmp_path / 'ledger.jsonl'} could not be opened or written any more: {os.strerror(errno.ENOSPC)}"
    )
    assert (report.cut_short, report.exit_code, report.created > 0) == (reason, 3, True)


class FullLog(CreatedLog):
    """A log for so many creates, and then no more."""

    def __init__(self, path: Path, room: int) -> None:
        super().__init__()
        self.path, self.room = path, room

    def log_sending(self, caller: str, slug: str | None) -> None:
        """Raise the error of a full disk once there is no room."""
        if not self.room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))
        self.room -= 1
        super().log_sending(caller, slug)
