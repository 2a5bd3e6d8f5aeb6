"""Late reads: a read-back that shows a write after a moment is right, and one that never does is not."""

from dataclasses import replace
from typing import Any

import pytest

from contract_tests.cases.model import Step
from contract_tests.execution.late_reads import LateReads
from contract_tests.results.judge import Judgement
from contract_tests.runs.options import RunOptions
from contract_tests.runs.run import Run
from mock_server import create_app
from tests.support.gate.gate import GATE, App, judge_app, open_app_executor, violated_rules
from tests.support.gate.messages import Request, Response, Send
from tests.support.gate.planting import add_interceptor

RULES = frozenset({"updated-stored", "update-keeps-omitted", "created-stored"})


def read_late(stale: int, **options: Any) -> App:
    """Return a mock whose read-back shows each change only after so many reads, as that of a replica."""
    shown: dict[str, Response] = {}
    reads: dict[str, int] = {}

    def intercept(request: Request, send: Send) -> Response:
        response = send(request)
        path = str(request.environ["PATH_INFO"])
        if request.environ["REQUEST_METHOD"] != "GET" or "/r/containers/" not in path:
            return response
        known = shown.setdefault(path, response)
        if known.value != response.value:
            reads[path] = reads.get(path, 0) + 1
            if reads[path] <= stale:
                return known
        shown[path], reads[path] = response, 0
        return response

    return add_interceptor(create_app(**options), intercept)


def test_a_late_read_back_breaks_no_rule() -> None:
    """What is shown a moment after the update is stored; a note says that it was late."""
    executor = open_app_executor(read_late(2))
    report = Run(executor, RunOptions(rules=RULES, layers=GATE)).execute()
    assert (violated_rules(report), executor.late_reads.count > 5) == (set(), True)
    assert any("only when it was read again" in note for note in report.notes)


@pytest.mark.parametrize("stale", [0, 2])
def test_a_lost_value_is_found(stale: int) -> None:
    """A value that stays wrong however often it is read is a violation, late or not."""

    def lose(request: Request, send: Send) -> Response:
        if (
            request.operation == "update"
            and isinstance(request.body, dict)
            and "service_desc" in request.body
        ):
            body = {name: value for name, value in request.body.items() if name != "service_desc"}
            return send(request.with_body(body))
        return send(request)

    report = judge_app(add_interceptor(read_late(stale), lose), rules=RULES)
    assert violated_rules(report) == {"updated-stored"}


def lose_in_creates(request: Request, send: Send) -> Response:
    """Store no ``service_desc`` of a create."""
    if request.operation == "create" and isinstance(request.body, dict) and "service_desc" in request.body:
        body = {name: value for name, value in request.body.items() if name != "service_desc"}
        return send(request.with_body(body))
    return send(request)


def test_a_read_back_that_fails_takes_no_wrong_value_back() -> None:
    """A wrong value whose further reads fail, as before a limit of reads, is a violation and not late."""
    reads: dict[str, int] = {}

    def fail_every_second(request: Request, send: Send) -> Response:
        response = send(request)
        path = str(request.environ["PATH_INFO"])
        if "/r/containers/" not in path or response.status != 200:
            return response
        reads[path] = reads.get(path, 0) + 1
        return response if reads[path] % 2 else replace(response, status=404)

    app = add_interceptor(create_app(), lose_in_creates)
    executor = open_app_executor(add_interceptor(app, fail_every_second))
    report = Run(executor, RunOptions(rules=RULES, layers=GATE)).execute()
    assert "created-stored" in violated_rules(report)
    assert executor.late_reads.count == 0


def test_a_lost_value_makes_no_late_one_wrong() -> None:
    """A value that stayed wrong ends the waits for this value alone; others are late still."""
    executor = open_app_executor(add_interceptor(read_late(2), lose_in_creates))
    late = executor.late_reads
    wrong = Judgement("violated", "created-stored", differences=(("service_desc", "absent", '"a"'),))
    other = Judgement("violated", "updated-stored", differences=(("gpu_count", "0", "1"),))
    assert [judge_in_turn(late, [wrong] * 9), judge_in_turn(late, [wrong] * 9)] == [5, 1]
    assert [judge_in_turn(late, [other, Judgement("passed", "updated-stored")]), late.count] == [2, 1]


def judge_in_turn(late: LateReads, judgements: list[Judgement]) -> int:
    """Return how many reads it takes to judge one step by these judgements."""
    executor = open_app_executor(create_app())
    turns = iter(judgements)
    context = executor.open_context()
    executor.sender.send_step(context, Step("createContainer", "red", body={}))
    late.judge(executor.sender, context, Step("createContainer", "red", body={}), lambda _: next(turns))
    return len(judgements) - len(list(turns))
