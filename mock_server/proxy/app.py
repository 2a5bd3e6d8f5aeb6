"""The validating proxy as a WSGI app: it forwards to a deployment and checks both directions."""

import itertools
import logging
import math
import secrets
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from flask import Flask
from werkzeug.wsgi import get_input_stream

from mock_server.admin.api import register_journal
from mock_server.admin.pages import register_pages
from mock_server.app.options import MAX_BODY_BYTES
from mock_server.contract import loader, resources
from mock_server.contract.model import STAGES, Contract, Operation, Violation
from mock_server.pipeline.mock import RULES_IN_CODE
from mock_server.proxy.checks import check_request, check_response
from mock_server.proxy.exchange import (
    ExchangeLogger,
    ProxyExchange,
    RequestBody,
    StreamedBody,
    redact_violations,
)
from mock_server.proxy.headers import (
    REPORT_HEADER,
    HeaderFields,
    format_report,
    forward_headers,
    header_values,
    without_headers,
)
from mock_server.proxy.upstream import Target, Upstream, UpstreamError, UpstreamResponse
from mock_server.proxy.verifier import RESPONSE_RULES, Verifier
from mock_server.validation.callers import load_callers
from mock_server.validation.request import Request
from mock_server.web import responses
from mock_server.web.journal import MAX_STORED_BODY, Journal
from mock_server.web.middleware import CONTROL_PREFIX, RequestMiddleware, check_host
from mock_server.web.redaction import Redactor
from mock_server.web.responses import Response
from mock_server.web.wsgi import FRONT_PROBLEM, HEADER_FIELDS, Environ, StartResponse, request_headers

#: A response is buffered until it is whole, has this many bytes or takes too long, since the report is a header.
BUFFER_LIMIT = 64 * 1024
_BODILESS_STATUSES = (204, 304)


@dataclass(frozen=True, slots=True)
class ProxyOptions:
    """The options of a proxy to the API at the base URL `upstream`.

    With `callers`, the rules that depend on the caller are checked. `enforce` refuses what breaks a rule, with
    `strict` an assumed rule too. `timeout` is in seconds; `log` takes one line per request. `hosts` are registered
    names under which the page may be reached.
    """

    upstream: str
    callers: Path | None = None
    spec: Path | None = None
    disabled_rules: frozenset[str] | set[str] = frozenset()
    enforce: bool = False
    strict: bool = False
    timeout: float = 30
    control: bool = True
    hosts: frozenset[str] = frozenset()
    log: Callable[[str], object] | None = None


def create_proxy(options: ProxyOptions | str, **changes: Any) -> "Proxy":
    """Return the WSGI app of a proxy; `options` may be the upstream alone, and `changes` are fields of ProxyOptions.

    ValueError or UnusableFileError names an invalid option.
    """
    options = replace(ProxyOptions(options) if isinstance(options, str) else options, **changes)
    if not 0 < options.timeout < math.inf:
        raise ValueError(f"--timeout: got {options.timeout}, expected a number of seconds above 0")
    spec = options.spec or resources.find_resource("spec/openapi.yaml")
    loaded = loader.load_contract(spec, frozenset(options.disabled_rules), frozenset(RULES_IN_CODE))
    contract = replace(loaded, rules={**loaded.rules, **RESPONSE_RULES})
    callers = load_callers(options.callers) if options.callers else None
    redactor = Redactor(callers.callers if callers else ())
    journal = Journal(redactor)
    upstream = Upstream(options.upstream, options.timeout)
    pages = _build_pages(contract, journal, redactor, upstream.url, options) if options.control else None
    exchange_logger = ExchangeLogger(journal, redactor, options.log)
    verifier = Verifier(contract, callers, MAX_BODY_BYTES)
    return Proxy(options, upstream, verifier, exchange_logger, redactor, pages)


def _build_pages(
    contract: Contract,
    journal: Journal,
    redactor: Redactor,
    upstream: str,
    options: ProxyOptions,
) -> Flask:
    """Return the app of the proxy's own pages, journal and health."""
    app = Flask("mock_server", static_folder=None, template_folder=None)
    app.url_map.merge_slashes = False
    register_journal(app, contract, journal)
    register_pages(app, journal, (contract,), title=f"proxy of {upstream}")
    middleware = RequestMiddleware(
        app.wsgi_app, journal, redactor, MAX_BODY_BYTES, False, options.log, options.hosts
    )
    app.wsgi_app = middleware  # type: ignore[method-assign]
    return app


