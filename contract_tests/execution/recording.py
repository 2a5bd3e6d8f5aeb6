"""Recorded traffic: the requests and answers of a HAR file, judged without sending anything.

What a recording cannot show stays unsaid: whether a refusal was right depends on who called and on what was stored.
So a refused request proves its rule only where its body alone breaks one; a valid one that was refused is
inconclusive, and the rules of callers, teams and state are not observed.
"""

import base64
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from contract_tests.cases.model import Case, Expect, Step
from contract_tests.contract.rules import Catalogue
from contract_tests.contract.spec import Operation, Spec
from contract_tests.execution.executor import Result
from contract_tests.generation.oracle import opinion
from contract_tests.generation.schema_view import writing
from contract_tests.results.judge import ANSWER_RULES, Judgement, answered_id, judge
from contract_tests.targets.base import Reply, Request
from contract_tests.targets.exchange import Redactor

_AUTHORIZATION = re.compile(r"^\s*\S+\s+(\S+)\s*$")


def load_recording(path: Path) -> list[Mapping[str, Any]]:
    """Read the entries of a HAR file; ValueError says what is wrong with it."""
    try:
        entries = json.loads(path.read_text("utf-8-sig"))["log"]["entries"]
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise ValueError(f"{path} is not a HAR file: it has no log.entries") from None
    if not isinstance(entries, list) or not all(isinstance(e, dict) and "request" in e for e in entries):
        raise ValueError(f"{path} is not a HAR file: each of log.entries needs a request")
    return entries


def judged(entries: list[Mapping[str, Any]], spec: Spec, catalogue: Catalogue) -> list[Result]:
    """Judge every recorded call of the two operations, in the order of the recording."""
    redactor = Redactor(set(_tokens(entries)))
    types: dict[str, str] = {}
    results = []
    for number, entry in enumerate(entries, 1):
        match = _operation(entry, spec)
        if match is not None:
            results.append(_judged(number, entry, match, types, redactor, catalogue))
    return results


def _judged(
    number: int,
    entry: Mapping[str, Any],
    match: tuple[Operation, str | None],
    types: dict[str, str],
    redactor: Redactor,
    catalogue: Catalogue,
) -> Result:
    operation, service = match
    request, reply = _request(entry), _reply(entry)
    rule, expect, body = _expected(operation, request, types.get(service or "", "external"))
    step = Step(operation.id, body=body, service=service or "service", expect=expect)  # type: ignore[arg-type]
    case = Case(f"recorded/{number}", rule, "wire", (step,))
    kept = redactor.exchange("recorded", "", request, redactor.reply(reply))
    if reply.status == 0:
        return Result(case, Judgement("inconclusive", rule, "the recording has no answer"), (kept,))
    judgement = judge(catalogue[rule], expect, operation.id, reply, service)
    if judgement.outcome == "violated" and judgement.answer == "refused":
        judgement = Judgement("inconclusive", rule, "refused, perhaps for who called or what was stored",
                              judgement.received, judgement.expected, "refused")  # fmt: skip
    identifier = answered_id(reply)
    if operation.id == "createContainer" and identifier and isinstance(body, dict):
        types[identifier] = str(body.get("service_type") or "deployed")
    return Result(case, judgement, (kept,))


def _expected(operation: Operation, request: Request, stored: str) -> tuple[str, Expect, Any]:
    """Return the rule that speaks, what is expected, and the body as a value."""
    try:
        body = json.loads(request.body or b"")
    except (ValueError, RecursionError):
        empty = not request.body and operation.id == "updateContainer"
        return "body-json", "open" if empty else "refuse", None
    said = opinion(operation.id, body, stored)
    rule = min(said.broken) if said.broken else ANSWER_RULES[operation.id]
    return rule, said.expect, body


def _operation(entry: Mapping[str, Any], spec: Spec) -> tuple[Operation, str | None] | None:
    path = urlsplit(str(entry["request"].get("url", ""))).path
    for operation in writing(spec):
        head, parameter, _ = operation.path.partition("{")
        pattern = re.escape(head) + ("([^/]+)" if parameter else "") + "$"
        found = re.search(pattern, path)
        if found and entry["request"].get("method", "").upper() == operation.method:
            return operation, unquote(found[1]) if parameter else None
    return None


def _request(entry: Mapping[str, Any]) -> Request:
    asked = entry["request"]
    data = asked.get("postData") or {}
    text = data.get("text")
    body = None if text is None else _bytes(text, data.get("encoding"))
    return Request(str(asked.get("method", "")), str(asked.get("url", "")), _headers(asked), body)


def _reply(entry: Mapping[str, Any]) -> Reply:
    answer = entry.get("response") or {}
    content = answer.get("content") or {}
    seconds = max(0.0, float(entry.get("time") or 0)) / 1000
    body = _bytes(content.get("text") or "", content.get("encoding"))
    return Reply(int(answer.get("status") or 0), _headers(answer), body, seconds)


def _bytes(text: str, encoding: str | None) -> bytes:
    try:
        return base64.b64decode(text) if encoding == "base64" else text.encode("utf-8", "surrogatepass")
    except ValueError:
        return text.encode("utf-8", "replace")


def _headers(message: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple((str(h.get("name", "")), str(h.get("value", ""))) for h in message.get("headers") or ())


def _tokens(entries: list[Mapping[str, Any]]) -> Iterator[str]:
    for entry in entries:
        for name, value in _headers(entry["request"]):
            match = _AUTHORIZATION.match(value)
            if name.lower() == "authorization" and match and not match[1].startswith("$"):
                yield match[1]
