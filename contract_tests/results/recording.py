"""Recorded traffic: the requests and responses of a HAR file, judged without sending anything.

A refusal may depend on the caller or on the stored state, which a recording does not show. So a refusal proves
its rule only if the body alone breaks one. A refused valid request is inconclusive, and the rules about callers,
teams and state are not observed.
"""

import base64
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from contract_tests.cases.model import Case, Expect, Step
from contract_tests.contract.rules import Catalogue
from contract_tests.contract.spec import Operation, Spec
from contract_tests.generation.oracle import predict
from contract_tests.generation.schema_view import list_write_operations
from contract_tests.results.judge import SUCCESS_RULES, Judgement, judge_response, read_id
from contract_tests.results.observation import Observation
from contract_tests.targets.base import Request, Response
from contract_tests.targets.exchange import Redactor

_AUTHORIZATION = re.compile(r"^\s*\S+\s+(\S+)\s*$")


def load_recording(path: Path) -> list[Mapping[str, Any]]:
    """Return the entries of a HAR file; raise ValueError if the file is unusable."""
    try:
        entries = json.loads(path.read_text("utf-8-sig"))["log"]["entries"]
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise ValueError(f"{path} is not a HAR file: it has no log.entries") from None
    if not isinstance(entries, list) or not all(isinstance(e, dict) and "request" in e for e in entries):
        raise ValueError(f"{path} is not a HAR file: each of log.entries needs a request")
    return entries


def judge_recording(entries: list[Mapping[str, Any]], spec: Spec, catalogue: Catalogue) -> list[Observation]:
    """Judge every recorded call of the two operations, in the order of the recording."""
    redactor = Redactor(set(_find_tokens(entries)))
    service_types: dict[str, str] = {}
    observations = []
    for number, entry in enumerate(entries, 1):
        match = _match_operation(entry, spec)
        if match is not None:
            call = _read_call(number, entry, match)
            observations.append(_judge_call(call, service_types, redactor, catalogue))
    return observations


@dataclass(frozen=True, slots=True)
class _RecordedCall:
    """One call of an operation; ``service`` is the id in its path, None for a create."""

    number: int
    operation: Operation
    service: str | None
    request: Request
    response: Response


def _read_call(number: int, entry: Mapping[str, Any], match: tuple[Operation, str | None]) -> _RecordedCall:
    return _RecordedCall(number, *match, _read_request(entry), _read_response(entry))


def _judge_call(
    call: _RecordedCall, service_types: dict[str, str], redactor: Redactor, catalogue: Catalogue
) -> Observation:
    operation, service, response = call.operation, call.service, call.response
    stored_type = service_types.get(service or "", "external")
    rule, expect, body = _predict_call(operation, call.request, stored_type)
    step = Step(operation.id, body=body, service=service or "service", expect=expect)  # type: ignore[arg-type]
    case = Case(f"recorded/{call.number}", rule, "wire", (step,))
    exchange = redactor.record_exchange("recorded", "", call.request, redactor.redact_response(response))
    if response.status == 0:
        judgement = Judgement("inconclusive", rule, "the recording has no response")
        return Observation(case, judgement, (exchange,))
    judgement = judge_response(catalogue[rule], expect, operation.id, response, service)
    if judgement.outcome == "violated" and judgement.reaction == "refused":
        judgement = Judgement("inconclusive", rule, "refused, perhaps because of the caller or the stored state",
                              judgement.received, judgement.expected, "refused")  # fmt: skip
    identifier = read_id(response)
    if operation.id == "createContainer" and identifier and isinstance(body, dict):
        service_types[identifier] = str(body.get("service_type") or "deployed")
    return Observation(case, judgement, (exchange,))


def _predict_call(operation: Operation, request: Request, stored_type: str) -> tuple[str, Expect, Any]:
    """Return the rule in question, the expectation, and the body as a JSON value."""
    try:
        body = json.loads(request.body or b"")
    except (ValueError, RecursionError):
        empty = not request.body and operation.id == "updateContainer"
        return "body-json", "open" if empty else "refuse", None
    prediction = predict(operation.id, body, stored_type)
    broken = prediction.broken_rules
    return min(broken) if broken else SUCCESS_RULES[operation.id], prediction.expect, body


def _match_operation(entry: Mapping[str, Any], spec: Spec) -> tuple[Operation, str | None] | None:
    path = urlsplit(str(entry["request"].get("url", ""))).path
    for operation in list_write_operations(spec):
        head, parameter, _ = operation.path.partition("{")
        pattern = re.escape(head) + ("([^/]+)" if parameter else "") + "$"
        found = re.search(pattern, path)
        if found and entry["request"].get("method", "").upper() == operation.method:
            return operation, unquote(found[1]) if parameter else None
    return None


def _read_request(entry: Mapping[str, Any]) -> Request:
    request = entry["request"]
    data = request.get("postData") or {}
    text = data.get("text")
    body = None if text is None else _decode_text(text, data.get("encoding"))
    return Request(str(request.get("method", "")), str(request.get("url", "")), _read_headers(request), body)


def _read_response(entry: Mapping[str, Any]) -> Response:
    response = entry.get("response") or {}
    content = response.get("content") or {}
    seconds = max(0.0, float(entry.get("time") or 0)) / 1000
    body = _decode_text(content.get("text") or "", content.get("encoding"))
    return Response(int(response.get("status") or 0), _read_headers(response), body, seconds)


def _decode_text(text: str, encoding: str | None) -> bytes:
    try:
        return base64.b64decode(text) if encoding == "base64" else text.encode("utf-8", "surrogatepass")
    except ValueError:
        return text.encode("utf-8", "replace")


def _read_headers(message: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple((str(h.get("name", "")), str(h.get("value", ""))) for h in message.get("headers") or ())


def _find_tokens(entries: list[Mapping[str, Any]]) -> Iterator[str]:
    for entry in entries:
        for name, value in _read_headers(entry["request"]):
            match = _AUTHORIZATION.match(value)
            if name.lower() == "authorization" and match and not match[1].startswith("$"):
                yield match[1]