class Proxy:
    """The WSGI app. It keeps nothing of a request outside the journal."""

    def __init__(
        self,
        options: ProxyOptions,
        upstream: Upstream,
        verifier: Verifier,
        exchange_logger: ExchangeLogger,
        redactor: Redactor,
        pages: Flask | None,
    ) -> None:
        self._options, self._upstream, self._verifier = options, upstream, verifier
        self._exchange_logger, self._redactor, self._pages = exchange_logger, redactor, pages
        self._name = f"mock-server-{secrets.token_hex(4)}"

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request with the response of the upstream or with a problem document."""
        if self._pages is not None and _is_own_page(self._pages, environ):
            return self._pages(environ, start_response)
        exchange = self._start_exchange(environ)
        try:
            # The upstream may be a mock, whose own check sees the Host that the proxy gives.
            problem = environ.get(FRONT_PROBLEM) or check_host(environ, self._options.hosts)
            if problem is not None:
                return self._send_own(exchange, problem, start_response)
            return self._check_and_forward(exchange, start_response)
        except UpstreamError as error:
            failure = responses.problem_response(error.status, str(error))
        except Exception as error:
            # The text of an exception may repeat values of the request; its traceback does not.
            places = "".join(traceback.format_tb(error.__traceback__))
            text = f"the proxy failed: {type(error).__name__}\n{places}"
            logging.getLogger(__name__).error(text)  # noqa: TRY400 - see above
            failure = responses.problem_response(
                500, "the proxy failed; its log says where: please report it"
            )
        return self._send_own(exchange, failure, start_response)

    def _start_exchange(self, environ: Environ) -> ProxyExchange:
        fields: HeaderFields = environ.get(HEADER_FIELDS) or list(request_headers(environ).items())
        uri = environ.get("RAW_URI") or environ.get("REQUEST_URI") or environ["PATH_INFO"]
        target = self._upstream.target(uri)
        exchange = ProxyExchange(environ, fields, target, RequestBody(get_input_stream(environ)))
        for operation in self._verifier.contract.operations:
            path_values = _match_path(operation, environ["REQUEST_METHOD"], target)
            if path_values is not None:
                exchange.operation = operation
                exchange.request = Request(request_headers(environ), b"", 0, path_values)
        return exchange

    def _check_and_forward(self, exchange: ProxyExchange, start_response: StartResponse) -> Iterable[bytes]:
        if any(self._name in via for via in header_values(exchange.fields, "via")):
            raise UpstreamError(508, "the upstream forwards to this proxy; give --upstream another URL")
        if exchange.environ["REQUEST_METHOD"] == "CONNECT":
            raise UpstreamError(501, "CONNECT: got a request for a tunnel, expected another method")
        check_request(self._verifier, exchange)
        refused = [violation for violation in exchange.violations if self._enforces(violation)]
        if refused:
            violations = self._redact(exchange, _first_stage(refused))
            return self._send_own(exchange, responses.refusal_response(violations), start_response)
        version = exchange.environ["SERVER_PROTOCOL"].removeprefix("HTTP/")
        fields = without_headers(forward_headers(exchange.fields, version, self._name), "host")
        body = exchange.body.to_send(header_values(fields, "content-length"))
        method = exchange.environ["REQUEST_METHOD"]
        upstream_response = self._upstream.send(method, exchange.target, fields, body)
        try:
            return self._return_response(exchange, upstream_response, start_response)
        except BaseException:
            upstream_response.close()
            raise

    def _return_response(
        self, exchange: ProxyExchange, upstream_response: UpstreamResponse, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Return the response as it comes, with a report if it is one of the contract, or refuse it."""
        fields = forward_headers(upstream_response.fields, upstream_response.version, self._name)
        parts, whole = upstream_response.iter_body(), False
        if exchange.operation is not None:
            buffered, whole = _buffer_parts(parts, self._options.timeout)
            body = b"".join(part for part in buffered if isinstance(part, bytes))
            violations = check_response(self._verifier, exchange, upstream_response, body if whole else None)
            refused = [violation for violation in violations if self._enforces(violation)]
            if refused:
                upstream_response.close()
                reason = "the response of the upstream breaks the contract and is held back"
                problem = responses.problem_response(502, reason, self._redact(exchange, refused))
                return self._send_own(exchange, problem, start_response)
            report = (REPORT_HEADER, format_report(exchange.violations))
            fields = [*without_headers(fields, REPORT_HEADER.lower()), report]
            parts = _chain_parts(buffered, parts)
        exchange.status, exchange.response_fields = upstream_response.status, fields
        start_response(f"{upstream_response.status} {upstream_response.reason}", fields)
        bodiless = exchange.environ["REQUEST_METHOD"] == "HEAD" or exchange.status in _BODILESS_STATUSES
        if whole or bodiless:
            body = b"".join(part for part in parts if isinstance(part, bytes))
            upstream_response.close()
            self._exchange_logger.record(exchange, body)
            return [body]
        kept = MAX_STORED_BODY if exchange.operation is None else MAX_BODY_BYTES + 1
        return StreamedBody(
            parts, kept, lambda body, whole: self._end_stream(exchange, upstream_response, body, whole)
        )

    def _end_stream(
        self, exchange: ProxyExchange, upstream_response: UpstreamResponse, body: bytes, whole: bool
    ) -> None:
        """Check and record a streamed response once it has ended."""
        upstream_response.close()
        if whole:
            check_response(self._verifier, exchange, upstream_response, body)
        self._exchange_logger.record(exchange, body, whole=whole)

    def _send_own(
        self, exchange: ProxyExchange, response: Response, start_response: StartResponse
    ) -> list[bytes]:
        """Send a response of the proxy itself."""
        fields = responses.response_headers(response)
        if exchange.operation is not None:
            fields.append((REPORT_HEADER, format_report(exchange.violations)))
        exchange.status, exchange.response_fields = response.status, fields
        start_response(f"{response.status} {responses.reason_phrase(response.status)}", fields)
        self._exchange_logger.record(exchange, response.body)
        return [response.body]

    def _enforces(self, violation: Violation) -> bool:
        return self._options.enforce and (self._options.strict or violation.rule.grade != "assumed")

    def _redact(self, exchange: ProxyExchange, violations: list[Violation]) -> tuple[Violation, ...]:
        return redact_violations(exchange, violations, self._redactor)


