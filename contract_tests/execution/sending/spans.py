"""Requests as OpenTelemetry client spans. Needs the extra ``otel``, so only ``--otel`` imports this module.

A span has the ids of the headers of its request, so that the spans of the target are its children. It never holds a
header, a body or the path as it was sent.
"""

import time
from collections.abc import Sequence
from threading import Lock

from opentelemetry.context import Context
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.trace import Span, SpanKind, StatusCode

from contract_tests.contract.resources import VERSION
from contract_tests.contract.spec import Operation
from contract_tests.execution.sending.context import CaseContext
from contract_tests.targets.base import NoResponse, Response

_NAME = "contract-tests"
_SERVER_ERROR = 500


class SpanExport:
    """Exports a span per request in the background; safe to use from several threads."""

    def __init__(self, exporter: SpanExporter) -> None:
        """Start the SDK, which reads the ``OTEL_*`` variables of batches, sampling, limits and the resource."""
        own = Resource.create({"service.name": _NAME, "service.version": VERSION})
        self._ids, self._exporter = _GivenIds(), _CountingExporter(exporter)
        self._provider = TracerProvider(
            resource=own.merge(OTELResourceDetector().detect()), id_generator=self._ids
        )
        self._provider.add_span_processor(BatchSpanProcessor(self._exporter))
        self._tracer = self._provider.get_tracer(_NAME, VERSION)
        self._sampled, self._lock = 0, Lock()

    def record(
        self, context: CaseContext, span_id: str, operation: Operation, response: Response | NoResponse
    ) -> None:
        """Export the span of a request whose response was just received."""
        ended = time.time_ns()
        span = self._start_span(context, span_id, operation, ended - int(response.seconds * 1e9))
        _add_outcome(span, response)
        span.end(ended)

    def close(self) -> str:
        """Export what is left; return one line that says how many spans were not exported, or an empty string."""
        self._exporter.closing = True
        self._provider.shutdown()
        lost = self._sampled - self._exporter.exported
        advice = "check OTEL_EXPORTER_OTLP_ENDPOINT and the collector"
        return f"{lost:,} of {self._sampled:,} spans were not exported; {advice}" if lost else ""

    def _start_span(self, context: CaseContext, span_id: str, operation: Operation, started: int) -> Span:
        attributes = {
            "http.request.method": operation.method,
            "http.route": operation.path,
            "contract.rule": context.rule,
            "contract.case": context.case_id,
        }
        with self._lock:
            self._ids.trace_id, self._ids.span_id = int(context.trace_id, 16), int(span_id, 16)
            span = self._tracer.start_span(
                f"{operation.method} {operation.path}",
                Context(),
                SpanKind.CLIENT,
                {name: value for name, value in attributes.items() if value},
                start_time=started,
            )
            self._sampled += span.get_span_context().trace_flags.sampled
        return span


def _add_outcome(span: Span, response: Response | NoResponse) -> None:
    """Add the status of the response; a refusal is no error, since many cases expect one."""
    if isinstance(response, Response):
        span.set_attribute("http.response.status_code", response.status)
    error = "no_response" if isinstance(response, NoResponse) else str(response.status)
    if isinstance(response, NoResponse) or response.status >= _SERVER_ERROR:
        span.set_attribute("error.type", error)
        span.set_status(StatusCode.ERROR)


class _GivenIds(IdGenerator):
    """Gives the SDK the ids of a request, which are set before its span starts."""

    trace_id = 0
    span_id = 0

    def generate_trace_id(self) -> int:
        return self.trace_id

    def generate_span_id(self) -> int:
        return self.span_id


class _CountingExporter(SpanExporter):
    """Counts the spans that another exporter has exported; once it is ``closing``, a failure is the last attempt."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter, self._failed = exporter, False
        self.exported, self.closing = 0, False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        if self.closing and self._failed:  # each attempt on a collector that is down takes ten seconds
            return SpanExportResult.FAILURE
        result = self._exporter.export(spans)
        self._failed = result is not SpanExportResult.SUCCESS
        self.exported += 0 if self._failed else len(spans)
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()
