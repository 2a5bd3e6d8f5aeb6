"""The export that ``--otel`` asks for, or one line that says why it cannot start."""

import logging
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contract_tests.execution.sending.spans import SpanExport

#: Variables with which a plugin makes the session of the exporter.
_CREDENTIAL_PROVIDERS = (
    "OTEL_PYTHON_EXPORTER_OTLP_HTTP_CREDENTIAL_PROVIDER",
    "OTEL_PYTHON_EXPORTER_OTLP_HTTP_TRACES_CREDENTIAL_PROVIDER",
)
_INSTALL = "pip install 'cyberun-contract-kit[otel]' (from a checkout: -e '.[otel]')"


def open_span_export(*, traced: bool) -> "SpanExport":
    """Return an export to the collector that the ``OTEL_*`` variables name; raise ValueError if it cannot start."""
    if not traced:
        raise ValueError("--otel: its spans have the ids of the header traceparent; add --traceparent")
    # The SDK logs a failed export with a traceback, and a malformed variable with its value, some on its import.
    logging.getLogger("opentelemetry").addHandler(logging.NullHandler())
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        from contract_tests.execution.sending.collector import open_bounded_session
        from contract_tests.execution.sending.spans import SpanExport

        own = any(os.environ.get(name) for name in _CREDENTIAL_PROVIDERS)
        return SpanExport(OTLPSpanExporter(session=None if own else open_bounded_session()))
    except ImportError:
        raise ValueError(f"--otel: the OpenTelemetry SDK is not installed; {_INSTALL}") from None
    except Exception as error:  # its text may quote a variable that holds a secret
        reason = type(error).__name__
        raise ValueError(f"--otel: the SDK did not start ({reason}); check the OTEL_* variables") from None
