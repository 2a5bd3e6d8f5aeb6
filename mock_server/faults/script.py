"""A script: what happens to the next calls, in order. Written through `/_mock/script`."""

import json
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from mock_server.contract.model import Operation
from mock_server.faults.fault import MAX_DELAY_SECONDS, InjectedFault, example_or_problem
from mock_server.web.responses import JSON_TYPE, Response

MAX_STEPS = 1000
_MAX_TIMES = 1_000_000
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\x20-\x7e\t]*")
_FRAMING = {"content-length", "transfer-encoding", "connection"}
_FILTERS = ("operation", "caller", "slug")
_PROPERTIES = ("times", *_FILTERS, "status", "body", "headers", "delay", "drop", "truncate")


@dataclass(frozen=True, slots=True)
class ScriptStep:
    """What happens to the next `times` calls that match; what is None matches every call."""

    given: Mapping[str, Any]
    times: int
    operation: str | None
    caller: str | None
    slug: str | None
    status: int | None
    body: bytes | None
    media_type: str
    headers: Mapping[str, str]
    delay: float
    drop: str
    truncate_at: int | None

    def effect(self, operation: Operation) -> InjectedFault:
        """What happens to a call of that operation."""
        return InjectedFault(self._answer(operation), self.delay, self.drop, self.truncate_at)

    def _answer(self, operation: Operation) -> Response | None:
        if self.status is None:
            return None
        if self.body is not None:
            return Response(self.status, self.body, self.media_type, self.headers)
        plain = example_or_problem(
            operation, self.status, f"{self.status} on demand: a step of the script says so"
        )
        media_type, headers = self.media_type or plain.media_type, {**plain.headers, **self.headers}
        return plain._replace(media_type=media_type, headers=headers)


@dataclass(slots=True)
class _PendingStep:
    step: ScriptStep
    left: int


