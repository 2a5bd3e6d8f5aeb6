"""The script: faults for the next requests, in order, set through `/_mock/script`."""

import itertools
import json
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from mock_server.contract.model import Operation, Rule
from mock_server.contract.suggestions import suggest_name, suggestion_suffix
from mock_server.faults.fault import MAX_DELAY_SECONDS, InjectedFault, any_response
from mock_server.faults.refusals import Refusals
from mock_server.web.responses import JSON_TYPE, PROBLEM_TYPE, Response

MAX_STEPS = 1000
_MAX_TIMES = 1_000_000
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
_HEADER_VALUE = re.compile(r"[\x20-\x7e\t]{0,10000}")
#: The server ends on a response with tens of thousands of header fields.
_MAX_HEADERS = 100
_SANDBOX = {"Content-Security-Policy": "sandbox", "X-Content-Type-Options": "nosniff"}
_FRAMING_HEADERS = {"content-length", "transfer-encoding", "connection"}
_FILTERS = ("operation", "caller", "slug")
_PROPERTIES = ("times", *_FILTERS, "status", "rule", "body", "headers", "delay", "drop", "truncate")


@dataclass(frozen=True, slots=True)
class ScriptStep:
    """A fault for the next `times` requests that match; a filter of None matches every request.

    With a `rule`, the response is its refusal, and only requests to its operations match. `options` are those given.
    """

    options: Mapping[str, Any]
    times: int
    operation: str | None
    caller: str | None
    slug: str | None
    status: int | None
    rule: Rule | None
    body: bytes | None
    media_type: str
    headers: Mapping[str, str]
    delay: float
    drop: str
    truncate_at: int | None

    def fault(self, operation: Operation, refusals: Refusals) -> InjectedFault:
        """Return the fault of a request for that operation."""
        response = self._response(operation, refusals)
        return InjectedFault(response, self.delay, self.drop, self.truncate_at, source="script")

    def _response(self, operation: Operation, refusals: Refusals) -> Response | None:
        if self.body is not None and self.status is not None:
            return _sandbox(Response(self.status, self.body, self.media_type, self.headers))
        response = None
        if self.rule is not None:
            response = refusals.for_rule(operation, self.rule.id, self.status)
        elif self.status is not None:
            response = any_response(operation, self.status, refusals)
        if response is None:
            return None
        media_type, headers = self.media_type or response.media_type, {**response.headers, **self.headers}
        return _sandbox(response._replace(media_type=media_type, headers=headers))


def _sandbox(response: Response) -> Response:
    """Return the response; if it is not JSON, a browser that opens it runs no script of it on the mock's site."""
    if response.media_type in {JSON_TYPE, PROBLEM_TYPE}:
        return response
    return response._replace(headers={**response.headers, **_SANDBOX})


@dataclass(slots=True)
class PendingStep:
    """A step that still applies to `uses_left` requests; `number` counts the steps of a script from 1."""

    number: int
    step: ScriptStep
    uses_left: int


