"""Budgets: a run never makes more services than its limit, whatever the target accepts."""

import json
import threading
from collections.abc import Iterable
from typing import Any
from uuid import uuid4

import pytest

from contract_tests.execution.factory import ExecutorOptions, open_executor
from contract_tests.results.verdict import Report
from contract_tests.runs.options import RunOptions
from contract_tests.runs.run import Run
from contract_tests.targets.http import HttpTarget
from contract_tests.targets.wsgi import WsgiTarget
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