class Script:
    """The steps that are still to come; `steps` is empty where nothing is asked for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.steps: list[_PendingStep] = []

    def add(self, steps: list[ScriptStep]) -> bool:
        """Appends the steps, all or, where the script would be too long, none."""
        with self._lock:
            fits = len(self.steps) + len(steps) <= MAX_STEPS
            if fits:
                self.steps += [_PendingStep(step, step.times) for step in steps]
        return fits

    def clear(self) -> int:
        """Forgets the steps; how many there were."""
        with self._lock:
            removed, self.steps = len(self.steps), []
        return removed

    def to_json(self) -> list[dict[str, Any]]:
        """The steps as they were given, and how many calls each still waits for."""
        with self._lock:
            return [{**pending.step.given, "left": pending.left} for pending in self.steps]

    def take(self, operation: Operation, caller: str, slug: Callable[[], object]) -> InjectedFault | None:
        """The effect of the first step that the call matches, which is used up by one."""
        with self._lock:
            needs = any(pending.step.slug is not None for pending in self.steps)
        seen = slug() if needs else None  # it may ask the store, so not within the lock
        with self._lock:
            for pending in self.steps:
                if _matches(pending.step, operation.id, caller, seen):
                    pending.left -= 1
                    if not pending.left:
                        self.steps = [other for other in self.steps if other is not pending]
                    return pending.step.effect(operation)
        return None


def _matches(step: ScriptStep, operation: str, caller: str, slug: object) -> bool:
    return (
        step.operation in {None, operation}
        and step.caller in {None, caller}
        and (step.slug is None or step.slug == slug)
    )


def parse_step(given: Any, operations: tuple[str, ...], callers: tuple[str, ...]) -> ScriptStep:
    """The step of a JSON object; ValueError says what is wrong with it, and what would be right."""
    if not isinstance(given, dict):
        raise ValueError(f"a step: expected an object of {', '.join(_PROPERTIES)}")  # noqa: TRY004
    for name in given:
        if name not in _PROPERTIES:
            close = get_close_matches(name, _PROPERTIES, n=1)
            raise ValueError(
                f"{_format(name)}: no such name; "
                + (f"did you mean {close[0]}?" if close else _list_properties())
            )
    _check_choice(given, "operation", operations)
    _check_choice(given, "caller", callers)
    _check_text(given, "slug")
    status, delay = _parse_integer(given, "status", 200, 599), _parse_delay(given)
    drop, keep = _parse_drop(given), _parse_truncate(given)
    headers = _parse_headers(given)
    body, media_type = _parse_body(given)
    _check_combination(status, delay, drop, keep, bool(headers) or body is not None)
    for name in [name for name in headers if name.lower() == "content-type"]:
        media_type = headers.pop(name)
    told = {name: value for name, value in given.items() if name != "body"}
    if body is not None:
        told["body"] = body.decode("utf-8", "replace")[:1000]
    return ScriptStep(
        given=told,
        times=_parse_integer(given, "times", 1, _MAX_TIMES) or 1,
        operation=given.get("operation"),
        caller=given.get("caller"),
        slug=given.get("slug"),
        status=status,
        body=body,
        media_type=media_type,
        headers=headers,
        delay=delay,
        drop=drop,
        truncate_at=keep,
    )


def _check_combination(status: int | None, delay: float, drop: str, keep: int | None, answered: bool) -> None:
    if status is None and answered:
        raise ValueError("body, headers: they belong to a status; give one")
    if drop and (status is not None or keep is not None):
        raise ValueError("drop: nothing is answered, so neither status nor truncate goes with it")
    if status is None and not drop and keep is None and not delay:
        raise ValueError("a step: nothing would happen; give status, delay, drop or truncate")


def _list_properties() -> str:
    return f"there is {', '.join(_PROPERTIES)}"


def _format(value: object) -> str:
    text = ascii(value)
    return text if len(text) < 60 else text[:57] + "..."


def _error(given: Mapping[str, Any], name: str, wanted: str) -> ValueError:
    return ValueError(f"{name}: got {_format(given.get(name))}, expected {wanted}")


def _check_choice(given: Mapping[str, Any], name: str, known: tuple[str, ...]) -> None:
    if given.get(name) is not None and given[name] not in known:
        raise _error(given, name, f"one of {', '.join(known)}")


def _check_text(given: Mapping[str, Any], name: str) -> None:
    if not isinstance(given.get(name), str | None):
        raise _error(given, name, "a string")


def _parse_integer(given: Mapping[str, Any], name: str, least: int, most: int) -> int | None:
    value = given.get(name)
    if value is not None and (type(value) is not int or not least <= value <= most):
        raise _error(given, name, f"an integer from {least} to {most}")
    return value


def _parse_delay(given: Mapping[str, Any]) -> float:
    value = given.get("delay", 0)
    if type(value) not in {int, float} or not 0 <= value <= MAX_DELAY_SECONDS:
        raise _error(given, "delay", f"seconds, from 0 to {MAX_DELAY_SECONDS}")
    return float(value)


def _parse_drop(given: Mapping[str, Any]) -> str:
    value = given.get("drop", False)
    if not isinstance(value, bool) and value not in ("before", "after"):
        raise _error(given, "drop", "true, before (the call is not carried out) or after")
    return value if isinstance(value, str) else "before" if value else ""


def _parse_truncate(given: Mapping[str, Any]) -> int | None:
    value = given.get("truncate", False)
    if isinstance(value, bool):
        return -1 if value else None
    return _parse_integer(given, "truncate", 0, _MAX_TIMES)


def _parse_headers(given: Mapping[str, Any]) -> dict[str, str]:
    headers = given.get("headers")
    if headers is None:
        return {}
    if not isinstance(headers, dict):
        raise _error(given, "headers", "an object of names and texts")
    for name, value in headers.items():
        if not _NAME.fullmatch(name) or name.lower() in _FRAMING:
            raise ValueError(
                f"headers: got the name {_format(name)}, expected one that does not frame the message"
            )
        if not isinstance(value, str) or not _VALUE.fullmatch(value):
            raise ValueError(f"headers: {name}: got {_format(value)}, expected a string of printable ASCII")
    return dict(headers)


def _parse_body(given: Mapping[str, Any]) -> tuple[bytes | None, str]:
    if "body" not in given:
        return None, ""
    if given.get("status") in {204, 304}:
        raise ValueError(f"body: a {given['status']} has none")
    if isinstance(given["body"], str):
        return given["body"].encode("utf-8", "replace"), "text/plain; charset=utf-8"
    try:
        return json.dumps(given["body"]).encode(), JSON_TYPE
    except RecursionError:
        raise ValueError("body: nested too deeply; send less, or a string") from None
