"""The mutation operators: what can be changed about one keyword."""

import re
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from typing import Any


class Gone(Enum):
    """In an edit: the keyword is dropped. A member, since it stays itself from process to process."""

    GONE = "gone"


GONE = Gone.GONE

Edit = tuple[tuple[str, Any], ...]  # keywords of one object and their new values
Named = tuple[str, Edit]  # operator and detail, such as "widen maximum", and its edit


def edits(keyword: str, node: Mapping[str, Any], *, is_schema: bool) -> Iterator[Named]:
    """Yield every change of a keyword of an object; ``is_schema`` is False for a parameter or a request body."""
    table = _SCHEMA if is_schema else _OTHER
    if keyword in table:
        yield from table[keyword](keyword, node)


def _drop(keyword: str, _node: Mapping[str, Any]) -> Iterator[Named]:
    yield f"drop {keyword}", ((keyword, GONE),)


def _bound(keyword: str, node: Mapping[str, Any]) -> Iterator[Named]:
    value = node[keyword]
    widening = 1 if keyword.startswith("max") else -1
    yield from _drop(keyword, node)
    if value + widening >= 0 or not keyword.endswith(("Length", "Items")):
        yield f"widen {keyword}", ((keyword, value + widening),)
    if value - widening >= 0 or not keyword.endswith(("Length", "Items")):
        yield f"narrow {keyword}", ((keyword, value - widening),)
    if keyword in ("minimum", "maximum"):
        exclusive = f"exclusive{keyword.capitalize()}"
        yield f"exclusive {keyword}", ((keyword, GONE), (exclusive, value))


def _pattern(keyword: str, node: Mapping[str, Any]) -> Iterator[Named]:
    value = node[keyword]
    yield from _drop(keyword, node)
    if value.startswith("^"):
        yield "unanchor-start pattern", ((keyword, value[1:]),)
    if value.endswith("$"):
        yield "unanchor-end pattern", ((keyword, value[:-1]),)
    for number, match in enumerate(re.finditer(r"\[([^\]]+)\]", value), 1):
        for label, inner in _classes(match[1]):
            yield f"{label} pattern-{number}", ((keyword, _spliced(value, match, f"[{inner}]")),)
    for match in re.finditer(r"\{(\d+),(\d+)\}", value):
        low, high = int(match[1]), int(match[2])
        for a, b in ((low - 1, high), (low + 1, high), (low, high - 1), (low, high + 1)):
            if a >= 0:
                yield f"quantifier-{a}-{b} pattern", ((keyword, _spliced(value, match, f"{{{a},{b}}}")),)


def _classes(inner: str) -> Iterator[tuple[str, str]]:
    """Yield a character class widened by one kind of character, and narrowed by one range."""
    for label, more in (("upper", "A-Z"), ("underscore", "_"), ("newline", r"\n"), ("hyphen", "-")):
        present = inner.endswith("-") if more == "-" else more in inner
        if not present:
            yield f"widen-class-{label}", inner + more
    for part in ("a-z", "0-9"):
        if part in inner and inner != part:
            yield f"narrow-class-{part}", inner.replace(part, "")


def _spliced(text: str, match: re.Match[str], new: str) -> str:
    return text[: match.start()] + new + text[match.end() :]


def _required(keyword: str, node: Mapping[str, Any]) -> Iterator[Named]:
    names = node[keyword]
    for name in names:
        yield f"drop required-{name}", ((keyword, [other for other in names if other != name]),)
    for name in node.get("properties", {}):
        if name not in names:
            yield f"add required-{name}", ((keyword, [*names, name]),)


def _type(keyword: str, node: Mapping[str, Any]) -> Iterator[Named]:
    value = node[keyword]
    yield from _drop(keyword, node)
    if value == "null":
        return
    for other in _WIDER.get(value, ()):
        yield f"widen type-{other}", ((keyword, [value, other]),)
    yield "nullable type", ((keyword, [value, "null"]),)
    if value == "integer":
        yield "number type", ((keyword, "number"),)


_WIDER: Mapping[str, tuple[str, ...]] = {
    "string": ("integer", "boolean", "array", "object"),
    "integer": ("string", "boolean"),
    "array": ("string", "object"),
    "object": ("array", "string"),
}


def _enum(keyword: str, node: Mapping[str, Any]) -> Iterator[Named]:
    values = node[keyword]
    yield from _drop(keyword, node)
    for value in values:
        if len(values) > 1:
            yield f"drop enum-{value}", ((keyword, [other for other in values if other != value]),)
        if isinstance(value, str):
            yield f"fold enum-{value}", ((keyword, [*values, value.upper()]),)
            yield f"add enum-{value}-blank", ((keyword, [*values, f"{value} "]),)
    yield "add enum-empty", ((keyword, [*values, ""]),)


def _const(keyword: str, node: Mapping[str, Any]) -> Iterator[Named]:
    yield "change const", ((keyword, f"not-{node[keyword]}"),)


def _default(keyword: str, node: Mapping[str, Any]) -> Iterator[Named]:
    value = node[keyword]
    yield from _drop(keyword, node)
    if "enum" in node:
        other = next((item for item in node["enum"] if item != value), value)
    elif isinstance(value, int) and not isinstance(value, bool):
        other = value + 1
    else:
        other = f"{value}x"
    yield "change default", ((keyword, other),)


def _conditional(keyword: str, node: Mapping[str, Any]) -> Iterator[Named]:
    then, otherwise = node.get("then", {}), node.get("else", {})
    yield "drop if", (("if", GONE), ("then", GONE), ("else", GONE))
    yield "drop then", (("then", GONE),)
    yield "drop else", (("else", GONE),)
    yield "invert if", (("then", otherwise), ("else", then))
    yield "condition-always if", ((keyword, True),)
    yield "condition-never if", ((keyword, False),)


def _branches(keyword: str, node: Mapping[str, Any]) -> Iterator[Named]:
    yield from _drop(keyword, node)
    for number in range(len(node[keyword])):
        rest = [branch for place, branch in enumerate(node[keyword]) if place != number]
        if rest:
            yield f"drop {keyword}-{number}", ((keyword, rest),)


def _additional(keyword: str, node: Mapping[str, Any]) -> Iterator[Named]:
    yield "close additionalProperties", ((keyword, node[keyword] is not True),)


def _flip(keyword: str, node: Mapping[str, Any]) -> Iterator[Named]:
    yield f"{'optional' if node[keyword] else 'mandatory'} {keyword}", ((keyword, not node[keyword]),)


def _content(keyword: str, node: Mapping[str, Any]) -> Iterator[Named]:
    first = next(iter(node[keyword].values()))
    yield "widen content", ((keyword, {**node[keyword], "text/plain": first}),)


_SCHEMA: dict[str, Callable[[str, Mapping[str, Any]], Iterator[Named]]] = {
    "minimum": _bound,
    "maximum": _bound,
    "minLength": _bound,
    "maxLength": _bound,
    "minItems": _bound,
    "maxItems": _bound,
    "multipleOf": _drop,
    "uniqueItems": _drop,
    "pattern": _pattern,
    "format": _drop,
    "required": _required,
    "type": _type,
    "enum": _enum,
    "const": _const,
    "default": _default,
    "if": _conditional,
    "anyOf": _branches,
    "oneOf": _branches,
    "items": _drop,
    "additionalProperties": _additional,
}
_OTHER: dict[str, Callable[[str, Mapping[str, Any]], Iterator[Named]]] = {
    "required": _flip,
    "content": _content,
}
