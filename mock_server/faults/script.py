"""A script: what happens to the next calls, in order. Written through `/_mock/script`."""

import json
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from mock_server.contract.loader import Operation
from mock_server.faults.fault import LONGEST, Effect, canned
from mock_server.web.responses import JSON, Answer

LENGTH = 1000
_TIMES = 1_000_000
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\x20-\x7e\t]*")
_FRAMING = {"content-length", "transfer-encoding", "connection"}
_WHICH = ("operation", "caller", "slug")
_KNOWN = ("times", *_WHICH, "status", "body", "headers", "delay", "drop", "truncate")


@dataclass(frozen=True, slots=True)
class Step:
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
    keep: int | None

    def effect(self, operation: Operation) -> Effect:
        """What happens to a call of that operation."""
        return Effect(self._answer(operation), self.delay, self.drop, self.keep)

    def _answer(self, operation: Operation) -> Answer | None:
        if self.status is None:
            return None
        if self.body is not None:
            return Answer(self.status, self.body, self.media_type, self.headers)
        plain = canned(operation, self.status, f"{self.status} on demand: a step of the script says so")
        media_type, headers = self.media_type or plain.media_type, {**plain.headers, **self.headers}
        return plain._replace(media_type=media_type, headers=headers)


@dataclass(slots=True)
class _Pending:
    step: Step
    left: int


class Script:
    """The steps that are still to come; `steps` is empty where nothing is asked for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.steps: list[_Pending] = []

    def add(self, steps: list[Step]) -> bool:
        """Appends the steps, all or, where the script would be too long, none."""
        with self._lock:
            fits = len(self.steps) + len(steps) <= LENGTH
            if fits:
                self.steps += [_Pending(step, step.times) for step in steps]
        return fits

    def clear(self) -> int:
        """Forgets the steps; how many there were."""
        with self._lock:
            removed, self.steps = len(self.steps), []
        return removed

    def told(self) -> list[dict[str, Any]]:
        """The steps as they were given, and how many calls each still waits for."""
        with self._lock:
            return [{**pending.step.given, "left": pending.left} for pending in self.steps]

    def take(self, operation: Operation, caller: str, slug: Callable[[], object]) -> Effect | None:
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


def _matches(step: Step, operation: str, caller: str, slug: object) -> bool:
    return (
        step.operation in {None, operation}
        and step.caller in {None, caller}
        and (step.slug is None or step.slug == slug)
    )


def parsed(given: Any, operations: tuple[str, ...], callers: tuple[str, ...]) -> Step:
    """The step of a JSON object; ValueError says what is wrong with it, and what would be right."""
    if not isinstance(given, dict):
        raise ValueError(f"a step: wanted an object of {', '.join(_KNOWN)}")  # noqa: TRY004
    for name in given:
        if name not in _KNOWN:
            close = get_close_matches(name, _KNOWN, n=1)
            raise ValueError(
                f"{_shown(name)}: no such name; " + (f"did you mean {close[0]}?" if close else _all())
            )
    _one_of(given, "operation", operations)
    _one_of(given, "caller", callers)
    _text(given, "slug")
    status, delay = _number(given, "status", 200, 599), _delay(given)
    drop, keep = _drop(given), _keep(given)
    headers = _headers(given)
    body, media_type = _body(given)
    _fitting(status, delay, drop, keep, bool(headers) or body is not None)
    for name in [name for name in headers if name.lower() == "content-type"]:
        media_type = headers.pop(name)
    told = {name: value for name, value in given.items() if name != "body"}
    if body is not None:
        told["body"] = body.decode("utf-8", "replace")[:1000]
    return Step(
        given=told,
        times=_number(given, "times", 1, _TIMES) or 1,
        operation=given.get("operation"),
        caller=given.get("caller"),
        slug=given.get("slug"),
        status=status,
        body=body,
        media_type=media_type,
        headers=headers,
        delay=delay,
        drop=drop,
        keep=keep,
    )


def _fitting(status: int | None, delay: float, drop: str, keep: int | None, answered: bool) -> None:
    if status is None and answered:
        raise ValueError("body, headers: they belong to a status; give one")
    if drop and (status is not None or keep is not None):
        raise ValueError("drop: nothing is answered, so neither status nor truncate goes with it")
    if status is None and not drop and keep is None and not delay:
        raise ValueError("a step: nothing would happen; give status, delay, drop or truncate")


def _all() -> str:
    return f"there is {', '.join(_KNOWN)}"


def _shown(value: object) -> str:
    text = ascii(value)
    return text if len(text) < 60 else text[:57] + "..."


def _wrong(given: Mapping[str, Any], name: str, wanted: str) -> ValueError:
    return ValueError(f"{name}: seen {_shown(given.get(name))}, wanted {wanted}")


def _one_of(given: Mapping[str, Any], name: str, known: tuple[str, ...]) -> None:
    if given.get(name) is not None and given[name] not in known:
        raise _wrong(given, name, f"one of {', '.join(known)}")


def _text(given: Mapping[str, Any], name: str) -> None:
    if not isinstance(given.get(name), str | None):
        raise _wrong(given, name, "a string")


def _number(given: Mapping[str, Any], name: str, least: int, most: int) -> int | None:
    value = given.get(name)
    if value is not None and (type(value) is not int or not least <= value <= most):
        raise _wrong(given, name, f"an integer from {least} to {most}")
    return value


def _delay(given: Mapping[str, Any]) -> float:
    value = given.get("delay", 0)
    if type(value) not in {int, float} or not 0 <= value <= LONGEST:
        raise _wrong(given, "delay", f"seconds, from 0 to {LONGEST}")
    return float(value)


def _drop(given: Mapping[str, Any]) -> str:
    value = given.get("drop", False)
    if not isinstance(value, bool) and value not in ("before", "after"):
        raise _wrong(given, "drop", "true, before (the call is not carried out) or after")
    return value if isinstance(value, str) else "before" if value else ""


def _keep(given: Mapping[str, Any]) -> int | None:
    value = given.get("truncate", False)
    if isinstance(value, bool):
        return -1 if value else None
    return _number(given, "truncate", 0, _TIMES)


def _headers(given: Mapping[str, Any]) -> dict[str, str]:
    headers = given.get("headers")
    if headers is None:
        return {}
    if not isinstance(headers, dict):
        raise _wrong(given, "headers", "an object of names and texts")
    for name, value in headers.items():
        if not _NAME.fullmatch(name) or name.lower() in _FRAMING:
            raise ValueError(
                f"headers: seen the name {_shown(name)}, wanted one that does not frame the message"
            )
        if not isinstance(value, str) or not _VALUE.fullmatch(value):
            raise ValueError(f"headers: {name}: seen {_shown(value)}, wanted a string of printable ASCII")
    return dict(headers)


def _body(given: Mapping[str, Any]) -> tuple[bytes | None, str]:
    if "body" not in given:
        return None, ""
    if given.get("status") in {204, 304}:
        raise ValueError(f"body: a {given['status']} has none")
    if isinstance(given["body"], str):
        return given["body"].encode("utf-8", "replace"), "text/plain; charset=utf-8"
    try:
        return json.dumps(given["body"]).encode(), JSON
    except RecursionError:
        raise ValueError("body: nested too deeply; send less, or a string") from None
