"""Mutation operators: the possible changes of one keyword."""

import re
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from typing import Any


class Gone(Enum):
    """Marker for a dropped keyword in an edit; an enum member stays identical between processes."""

    GONE = "gone"


GONE = Gone.GONE

Edit = tuple[tuple[str, Any], ...]  # keywords of one object and their new values
NamedEdit = tuple[str, Edit]  # operator and detail, such as "widen maximum", and its edit


def list_edits(keyword: str, node: Mapping[str, Any], *, is_schema: bool) -> Iterator[NamedEdit]:
    """Yield every change of a keyword of an object; ``is_schema`` is False for a parameter or a request body."""
    table = _SCHEMA_OPERATORS if is_schema else _OBJECT_OPERATORS
    if keyword in table:
        yield from table[keyword](keyword, node)


def _drop_keyword(keyword: str, _node: Mapping[str, Any]) -> Iterator[NamedEdit]:
    yield f"drop {keyword}", ((keyword, GONE),)


def _shift_bound(keyword: str, node: Mapping[str, Any]) -> Iterator[NamedEdit]:
    value = node[keyword]
    widening = 1 if keyword.startswith("max") else -1
    yield from _drop_keyword(keyword, node)
    if value + widening >= 0 or not keyword.endswith(("Length", "Items")):
        yield f"widen {keyword}", ((keyword, value + widening),)
    if value - widening >= 0 or not keyword.endswith(("Length", "Items")):
        yield f"narrow {keyword}", ((keyword, value - widening),)
    if keyword in ("minimum", "maximum"):
        exclusive = f"exclusive{keyword.capitalize()}"
        yield f"exclusive {keyword}", ((keyword, GONE), (exclusive, value))


def _change_pattern(keyword: str, node: Mapping[str, Any]) -> Iterator[NamedEdit]:
    value = node[keyword]
    yield from _drop_keyword(keyword, node)
    if value.startswith("^"):
        yield "unanchor-start pattern", ((keyword, value[1:]),)
    if value.endswith("$"):
        yield "unanchor-end pattern", ((keyword, value[:-1]),)
    for number, match in enumerate(re.finditer(r"\[([^\]]+)\]", value), 1):
        for label, inner in _change_class(match[1]):
            yield f"{label} pattern-{number}", ((keyword, _splice_text(value, match, f"[{inner}]")),)
    for match in re.finditer(r"\{(\d+),(\d+)\}", value):
        low, high = int(match[1]), int(match[2])
        for a, b in ((low - 1, high), (low + 1, high), (low, high - 1), (low, high + 1)):
            if a >= 0:
                yield f"quantifier-{a}-{b} pattern", ((keyword, _splice_text(value, match, f"{{{a},{b}}}")),)


def _change_class(inner: str) -> Iterator[tuple[str, str]]:
    """Yield a character class widened by one kind of character, and narrowed by one range."""
    for label, more in (("upper", "A-Z"), ("underscore", "_"), ("newline", r"\n"), ("hyphen", "-")):
        present = inner.endswith("-") if more == "-" else more in inner
        if not present:
            yield f"widen-class-{label}", inner + more
    for part in ("a-z", "0-9"):
        if part in inner and inner != part:
            yield f"narrow-class-{part}", inner.replace(part, "")


def _splice_text(text: str, match: re.Match[str], new: str) -> str:
    return text[: match.start()] + new + text[match.end() :]


def _change_required(keyword: str, node: Mapping[str, Any]) -> Iterator[NamedEdit]:
    names = node[keyword]
    for name in names:
        yield f"drop required-{name}", ((keyword, [other for other in names if other != name]),)
    for name in node.get("properties", {}):
        if name not in names:
            yield f"add required-{name}", ((keyword, [*names, name]),)


def _change_type(keyword: str, node: Mapping[str, Any]) -> Iterator[NamedEdit]:
    value = node[keyword]
    yield from _drop_keyword(keyword, node)
    if value == "null":
        return
    for other in _WIDER_TYPES.get(value, ()):
        yield f"widen type-{other}", ((keyword, [value, other]),)
    yield "nullable type", ((keyword, [value, "null"]),)
    if value == "integer":
        yield "number type", ((keyword, "number"),)


