"""Tightening operators: a schema made stricter than the facts allow, by keywords that it does not have.

The operators of ``operators`` change keywords that are there, in both directions.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from contract_tests.mutation.operators import NamedEdit
from contract_tests.mutation.wrappers.storage import FREE_TEXT_RULE

#: The operators of this module. A mutant of these is equivalent only if it is listed, with a reason: that it
#: differs in an open case proves nothing about the other texts that it refuses.
TIGHTENING_OPERATORS = ("cap", "floor", "refuse")
#: The rule of objects that allow properties of any name.
CLOSED_RULE = "unknown-properties-ignored"
#: Bounds that a careless server would choose, where the contract has none.
_TEXT_CAPS = (255, 4096)
_ITEM_CAPS = (1, 10, 64)
_INTEGER_CAPS = (7, 8, 16, 99)

TextKind = Literal["text", "path", "slug", "uri", "uuid", ""]


@dataclass(frozen=True, slots=True)
class Narrowing:
    """A kind of text that is refused: ``lookahead`` goes to the start of the pattern, and refuses ``example``."""

    name: str
    kind: TextKind
    lookahead: str
    example: str


NARROWINGS: tuple[Narrowing, ...] = (
    Narrowing("ascii", "text", r"(?![\s\S]*[^\x00-\x7F])", "caf\u00e9"),
    Narrowing("one-line", "text", r"(?![\s\S]*[\r\n])", "one\ntwo"),
    Narrowing("trimmed", "text", r"(?!\s)(?![\s\S]*\s$)", " blank "),
    Narrowing("no-markup", "text", r"(?![\s\S]*[<>&])", "a < b"),
    Narrowing("leading-slash", "path", r"(?=/|$)", "health"),
    Narrowing("no-double-hyphen", "slug", r"(?!.*--)", "a--b"),
    Narrowing("no-hyphen", "slug", r"(?!.*-)", "a-b"),
    Narrowing("no-digit", "slug", r"(?!.*[0-9])", "a1b"),
    Narrowing("not-only-digits", "slug", r"(?![0-9]+$)", "123"),
    Narrowing("no-query", "uri", r"(?!.*\?)", "https://a.example.com/?b=c"),
    Narrowing("no-fragment", "uri", r"(?!.*#)", "https://a.example.com/#b"),
    Narrowing("no-port", "uri", r"(?![^/]*//[^/?#]*:[0-9]+)", "https://a.example.com:8443/"),
    Narrowing("no-user", "uri", r"(?![^/]*//[^/?#]*@)", "https://user@a.example.com/"),
    Narrowing("no-address", "uri", r"(?![^/]*//[0-9.]+([:/?#]|$))", "https://93.184.216.34/"),
    Narrowing("no-escape", "uri", r"(?!.*%)", "https://a.example.com/%20"),
    Narrowing("no-path", "uri", r"(?![^/]*//[^/]*/.)", "https://a.example.com/b"),
    Narrowing("path-needed", "uri", r"(?=[^/]*//[^/]*/)", "https://a.example.com"),
    Narrowing("lower-case-host", "uri", r"(?![^/]*//[^/?#]*[A-Z])", "https://A.example.com/"),
    Narrowing("version-4", "uuid", r"(?=.{14}4)", "0192f0c1-2b3c-7d4e-8f50-616263646566"),
    Narrowing("version-7", "uuid", r"(?=.{14}7)", "3c90c3cc-0d44-4b50-8888-8dd25736052a"),
)


def list_tightenings(name: str, schema: Mapping[str, Any]) -> Iterator[tuple[NamedEdit, tuple[str, ...]]]:
    """Yield every keyword that would make a property's schema stricter, with the rules that it breaks."""
    kind = schema.get("type")
    if kind == "string" and "enum" not in schema and "const" not in schema:
        yield from _tighten_text(name, schema)
    elif kind == "array":
        yield from _tighten_bounds(schema, "cap", "maxItems", _ITEM_CAPS)
        yield from _tighten_bounds(schema, "floor", "minItems", (1,))
    elif kind == "integer":
        yield from _tighten_bounds(schema, "cap", "maximum", _INTEGER_CAPS)
    elif kind == "object" and "additionalProperties" not in schema:
        yield ("close additionalProperties", (("additionalProperties", False),)), (CLOSED_RULE,)


def find_text_kind(name: str, schema: Mapping[str, Any]) -> TextKind:
    """Return the kind of text that a property holds; a path is also a text."""
    if schema.get("format") in ("uri", "uuid"):
        return "uri" if schema["format"] == "uri" else "uuid"
    if "format" in schema:
        return ""
    if "pattern" in schema:
        return "" if re.search(schema["pattern"], "/ ") else "slug"
    return "path" if name.endswith(("_path", "_url")) else "text"


def _tighten_text(name: str, schema: Mapping[str, Any]) -> Iterator[tuple[NamedEdit, tuple[str, ...]]]:
    kind = find_text_kind(name, schema)
    if kind in ("text", "path"):
        yield from _tighten_bounds(schema, "cap", "maxLength", _TEXT_CAPS)
        yield from _tighten_bounds(schema, "floor", "minLength", (1,))
    for narrowing in NARROWINGS:
        if narrowing.kind == kind or (narrowing.kind, kind) == ("text", "path"):
            yield (_narrow(narrowing, schema.get("pattern", ""))), find_nearest_rules(schema, "pattern")


def _narrow(narrowing: Narrowing, pattern: str) -> NamedEdit:
    rest = re.sub(r"^\^", "", pattern)
    return f"refuse pattern-{narrowing.name}", (("pattern", f"^{narrowing.lookahead}{rest}"),)


def _tighten_bounds(
    schema: Mapping[str, Any], operator: str, keyword: str, bounds: tuple[int, ...]
) -> Iterator[tuple[NamedEdit, tuple[str, ...]]]:
    if keyword not in schema:
        for bound in bounds:
            yield (f"{operator} {keyword}-{bound}", ((keyword, bound),)), find_nearest_rules(schema, keyword)


def find_nearest_rules(schema: Mapping[str, Any], keyword: str) -> tuple[str, ...]:
    """Return the rules that a new keyword breaks: those of related keywords, of free texts, and of the type."""
    rules = schema.get("x-rules", {})
    near = [
        rules[other] for other in (*_RELATED.get(keyword, ()), "type") if isinstance(rules.get(other), str)
    ]
    if schema.get("type") == "string" and not {"pattern", "format"} & set(schema):
        near.insert(0 if "maxLength" not in schema else len(near), FREE_TEXT_RULE)
    return tuple(dict.fromkeys(near))


_RELATED: Mapping[str, tuple[str, ...]] = {
    "minLength": ("maxLength",),
    "maximum": ("minimum",),
    "pattern": ("pattern", "format", "maxLength"),
}
