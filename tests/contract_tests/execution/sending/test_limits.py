"""Budgets: a run never makes more services than its limit, whatever the target accepts."""

import json
import threading
from collections.abc import Iterable
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from contract_tests.execution.factory import ExecutorOptions, open_executor
from contract_tests.execution.preflight.plain_creates import CannotJudge
from contract_tests.results.verdict import Report
from contract_tests.runs.options import RunOptions
from contract_tests.runs.run import Run
from contract_tests.targets.base import Request, Response
from contract_tests.targets.http import HttpTarget
from contract_tests.targets.wsgi import WsgiTarget
from mock_server import create_app
from tests.support.clients import serving


class LenientApp:
    """A server that accepts every request, and counts the services that exist."""

    def __init__(self) -> None:
        self.services = 0
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer a request with a new id."""
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        with self._lock:
            self.services += environ["REQUEST_METHOD"] == "POST"
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps({"id": str(uuid4())}).encode()]


def judge(target: Any, max_created: int) -> Report:
    """Return the report of the gate's deterministic layers."""
    executor = open_executor(target, options=ExecutorOptions(max_created=max_created))
    return Run(executor, RunOptions(layers=("cases", "wire", "lifecycle", "race"))).execute()


@pytest.mark.parametrize("limit", [8, 40])
@pytest.mark.slow
def test_no_service_is_created_beyond_the_limit(limit: int) -> None:
    """A target that accepts what it must refuse has at most `--max-created` services at the end."""
    app = LenientApp()
    judge(WsgiTarget(app), limit)
    assert app.services == limit


@pytest.mark.slow
def test_the_limit_holds_for_concurrent_requests() -> None:
    """Requests on their way count, so that several connections do not pass the limit together."""
    app = LenientApp()
    with serving(app) as port:
        judge(HttpTarget(f"http://127.0.0.1:{port}/api/v1"), 30)
    assert app.services == 30


class LosingTarget(WsgiTarget):
    """A connection that loses the first response to each create, so that the request is sent again."""

    def __init__(self) -> None:
        super().__init__(create_app())
        self.services = 0

    def send(self, request: Request) -> Response:
        """Send a create twice; the second one finds its slug taken if the first one was stored."""
        sent = [super(LosingTarget, self).send(request) for _ in range(1 + (request.method == "POST"))]
        self.services += any(200 <= one.status < 300 and request.method == "POST" for one in sent)
        return replace(sent[-1], resent=len(sent) > 1)


def test_a_create_that_was_stored_before_it_was_refused_counts() -> None:
    """A create whose response was lost, and which finds its slug taken when it is sent again, is one service."""
    target = LosingTarget()
    executor = open_executor(target, options=ExecutorOptions(max_created=5))
    with pytest.raises(CannotJudge, match="--max-created is reached"):
        Run(executor, RunOptions()).execute()
    assert 0 < target.services <= 5
