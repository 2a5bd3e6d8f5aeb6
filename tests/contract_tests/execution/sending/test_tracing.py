"""Headers that name the trace and the case of a request."""

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import pytest

from contract_tests.cases.model import Step
from contract_tests.cases.tables import load_fixture_cases
from contract_tests.contract.rules import load_catalogue
from contract_tests.execution.executor import Executor
from contract_tests.execution.factory import ExecutorOptions, open_executor
from contract_tests.execution.sending.tracing import add_trace
from contract_tests.results.verdict import Report
from contract_tests.runs.options import RunOptions
from contract_tests.runs.run import Run
from contract_tests.targets.base import Request
from contract_tests.targets.wsgi import WsgiTarget
from mock_server import create_app

CASES = load_fixture_cases(load_catalogue())
TRACE = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-01")


def open_recording(*, traced: bool, **options: Any) -> tuple[Executor, list[dict[str, str]]]:
    """Return an executor for a mock, and the headers of interest of each request that the mock gets."""
    app, seen = create_app(**options), []

    def record(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        names = {
            "HTTP_TRACEPARENT": "trace",
            "HTTP_CONTRACT_CASE": "case",
            "HTTP_ACCEPT_LANGUAGE": "language",
        }
        seen.append({name: environ[key] for key, name in names.items() if key in environ})
        return app(environ, start)

    return open_executor(WsgiTarget(record), options=ExecutorOptions(traced=traced)), seen


def run_cases(executor: Executor) -> Report:
    """Run the layers with single requests and scenarios."""
    return Run(executor, RunOptions("mock", layers=("cases", "wire", "lifecycle"))).execute()


def test_the_requests_of_a_case_share_a_trace_and_name_it() -> None:
    """Each request of a scenario has one trace id, a span id of its own, and the id of the case."""
    executor, seen = open_recording(traced=True)
    case = next(case for case in CASES if case.layer == "lifecycle" and len(case.steps) > 2)
    executor.run_case(case)
    named = [headers for headers in seen if headers.get("case") == case.id]
    assert len(named) == len([step for step in case.steps if not step.headers]) >= 2
    assert all(TRACE.fullmatch(headers["trace"]) for headers in named)
    assert len({headers["trace"][3:35] for headers in named}) == 1
    assert len({headers["trace"][36:52] for headers in named}) == len(named)


def test_headers_under_test_are_left_as_they_are() -> None:
    """A request whose case sets headers gets none."""
    executor, seen = open_recording(traced=True)
    case = next(case for case in CASES if case.id == "form-further-headers")
    executor.run_case(case)
    tested = [headers for headers in seen if "language" in headers]
    assert [sorted(headers) for headers in tested] == [["language"]]


@pytest.mark.slow
def test_tracing_changes_no_verdict() -> None:
    """Verdicts and findings of a faulty target are the same with and without; without, no header is added."""
    found: dict[bool, Any] = {}
    for traced in (True, False):
        executor, seen = open_recording(traced=traced, disabled_rules={"slug-unique", "exposed-port-range"})
        report = run_cases(executor)
        found[traced] = {row.rule.id: row.verdict for row in report.verdicts}, {f.id for f in report.findings}
        assert any("case" in headers for headers in seen) is traced
    assert found[True] == found[False]
    assert set(found[True][1])


def test_a_finding_names_its_trace() -> None:
    """The finding has the trace id that the target got; its commands show it, and do not send it again."""
    executor, seen = open_recording(traced=True, disabled_rules={"exposed-port-range"})
    options = RunOptions("mock", layers=("cases",), rules=frozenset({"exposed-port-range"}))
    finding = Run(executor, options).execute().findings[0]
    traces = defaultdict(list)
    for headers in seen:
        traces[headers.get("trace", "")[3:35]].append(headers.get("case"))
    assert set(traces[finding.trace_id]) == {finding.case.id}
    assert finding.to_json()["exchanges"][-1]["trace_id"] == finding.trace_id
    first, *commands = finding.curl_commands.splitlines()
    assert first == f"# seen with trace id {finding.trace_id}"
    assert "traceparent" not in "".join(commands)


def test_a_case_id_is_a_valid_header() -> None:
    """Characters beyond ASCII and line breaks are escaped; a long id is cut; without an id there is no header."""
    request = Request("POST", "/containers")
    headers = dict(add_trace(request, "a" * 32, "b" * 16, "rule/ä\n" + "x" * 500).headers)
    assert headers["Contract-Case"].startswith("rule/%C3%A4%0Axxx")
    assert len(headers["Contract-Case"]) == 200
    assert [name for name, _ in add_trace(request, "a" * 32, "b" * 16, "").headers] == ["traceparent"]


def test_a_step_without_headers_of_its_own_is_traced() -> None:
    """What is recorded says whether the request had a trace."""
    executor, _ = open_recording(traced=True)
    context = executor.open_context()
    executor.sender.send_step(context, Step(body=executor.controls.bodies["deployed"]))
    executor.sender.send_step(context, Step(headers=(("Authorization", None),), expect="refuse"))
    assert [exchange.trace_id for exchange in context.exchanges] == [context.trace_id, ""]
