"""Requests as OpenTelemetry spans, in memory and at a collector on this machine."""

import re
import sys

import pytest
from click.testing import CliRunner, Result
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from contract_tests.cases.callers import load_callers
from contract_tests.cases.model import Step
from contract_tests.cases.tables import load_fixture_cases
from contract_tests.cli.main import build_command
from contract_tests.contract.resources import data_file
from contract_tests.contract.rules import load_catalogue
from contract_tests.execution.executor import Executor
from contract_tests.execution.factory import ExecutorOptions, open_executor
from contract_tests.execution.sending.spans import SpanExport
from contract_tests.targets.base import NoResponse, Response
from contract_tests.targets.wsgi import WsgiTarget
from mock_server import create_app
from tests.support.collector import collector

CASES = {case.id: case for case in load_fixture_cases(load_catalogue())}
RUN = [
    "run",
    "--target",
    "wsgi:mock_server:create_app",
    "--layers",
    "cases",
    "-k",
    "exposed-port-range",
    "--quiet",
]


def open_exporting() -> tuple[Executor, InMemorySpanExporter]:
    """Return an executor for a mock, and the memory to which its spans are exported."""
    executor = open_executor(WsgiTarget(create_app()), options=ExecutorOptions(traced=True))
    memory = InMemorySpanExporter()
    executor.sender.spans = SpanExport(memory)
    return executor, memory


def run_gate(*options: str, **environment: str) -> Result:
    """Run some cases of the gate against a mock in this process."""
    return CliRunner().invoke(build_command(), [*RUN, *options], env=environment)


def close(executor: Executor) -> str:
    """Export what is left, and return what the report would say about it."""
    assert executor.sender.spans is not None
    return executor.sender.spans.close()


def test_the_spans_of_a_case_have_the_ids_of_its_headers() -> None:
    """Each request is one client span, whose trace and span id are those of the traceparent that was sent."""
    executor, memory = open_exporting()
    executor.run_case(CASES["slug-again-after-an-update"])
    sent = [dict(exchange.headers)["traceparent"] for exchange in executor.sender.traffic]
    assert close(executor) == ""
    spans = memory.get_finished_spans()
    assert len(spans) >= 3
    assert {span.kind for span in spans} == {SpanKind.CLIENT}
    ids = [(span.context.trace_id, span.context.span_id) for span in spans if span.context]
    assert [f"00-{trace:032x}-{number:016x}-01" for trace, number in ids] == sent


def test_a_span_names_the_request_and_its_case() -> None:
    """It has method, route, status, rule and case, and nothing else; a refusal that is expected is no error."""
    executor, memory = open_exporting()
    executor.run_case(CASES["service-id-text"])
    close(executor)
    span = memory.get_finished_spans()[-1]
    assert dict(span.attributes or {}) == {
        "http.request.method": "PUT",
        "http.route": "/containers/{serviceId}",
        "http.response.status_code": 400,
        "contract.rule": CASES["service-id-text"].rule,
        "contract.case": "service-id-text",
    }
    assert (span.name, span.status.status_code) == ("PUT /containers/{serviceId}", StatusCode.UNSET)


def test_a_request_whose_headers_are_under_test_has_a_span() -> None:
    """It gets no traceparent, and its span belongs to the trace of its case."""
    executor, memory = open_exporting()
    context = executor.open_context()
    executor.sender.send_step(context, Step(headers=(("Authorization", None),), expect="refuse"))
    close(executor)
    (span,) = memory.get_finished_spans()
    assert "traceparent" not in dict(context.exchanges[-1].headers)
    assert f"{span.context.trace_id:032x}" == context.trace_id  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("response", "error"),
    [(Response(503, (), b"", 0.25), "503"), (NoResponse("timeout at sk-red", 0.25), "no_response")],
    ids=["503", "none"],
)
def test_a_failed_request_is_an_error(response: Response | NoResponse, error: str) -> None:
    """A 5xx and a lost response make an error without a text; the span lasts as long as the request."""
    executor, memory = open_exporting()
    context, operation = executor.open_context(), executor.sender.spec.operations["createContainer"]
    executor.sender.spans.record(context, "ab" * 8, operation, response)  # type: ignore[union-attr]
    close(executor)
    (span,) = memory.get_finished_spans()
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, None)
    assert (span.attributes or {})["error.type"] == error
    assert (span.end_time or 0) - (span.start_time or 0) == 250_000_000


@pytest.mark.slow
def test_the_collector_gets_every_request_and_no_token() -> None:
    """The standard variables name the collector and the service; no token, header or body is in what it gets."""
    with collector() as (address, bodies):
        result = run_gate(
            "--traceparent", "--otel", OTEL_EXPORTER_OTLP_ENDPOINT=address, OTEL_SERVICE_NAME="our-gate"
        )
    assert result.exit_code == 0, result.output
    parts = [part for body in bodies for part in ExportTraceServiceRequest.FromString(body).resource_spans]
    attributes = [pair for part in parts for pair in part.resource.attributes if pair.key == "service.name"]
    assert {pair.value.string_value for pair in attributes} == {"our-gate"}
    spans = [span for part in parts for scope in part.scope_spans for span in scope.spans]
    assert f"; {len(spans)} requests in" in result.output
    text = b"".join(bodies)
    tokens = [caller.token.encode() for caller in load_callers(data_file("fixtures/callers.yaml"))]
    assert [secret for secret in (*tokens, b"Bearer", b"docker_image", b"ck-") if secret in text] == []


@pytest.mark.slow
def test_a_run_survives_a_collector_that_is_down() -> None:
    """The verdict stays, and a note counts the spans that were not exported; nothing else is printed about it."""
    options = [option for option in RUN if option != "--quiet"]
    down = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_EXPORTER_OTLP_TIMEOUT": "1"}
    result = CliRunner().invoke(build_command(), [*options, "--traceparent", "--otel"], env=down)
    assert result.exit_code == 0, result.output
    (note,) = [line for line in result.output.splitlines() if "span" in line.lower()]
    assert re.search(r"\b([\d,]+) of \1 spans were not exported; check OTEL_EXPORTER_OTLP_ENDPOINT", note)
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("options", "variables", "advice"),
    [
        (["--otel"], {}, "add --traceparent"),
        (["--otel", "--traceparent"], {"OTEL_BSP_MAX_QUEUE_SIZE": "-1"}, "check the OTEL_* variables"),
    ],
    ids=["no header", "variable"],
)
def test_what_keeps_spans_from_export_is_one_line(
    options: list[str], variables: dict[str, str], advice: str
) -> None:
    """The line says what to do, and the exit code is 2."""
    result = run_gate(*options, **variables)
    assert (result.exit_code, result.output.count("\n")) == (2, 1)
    assert advice in result.output


@pytest.mark.slow
def test_without_the_extra_the_option_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """The line names the extra, and the exit code is 2; a run without the option needs no SDK."""
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    result = run_gate("--traceparent", "--otel")
    assert (result.exit_code, result.output.count("\n")) == (2, 1)
    assert "pip install 'cyberun-contract-kit[otel]'" in result.output
    assert run_gate("--traceparent").exit_code == 0
