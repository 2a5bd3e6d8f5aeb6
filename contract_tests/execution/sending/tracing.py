"""Correlation: headers by which the logs and traces of a target name the case that sent a request.

The steps of a case share a trace id (W3C Trace Context), and each request has a span id of its own.
"""

import secrets
from urllib.parse import quote

from contract_tests.cases.model import Step
from contract_tests.targets.base import Request
from contract_tests.targets.exchange import TRACE_HEADERS

_MAX_CASE_ID = 200


def create_trace_id() -> str:
    """Return a new trace id, 32 hexadecimal digits that are not all zero."""
    return secrets.token_hex(15) + "01"


def create_span_id() -> str:
    """Return a new span id, 16 hexadecimal digits that are not all zero."""
    return secrets.token_hex(7) + "01"


def has_tested_headers(step: Step) -> bool:
    """Return whether the headers of a step are under test, so that none may be added."""
    return bool(step.headers)


def add_trace(request: Request, trace_id: str, span_id: str, case_id: str) -> Request:
    """Return the request with the headers that name its trace, its span and its case."""
    values = (f"00-{trace_id}-{span_id}-01", quote(case_id, safe="/:=+,;@ ")[:_MAX_CASE_ID])
    added = tuple((name, value) for name, value in zip(TRACE_HEADERS, values, strict=True) if value)
    return Request(request.method, request.path, (*request.headers, *added), request.body)
