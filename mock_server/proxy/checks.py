"""Checks of an exchange: its request and its response become violations."""

from mock_server.app.options import MAX_BODY_BYTES
from mock_server.contract.model import Violation
from mock_server.proxy.exchange import ProxyExchange
from mock_server.proxy.headers import header_values
from mock_server.proxy.upstream import UpstreamResponse, decode_body
from mock_server.proxy.verifier import ReceivedResponse, Verifier


def check_request(verifier: Verifier, exchange: ProxyExchange) -> None:
    """Check a request of the contract; the body of any other request is forwarded unread."""
    if exchange.operation is None or exchange.request is None:
        exchange.caller = verifier.caller_name(exchange.environ.get("HTTP_AUTHORIZATION"))
        if not _announces_body(exchange):
            exchange.body.read_start(0)
        return
    raw_body = exchange.body.read_start(MAX_BODY_BYTES)
    coding = ",".join(header_values(exchange.fields, "content-encoding"))
    decoded = decode_body(raw_body, coding, MAX_BODY_BYTES)
    body = raw_body if decoded is None else decoded
    exchange.request = exchange.request._replace(raw_body=body[:MAX_BODY_BYTES], body_size=len(body))
    exchange.caller, exchange.violations = verifier.check_request(
        exchange.operation, exchange.request, readable=decoded is not None
    )


def check_response(
    verifier: Verifier, exchange: ProxyExchange, upstream_response: UpstreamResponse, body: bytes | None
) -> list[Violation]:
    """Return the violations of a response, and add them to those of the exchange.

    `body` is None if the response is still on its way.
    """
    if exchange.operation is None or exchange.request is None:
        return []
    media_type, coding = (
        ",".join(header_values(upstream_response.fields, name))
        for name in ("content-type", "content-encoding")
    )
    decoded = None if body is None else decode_body(body, coding, MAX_BODY_BYTES)
    readable = None if decoded is None or len(decoded) > MAX_BODY_BYTES else decoded
    exchange.response_body = readable or b""
    received = ReceivedResponse(upstream_response.status, media_type, readable)
    known = set(map(_violation_key, exchange.violations))
    of_request = [v for v in exchange.violations if v.mismatch.location != "response"]
    found = verifier.check_response(exchange.operation, exchange.request, of_request, received)
    exchange.violations = exchange.violations + [v for v in found if _violation_key(v) not in known]
    return found


def _announces_body(exchange: ProxyExchange) -> bool:
    return bool({"content-length", "transfer-encoding"} & {name.lower() for name, _ in exchange.fields})


def _violation_key(violation: Violation) -> tuple[str, str, str]:
    return violation.rule.id, violation.mismatch.location, violation.mismatch.pointer