_WIDER_TYPES: Mapping[str, tuple[str, ...]] = {
    "string": ("integer", "boolean", "array", "object"),
    "integer": ("string", "boolean"),
    "array": ("string", "object"),
    "object": ("array", "string"),
}


def _change_enum(keyword: str, node: Mapping[str, Any]) -> Iterator[NamedEdit]:
    values = node[keyword]
    yield from _drop_keyword(keyword, node)
    for value in values:
        if len(values) > 1:
            yield f"drop enum-{value}", ((keyword, [other for other in values if other != value]),)
        if isinstance(value, str):
            yield f"fold enum-{value}", ((keyword, [*values, value.upper()]),)
            yield f"add enum-{value}-blank", ((keyword, [*values, f"{value} "]),)
    yield "add enum-empty", ((keyword, [*values, ""]),)


def _change_const(keyword: str, node: Mapping[str, Any]) -> Iterator[NamedEdit]:
    yield "change const", ((keyword, f"not-{node[keyword]}"),)


def _change_default(keyword: str, node: Mapping[str, Any]) -> Iterator[NamedEdit]:
    value = node[keyword]
    yield from _drop_keyword(keyword, node)
    if "enum" in node:
        other = next((item for item in node["enum"] if item != value), value)
    elif isinstance(value, int) and not isinstance(value, bool):
        other = value + 1
    else:
        other = f"{value}x"
    yield "change default", ((keyword, other),)


def _change_conditional(keyword: str, node: Mapping[str, Any]) -> Iterator[NamedEdit]:
    then, otherwise = node.get("then", {}), node.get("else", {})
    yield "drop if", (("if", GONE), ("then", GONE), ("else", GONE))
    yield "drop then", (("then", GONE),)
    yield "drop else", (("else", GONE),)
    yield "invert if", (("then", otherwise), ("else", then))
    yield "condition-always if", ((keyword, True),)
    yield "condition-never if", ((keyword, False),)


def _drop_branches(keyword: str, node: Mapping[str, Any]) -> Iterator[NamedEdit]:
    yield from _drop_keyword(keyword, node)
    for number in range(len(node[keyword])):
        rest = [branch for place, branch in enumerate(node[keyword]) if place != number]
        if rest:
            yield f"drop {keyword}-{number}", ((keyword, rest),)


def _close_properties(keyword: str, node: Mapping[str, Any]) -> Iterator[NamedEdit]:
    yield "close additionalProperties", ((keyword, node[keyword] is not True),)


def _flip_required(keyword: str, node: Mapping[str, Any]) -> Iterator[NamedEdit]:
    yield f"{'optional' if node[keyword] else 'mandatory'} {keyword}", ((keyword, not node[keyword]),)


def _widen_content(keyword: str, node: Mapping[str, Any]) -> Iterator[NamedEdit]:
    first = next(iter(node[keyword].values()))
    yield "widen content", ((keyword, {**node[keyword], "text/plain": first}),)


_SCHEMA_OPERATORS: dict[str, Callable[[str, Mapping[str, Any]], Iterator[NamedEdit]]] = {
    "minimum": _shift_bound,
    "maximum": _shift_bound,
    "minLength": _shift_bound,
    "maxLength": _shift_bound,
    "minItems": _shift_bound,
    "maxItems": _shift_bound,
    "multipleOf": _drop_keyword,
    "uniqueItems": _drop_keyword,
    "pattern": _change_pattern,
    "format": _drop_keyword,
    "required": _change_required,
    "type": _change_type,
    "enum": _change_enum,
    "const": _change_const,
    "default": _change_default,
    "if": _change_conditional,
    "anyOf": _drop_branches,
    "oneOf": _drop_branches,
    "items": _drop_keyword,
    "additionalProperties": _close_properties,
}
_OBJECT_OPERATORS: dict[str, Callable[[str, Mapping[str, Any]], Iterator[NamedEdit]]] = {
    "required": _flip_required,
    "content": _widen_content,
}
