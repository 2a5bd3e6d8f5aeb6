"""Responses: whether clients that read responses by the old contract may fail under the new one.

No request can show that: how an app responds does not follow from the schemas of its responses.
"""

from collections.abc import Callable, Mapping
from typing import Any

from contract_tests.evolution.changes import Change
from contract_tests.mutation.mutants import value_at
from contract_tests.mutation.operators import GONE

_UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
#: Objects whose members a response has, by their names.
_MEMBERS = ("properties", "headers", "content")


def _is_about_responses(change: Change) -> bool:
    """Return whether a change is within the responses of an operation."""
    return change.place[3:4] == ("responses",)


def breaks_readers(change: Change, old: Mapping[str, Any]) -> bool:
    """Return whether a response may be one that the old contract excludes: more is not safe, less is.

    A new property, a new header and a new status of a refusal are safe, since clients ignore or expect them.
    """
    if not _is_about_responses(change):
        return False
    if change.keyword == "responses":  # the statuses of a success
        return True
    if change.place[-1] == "responses":
        return False
    before = value_at(old, change.place)
    return any(not _is_safe(change, key, before.get(key, GONE), value) for key, value in change.edit)


def _is_safe(change: Change, key: str, before: Any, after: Any) -> bool:
    """Return whether every value that a keyword allows now was allowed before."""
    if change.place[-1] in _MEMBERS or key in _MEMBERS:
        return before is GONE
    if after is GONE:
        return key == "default"
    if before is GONE:
        return key not in ("anyOf", "oneOf", "nullable")
    try:
        return key in _NARROWS and bool(_NARROWS[key](before, after))
    except TypeError:  # a value that the keyword cannot have
        return False


def _list_types(value: Any) -> set[str]:
    types = {value} if isinstance(value, str) else set(value)
    return types | {"integer"} if "number" in types else types


_NARROWS: Mapping[str, Callable[[Any, Any], bool]] = {
    **dict.fromkeys(_UPPER, lambda before, after: after <= before),
    **dict.fromkeys(_LOWER, lambda before, after: after >= before),
    "type": lambda before, after: _list_types(after) <= _list_types(before),
    "required": lambda before, after: set(before) <= set(after),
    "enum": lambda before, after: all(value in before for value in after),
    "additionalProperties": lambda _before, after: after is False,
    "default": lambda _before, _after: True,
}