def _is_own_page(pages: Flask, environ: Environ) -> bool:
    """Return whether the proxy has a page of that path and method; every other path is the upstream's."""
    path: str = environ["PATH_INFO"]
    return path.startswith(CONTROL_PREFIX) and pages.url_map.bind("").test(path, environ["REQUEST_METHOD"])


def _match_path(operation: Operation, method: str, target: Target) -> dict[str, str] | None:
    """Return the path parameters of an operation, None if the request is for another operation."""
    template = operation.path.split("/")[1:]
    if method != operation.method or target.segments is None or len(template) != len(target.segments):
        return None
    path_values: dict[str, str] = {}
    for part, segment in zip(template, target.segments, strict=True):
        if part.startswith("{") and segment:
            path_values[part[1:-1]] = segment
        elif part != segment:
            return None
    return path_values


def _first_stage(violations: list[Violation]) -> list[Violation]:
    """Return the violations of the first stage that has any, for which the mock would refuse."""
    stage = min(STAGES.index(violation.rule.stage) for violation in violations)
    return [violation for violation in violations if violation.rule.stage == STAGES[stage]]


def _buffer_parts(parts: Iterator[bytes], seconds: float) -> tuple[list[bytes | UpstreamError], bool]:
    """Return the first parts of a body, up to a size and a time or its error, and whether they are the whole."""
    buffered: list[bytes | UpstreamError] = []
    size, deadline = 0, time.monotonic() + seconds
    try:
        for part in parts:
            buffered.append(part)
            size += len(part)
            if size > BUFFER_LIMIT or time.monotonic() > deadline:
                return buffered, False
    except UpstreamError as error:
        return [*buffered, error], False
    return buffered, True


def _chain_parts(buffered: list[bytes | UpstreamError], parts: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the buffered parts and those that follow; raise a buffered error in its place."""
    for part in itertools.chain(buffered, parts):
        if isinstance(part, UpstreamError):
            raise part
        yield part
