"""The recorder blames nothing that was not compared."""

import pytest

from contract_tests.cases.model import Case, Step
from contract_tests.execution.factory import ExecutorOptions, open_executor
from contract_tests.generation.rounds import relabel_case
from contract_tests.results.verdict import Report
from contract_tests.runs import recorder
from contract_tests.runs.checkpoint import RunState
from contract_tests.runs.options import RunOptions
from contract_tests.runs.run import Run
from contract_tests.targets.wsgi import WsgiTarget
from mock_server import create_app
from tests.support.gate.gate import describe_findings, spec, violated_rules
from tests.support.gate.messages import Request, Response, Send
from tests.support.gate.planting import add_interceptor, refuses


def judge_strict() -> Report:
    """Return the report on a target that refuses ten replicas wherever they are sent."""
    app = add_interceptor(create_app(), refuses("", "replica_count", lambda value: value == 10))
    executor = open_executor(WsgiTarget(app), options=ExecutorOptions(spec=spec()))
    return Run(executor, RunOptions(layers=("lifecycle", "properties"), min_judged=0)).execute()


@pytest.mark.slow
def test_violations_beyond_the_limit_blame_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refusals of whole requests that are too many to be compared are inconclusive, not violations."""
    monkeypatch.setattr(recorder, "_MAX_PENDING", 1)
    report = judge_strict()
    assert violated_rules(report) <= {"replica-count-range"}, describe_findings(report)
    reasons = {row.rule.id: row.reason for row in report.verdicts if row.verdict == "inconclusive"}
    assert "not compared with an accepted request" in reasons["created"]


def test_a_server_error_that_was_shrunk_before_is_put_down_to_no_other_rule() -> None:
    """A random body that was not shrunk, and got the same server error, says nothing of the rule that it breaks."""

    def crash(request: Request, send: Send) -> Response:
        return Response(500) if b"usage_prompt" in request.raw else send(request)

    executor = open_executor(
        WsgiTarget(add_interceptor(create_app(), crash)), options=ExecutorOptions(spec=spec())
    )
    record = recorder.Recorder(
        executor, RunState("wsgi:crashing", ""), lambda _state: None, None, resumed=False
    )
    body = {"service_slug": "a-slug", "display_name": "d", "docker_image": "n", "usage_prompt": "p"}
    valid, wrong = (
        relabel_case(
            Case("property/crash", "created", "properties", (Step(service="shared:deployed"),)), body | change
        )
        for change in ({}, {"display_name": 1})
    )
    record.add(executor.run_case(valid))
    record.shrink_pending()
    record.add(executor.run_case(wrong))
    record.flush_pending()
    assert [kind[0] for kind in record.state.pending.deviations] == ["usage-prompt-type"]
