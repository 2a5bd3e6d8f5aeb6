"""Late reads: a read-back that shows a write after a moment is right, and one that never does is not."""

from typing import Any

import pytest

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
