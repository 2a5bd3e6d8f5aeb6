"""Mutations of a JSON body after the operators of HTTPMutator, with a few fixed values for each of its random draws.

The acronyms are those of its documentation. MUT is in its code only. Operators of our own begin with ``+``.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Pointer = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a body at a place, by an operator; ``variant`` says which of its changes."""

    operator: str
    variant: str
    pointer: Pointer
    body: Any


def mutate_body(body: Any) -> Iterator[Change]:
    """Yield every mutation of a JSON body; HTTPMutator keeps the type of the whole body, and so does this."""
    for pointer, value in _walk(body):
        for operator, variant, new in _mutate_value(value, whole=not pointer):
            yield Change(operator, variant, pointer, _replace(body, pointer, new))
        for operator, name in _list_removals(value):
            yield Change(operator, "", (*pointer, name), _replace(body, pointer, _without(value, name)))


def _walk(value: Any, pointer: Pointer = ()) -> Iterator[tuple[Pointer, Any]]:
    yield pointer, value
    pairs: Any = ()
    if isinstance(value, dict):
        pairs = value.items()
    elif isinstance(value, list):
        pairs = enumerate(value[:1])  # the other items are like the first
    for key, inner in pairs:
        yield from _walk(inner, (*pointer, key))


def _replace(body: Any, pointer: Pointer, new: Any) -> Any:
    """Return a copy of the body with another value at a place."""
    if not pointer:
        return new
    copy: Any = dict(body) if isinstance(body, dict) else list(body)
    copy[pointer[0]] = _replace(body[pointer[0]], pointer[1:], new)
    return copy


def _mutate_value(value: Any, *, whole: bool) -> Iterator[tuple[str, str, Any]]:
    if not whole:
        yield from _change_type(value)
    if isinstance(value, str):
        yield from _mutate_text(value)
    elif isinstance(value, bool):
        yield "BPR", "", not value
    elif isinstance(value, int | float):
        for number in (-1_000_000, 0, value - 1, value + 1, value + 0.5, 1_000_000):
            if number != value:
                yield "NPR", "", number
    elif isinstance(value, list):
        yield from _mutate_array(value)
    elif isinstance(value, dict):
        yield "OPA", "", {**value, "added": 42}


def _change_type(value: Any) -> Iterator[tuple[str, str, Any]]:
    if value is not None:
        yield "NPS", "", None
    for name, new in (
        ("integer", 42),
        ("fraction", 0.5),
        ("boolean", True),
        ("text", "x7"),
        ("object", {}),
        ("array", []),
    ):
        if type(new) is not type(value):
            yield "PTC", name, new


def _mutate_text(text: str) -> Iterator[tuple[str, str, Any]]:
    yield "SPR", "", "Q9x@L"
    middle = len(text) // 2
    for added in ("/", "*", ",", "´", "/*"):
        yield "SCA", added, text[:middle] + added + text[middle:]
    for variant, new in (
        ("empty", "" if text else " "),
        ("shortest", "a"),
        ("longest", "a" * 10),
        ("lower case", "lower case"),
        ("upper case", "UPPER CASE"),
    ):
        yield "SRE", variant, new
    if text:
        yield "MUT", "character removed", text[1:]
        yield "MUT", "character added", text + "0"
        yield "MUT", "character replaced", "g" + text[1:]
        yield "MUT", "digit replaced", ("1" if text[0] == "0" else "0") + text[1:]


def _mutate_array(items: list[Any]) -> Iterator[tuple[str, str, Any]]:
    yield "AEA", "", [*items, 42]
    if items:
        yield "EAS", "", []
    if len(items) > 1:
        yield "AER", "", items[1:]
        yield "AEE", "", [*items[1:], items[0]]


def _list_removals(value: Any) -> Iterator[tuple[str, str]]:
    """Yield the properties to remove; those that are objects have an operator of their own."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield ("OTPR" if isinstance(inner, dict) else "OPR"), name


def _without(value: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: inner for key, inner in value.items() if key != name}