class Script:
    """The steps that are not used up, oldest first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self.steps: list[PendingStep] = []

    def add(self, steps: list[ScriptStep]) -> bool:
        """Append the steps and return whether they fit; a script that is too long stays unchanged."""
        with self._lock:
            fits = len(self.steps) + len(steps) <= MAX_STEPS
            if fits:
                self.steps += [PendingStep(next(self._numbers), step, step.times) for step in steps]
        return fits

    def clear(self) -> int:
        """Delete all steps and return their number."""
        with self._lock:
            deleted, self.steps = len(self.steps), []
        return deleted

    def remove(self, number: int) -> None:
        """Delete the step with that number; one that is used up is gone already."""
        with self._lock:
            self.steps = [pending for pending in self.steps if pending.number != number]

    def pending(self) -> list[PendingStep]:
        """Return a copy of the steps that are not used up, oldest first."""
        with self._lock:
            return [replace(pending) for pending in self.steps]

    def to_json(self) -> list[dict[str, Any]]:
        """Return the steps as JSON values; `left` is the number of requests that a step still applies to."""
        with self._lock:
            return [{**pending.step.options, "left": pending.uses_left} for pending in self.steps]

    def take(self, operation: Operation, caller: str, slug: Callable[[], object]) -> ScriptStep | None:
        """Return the first step that matches a request, and use it once."""
        with self._lock:
            needs_slug = any(pending.step.slug is not None for pending in self.steps)
        request_slug = slug() if needs_slug else None  # may read the store, so outside the lock
        with self._lock:
            for pending in self.steps:
                if _matches(pending.step, operation.id, caller, request_slug):
                    pending.uses_left -= 1
                    if not pending.uses_left:
                        self.steps = [other for other in self.steps if other is not pending]
                    return pending.step
        return None


def _matches(step: ScriptStep, operation: str, caller: str, slug: object) -> bool:
    return (
        step.operation in {None, operation}
        and step.caller in {None, caller}
        and (step.slug is None or step.slug == slug)
        and (step.rule is None or operation in step.rule.operations)
    )


def parse_step(
    options: Any, operations: tuple[str, ...], callers: tuple[str, ...], rules: Mapping[str, Rule]
) -> ScriptStep:
    """Return the step of a JSON object; raise ValueError with the expected value if it is invalid."""
    if not isinstance(options, dict):
        raise ValueError(f"a step: expected an object of {', '.join(_PROPERTIES)}")  # noqa: TRY004
    for name in options:
        if name not in _PROPERTIES:
            hint = suggest_name(name, _PROPERTIES) or f"available: {', '.join(_PROPERTIES)}"
            raise ValueError(f"{_format(name)}: unknown property; {hint}")
    _check_choice(options, "operation", operations)
    _check_choice(options, "caller", callers)
    _check_text(options, "slug")
    status, delay = _parse_integer(options, "status", 200, 599), _parse_delay(options)
    rule = _parse_rule(options, rules)
    drop, truncate_at = _parse_drop(options), _parse_truncate(options)
    headers = _parse_headers(options)
    body, media_type = _parse_body(options)
    if rule is not None and body is not None:
        raise ValueError("body: got a body and a rule, expected one of them: the rule has its own")
    _check_combination(status or rule, delay, drop, truncate_at, bool(headers) or body is not None)
    for name in [name for name in headers if name.lower() == "content-type"]:
        media_type = headers.pop(name)
    shown_options = {name: value for name, value in options.items() if name != "body"}
    if body is not None:
        shown_options["body"] = body.decode("utf-8", "replace")[:1000]
    return ScriptStep(
        options=shown_options,
        times=_parse_integer(options, "times", 1, _MAX_TIMES) or 1,
        operation=options.get("operation"),
        caller=options.get("caller"),
        slug=options.get("slug"),
        status=status,
        rule=rule,
        body=body,
        media_type=media_type,
        headers=headers,
        delay=delay,
        drop=drop,
        truncate_at=truncate_at,
    )


def _check_combination(
    response: object, delay: float, drop: str, truncate_at: int | None, has_content: bool
) -> None:
    """Raise ValueError if the parts of a step exclude each other; `response` is its status or its rule."""
    if response is None and has_content:
        raise ValueError("body, headers: got no status, expected a status with them")
    if drop and (response is not None or truncate_at is not None):
        raise ValueError("drop: no response is sent; expected neither status, rule nor truncate")
    if response is None and not drop and truncate_at is None and not delay:
        raise ValueError("a step: got no effect, expected status, rule, delay, drop or truncate")


def _parse_rule(options: Mapping[str, Any], rules: Mapping[str, Rule]) -> Rule | None:
    """Return the rule of a step; only a constraint refuses requests."""
    rule_id = options.get("rule")
    if rule_id is None:
        return None
    rule = rules.get(rule_id) if isinstance(rule_id, str) else None
    if rule is None:
        raise _error(options, "rule", f"the id of a rule{suggestion_suffix(str(rule_id), rules)}")
    if rule.kind != "constraint":
        raise _error(options, "rule", f"a constraint: no request breaks this {rule.kind}")
    if options.get("status") is not None and options["status"] not in rule.status:
        raise _error(options, "status", f"a status of {rule.id}: {', '.join(map(str, rule.status))}")
    if options.get("operation") is not None and options["operation"] not in rule.operations:
        raise _error(options, "operation", f"an operation of {rule.id}: {', '.join(rule.operations)}")
    return rule


def _format(value: object) -> str:
    try:
        text = ascii(value)
    except RecursionError:
        return "a deeply nested value"
    return text if len(text) < 60 else text[:57] + "..."


def _error(options: Mapping[str, Any], name: str, expected: str) -> ValueError:
    return ValueError(f"{name}: got {_format(options.get(name))}, expected {expected}")


def _check_choice(options: Mapping[str, Any], name: str, choices: tuple[str, ...]) -> None:
    if options.get(name) is not None and options[name] not in choices:
        raise _error(options, name, f"one of {', '.join(choices)}")


def _check_text(options: Mapping[str, Any], name: str) -> None:
    if not isinstance(options.get(name), str | None):
        raise _error(options, name, "a string")


def _parse_integer(options: Mapping[str, Any], name: str, minimum: int, maximum: int) -> int | None:
    value = options.get(name)
    if value is not None and (type(value) is not int or not minimum <= value <= maximum):
        raise _error(options, name, f"an integer from {minimum} to {maximum}")
    return value


def _parse_delay(options: Mapping[str, Any]) -> float:
    value = options.get("delay", 0)
    if type(value) not in {int, float} or not 0 <= value <= MAX_DELAY_SECONDS:
        raise _error(options, "delay", f"seconds, from 0 to {MAX_DELAY_SECONDS}")
    return float(value)


def _parse_drop(options: Mapping[str, Any]) -> str:
    value = options.get("drop", False)
    if not isinstance(value, bool) and value not in ("before", "after"):
        raise _error(options, "drop", "true, before (the request is not carried out) or after")
    return value if isinstance(value, str) else "before" if value else ""


def _parse_truncate(options: Mapping[str, Any]) -> int | None:
    value = options.get("truncate", False)
    if isinstance(value, bool):
        return -1 if value else None
    return _parse_integer(options, "truncate", 0, _MAX_TIMES)


def _parse_headers(options: Mapping[str, Any]) -> dict[str, str]:
    headers = options.get("headers")
    if headers is None:
        return {}
    if not isinstance(headers, dict):
        raise _error(options, "headers", "an object of strings")
    if len(headers) > _MAX_HEADERS:
        raise ValueError(f"headers: got {len(headers)}, expected at most {_MAX_HEADERS}")
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name) or name.lower() in _FRAMING_HEADERS:
            expected = "a header name of at most 100 characters that does not frame the message"
            raise ValueError(f"headers: got {_format(name)}, expected {expected}")
        if not isinstance(value, str) or not _HEADER_VALUE.fullmatch(value):
            expected = "a string of up to 10,000 characters of printable ASCII"
            raise ValueError(f"headers: {name}: got {_format(value)}, expected {expected}")
    return dict(headers)


def _parse_body(options: Mapping[str, Any]) -> tuple[bytes | None, str]:
    if "body" not in options:
        return None, ""
    if options.get("status") in {204, 304}:
        raise ValueError(f"body: got a body, expected none with status {options['status']}")
    if isinstance(options["body"], str):
        return options["body"].encode("utf-8", "replace"), "text/plain; charset=utf-8"
    try:
        return json.dumps(options["body"]).encode(), JSON_TYPE
    except RecursionError:
        raise ValueError(
            "body: got JSON that is nested too deeply, expected less nesting or a string"
        ) from None
