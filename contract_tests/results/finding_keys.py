"""Finding keys: what makes findings of different runs the same."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from contract_tests.cases.model import Case, Step
from contract_tests.cases.value_templates import fill_templates
from contract_tests.results.judge import Difference

_MAX_INPUTS = 200
_MAX_SHOWN = 4
_LONG = 100
#: The end of a kind of input that was drawn at random: by chance it shows what planned requests show in every run.
_GENERATED = " by a generated request"
_READ_BACK = " read back"
_NULL = ": null"
_VERBS = {
    "createContainer": "create",
    "updateContainer": "update",
    "readContainer": "read",
    "setStatus": "status",
}


@dataclass(frozen=True, slots=True, order=True)
class FindingKey:
    """The identity of a finding across runs: the rule, the kind of input, and what was seen.

    No part of it depends on a seed, on values that were drawn, or on how often something was seen.
    """

    rule: str
    input: str
    seen: str

    def covers(self, other: "FindingKey") -> bool:
        """Return whether another finding is this one, or may be by what a generated request showed of it."""
        if (self.rule, self.seen) != (other.rule, other.seen):
            return False
        return self.input == other.input or _shows_by_chance(other.input, self.input)

    def __str__(self) -> str:
        """Return the key as one line."""
        return f"{self.rule}: {self.input}: {self.seen}"


def build_keys(rule: str, inputs: Iterable[str], reason: str) -> tuple[FindingKey, ...]:
    """Return a key for each kind of input that showed a violation for one reason."""
    seen = re.sub(r"\d+", "N", reason)
    return tuple(FindingKey(rule, kind, seen) for kind in inputs)


def group_keys(keys: Iterable[FindingKey]) -> dict[FindingKey, tuple[FindingKey, ...]]:
    """Return the keys by finding: one of each rule, operation and reason, whose input names all kinds in words."""
    groups: dict[tuple[str, str, str], list[FindingKey]] = {}
    for key in keys:
        verb = re.match(r"\w*", key.input)
        groups.setdefault((key.rule, verb[0] if verb else "", key.seen), []).append(key)
    return {
        FindingKey(rule, _join_inputs(key.input for key in group), seen): tuple(group)
        for (rule, _, seen), group in groups.items()
    }


def _join_inputs(inputs: Iterable[str]) -> str:
    """Return kinds of input in words, those of one property together, and only a few of many."""
    parts: dict[str, list[str]] = {}
    for kind in inputs:
        part, _, value = kind.partition(": ")
        parts.setdefault(part, []).extend([value] if value else [])
    texts = [f"{part}: {_join_few(values, ', ')}" if values else part for part, values in parts.items()]
    return _join_few(texts, "; ")


def _join_few(texts: list[str], separator: str) -> str:
    more = len(texts) - _MAX_SHOWN
    return separator.join(texts[:_MAX_SHOWN]) + (f"{separator}{more} more" if more > 0 else "")


def merge_inputs(first: Iterable[str], second: Iterable[str]) -> tuple[str, ...]:
    """Return the kinds of input of both, without those that generated requests show beside planned ones."""
    inputs = sorted({*first, *second})
    return tuple(kind for kind in inputs if not _is_shown_otherwise(kind, inputs))[:_MAX_INPUTS]


def _is_shown_otherwise(kind: str, inputs: Collection[str]) -> bool:
    return any(_shows_by_chance(kind, other) for other in inputs)


def _shows_by_chance(kind: str, other: str) -> bool:
    """Return whether a kind of generated requests shows another, which planned or more specific ones show."""
    part = kind.removesuffix(_GENERATED)
    return part != kind and other != kind and other.startswith(part)


def list_inputs(case: Case, differences: Iterable[Difference] = ()) -> tuple[str, ...]:
    """Return the kinds of input that a case shows to be wrong: ``create with exposed_port: a number of 5 digits``.

    A read-back shows one kind for each property that differs.
    """
    verb = _VERBS.get(case.operation, case.operation)
    names = sorted({name for name, _, _ in differences})
    if names:
        return tuple(f"{verb}, {name}{_READ_BACK}" for name in names)
    return (f"{verb}{_describe_input(case)}",)


def list_read_back(inputs: Iterable[str]) -> frozenset[str]:
    """Return the properties that read-backs showed to be wrong; none if an input shows more than properties."""
    kinds = tuple(inputs)
    if not all(kind.endswith(_READ_BACK) for kind in kinds):
        return frozenset()
    return frozenset(kind.removesuffix(_READ_BACK).partition(", ")[2] for kind in kinds)


def shows_null_alone(inputs: Collection[str]) -> bool:
    """Return whether each kind of input is a property that is null."""
    return bool(inputs) and all(kind.endswith(_NULL) for kind in inputs)


def _describe_input(case: Case) -> str:
    """Return the part of the request that the case is about: a property and the kind of its value, or its form."""
    if case.layer == "race":
        return " at the same moment"
    requests = [step for step in case.steps if step.operation in ("createContainer", "updateContainer")]
    if len(requests) == 1 and case.value:
        name = case.value[2]
        value = _GENERATED if case.is_generated else f": {_describe_property(requests[0], name)}"
        return f" with {name}{value}"
    if case.is_generated:
        return _GENERATED
    earlier = " and ".join(dict.fromkeys(_VERBS[step.operation] for step in requests[:-1]))
    form = _describe_form(requests[-1]) if requests else ""
    return f" after {earlier}{form}" if earlier else form or " in one request"


def _describe_form(step: Step) -> str:
    """Return the kind of caller and the headers that a step names."""
    kind = "" if "@" in step.caller else step.caller.rpartition("-")[0]
    headers = ", ".join(sorted(name for name, _ in step.headers))
    return (f" as {kind}" if kind else "") + (f" with the header {headers}" if headers else "")


def _describe_property(step: Step, name: str) -> str:
    body = step.body if isinstance(step.body, dict) else {}
    if name not in body:
        return "left out"
    try:
        value = body[name] if step.as_is else fill_templates(body[name], lambda length: "s" * (length or 20))
    except (LookupError, TypeError, ValueError):  # a case from a file may hold anything
        return "unknown"
    return _describe_value(value)


def _describe_value(value: Any) -> str:
    """Return the kind of a value."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int():
            digits = f"{len(str(abs(value)))} digit{'s' if abs(value) > 9 else ''}"
            return "0" if value == 0 else f"a {'negative ' if value < 0 else ''}number of {digits}"
        case float():
            return "a fraction"
        case str():
            size = "an empty" if not value else "a long" if len(value) > _LONG else "a"
            return f"{size} text{'' if value.isascii() else ' beyond ASCII'}"
        case list():
            return "an array" if value else "an empty array"
    return "an object"
