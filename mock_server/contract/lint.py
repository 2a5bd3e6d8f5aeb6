"""Lint: each keyword of a document names its rule, and each rule is enforced exactly once."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from mock_server.contract import document, resources
from mock_server.contract.model import Node
from mock_server.contract.resources import UnusableFileError

#: The keywords of a schema that refuse, accept or fill in a value.
# fmt: off
KEYWORDS = frozenset(
    {"type", "enum", "const", "format", "pattern", "minLength", "maxLength", "minimum", "maximum",
     "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minItems", "maxItems", "uniqueItems",
     "minContains", "maxContains", "contains", "required", "dependentRequired", "minProperties",
     "maxProperties", "propertyNames", "not", "additionalProperties", "unevaluatedProperties", "default"}
)
# fmt: on
#: Keywords with subschemas, except `if`, `not` and `contains`, whose subschemas refuse nothing by themselves.
_ONE = ("then", "else", "items", "additionalProperties", "propertyNames")
_MANY = ("anyOf", "oneOf", "allOf", "prefixItems")
_NAMED = ("properties", "patternProperties", "dependentSchemas")
#: Keywords that may stand both beside a reference and in its target.
_SIBLINGS = frozenset(
    {"$ref", "description", "summary", "title", "default", "example", "examples", "x-rules"}
)


@dataclass(frozen=True, slots=True)
class KeywordPlace:
    """A constraint keyword of the document, and the rules beside it."""

    pointer: str
    keyword: str
    rules: tuple[str, ...]


def check_document(spec: Path) -> None:
    """Raise UnusableFileError if the file is not a valid OpenAPI document."""
    loaded = resources.read_yaml(spec)
    # The import is slow, and the packaged document needs no check.
    from openapi_spec_validator import OpenAPIV30SpecValidator, OpenAPIV31SpecValidator

    if not isinstance(loaded, dict):
        raise UnusableFileError(f"{spec}: not a mapping; name an OpenAPI document")
    # Before a validator follows references to other files, or to the network.
    document.inline_references(loaded)
    is_3_0 = str(loaded.get("openapi", "")).startswith("3.0")
    validator = (OpenAPIV30SpecValidator if is_3_0 else OpenAPIV31SpecValidator)(loaded)
    for error in validator.iter_errors():
        tail, value = tuple(getattr(error, "absolute_path", ())), getattr(error, "instance", None)
        # An error within a schema has its path from there only.
        path = next(
            (one for one, found in _iter_values(loaded) if one[-len(tail) :] == tail and found == value), tail
        )
        place = "/".join(map(str, path)) if tail else "the document"
        line = _find_line(spec, path) if tail else 0
        message = str(getattr(error, "message", error)).partition("\n")[0]  # the rest repeats the value
        raise UnusableFileError(
            f"{spec}{f':{line}' if line else ''}: at {place}: {message[:200]}; correct it"
        )


def _iter_values(node: object, path: tuple[object, ...] = ()) -> Iterator[tuple[tuple[object, ...], object]]:
    """Yield each value of a document with its path."""
    yield path, node
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in inner:
        yield from _iter_values(value, (*path, key))


def _find_line(spec: Path, path: Iterable[object]) -> int:
    """Return the line of the value at a path of a file, 0 if it stands elsewhere, such as behind an alias."""
    node, line = yaml.compose(resources.read_text(spec), Loader=yaml.CSafeLoader), 0
    for key in path:
        if isinstance(node, yaml.SequenceNode) and isinstance(key, int):
            node = node.value[key]
        elif isinstance(node, yaml.MappingNode):
            node = next((value for name, value in node.value if name.value == str(key)), None)
        line = node.start_mark.line + 1 if node else 0
    return line


def iter_request_keywords(whole: Node) -> Iterator[KeywordPlace]:
    """Yield the constraint keywords of the requests of an inlined document."""
    for path, method, item, operation in document.iter_operations(whole):
        name = operation.get("operationId") or f"{method} {path}"
        for parameter in (*item.get("parameters", ()), *operation.get("parameters", ())):
            pointer = f"{name}/{parameter['name']}"
            if not (parameter["in"] == "path" and "required" not in parameter.get("x-rules", {})):
                yield KeywordPlace(pointer, "required", _rules_beside(parameter, "required"))
            yield from _iter_keywords(parameter.get("schema") or {}, pointer)
        content = (operation.get("requestBody") or {}).get("content") or {}
        for media in content.values():
            yield from _iter_keywords(media.get("schema") or {}, f"{name}/body")


def iter_response_keywords(whole: Node) -> Iterator[KeywordPlace]:
    """Yield the constraint keywords of the success responses of an inlined document."""
    for path, method, _, operation in document.iter_operations(whole):
        name = operation.get("operationId") or f"{method} {path}"
        for status, response in (operation.get("responses") or {}).items():
            for media in ((response.get("content") or {}) if str(status).startswith("2") else {}).values():
                yield from _iter_keywords(media.get("schema") or {}, f"{name}/{status}")


def _iter_keywords(schema: Any, pointer: str) -> Iterator[KeywordPlace]:
    if not isinstance(schema, dict):
        return
    for keyword in schema:
        if keyword in KEYWORDS:
            yield KeywordPlace(pointer, keyword, _rules_beside(schema, keyword))
    for keyword in _ONE:
        yield from _iter_keywords(schema.get(keyword), f"{pointer}/{keyword}")
    for keyword in _MANY:
        for number, branch in enumerate(schema.get(keyword, ())):
            yield from _iter_keywords(branch, f"{pointer}/{keyword}/{number}")
    for keyword in _NAMED:
        for name, branch in schema.get(keyword, {}).items():
            yield from _iter_keywords(branch, f"{pointer}/{keyword}/{name}")


def _rules_beside(node: Node, keyword: str) -> tuple[str, ...]:
    """Return the rules beside a keyword; empty if it, or a name that it requires, has no rule."""
    entry = (node.get("x-rules") or {}).get(keyword)
    if not isinstance(entry, dict):
        return (entry,) if entry else ()
    names = node.get(keyword) or ()
    return tuple(entry[name] for name in names) if set(entry) == set(names) else ()


def find_problems(openapi: Node, rules: Mapping[str, object], in_code: frozenset[str]) -> Iterator[str]:
    """Yield one line per problem; `in_code` are the rules that the mock enforces in Python."""
    whole = document.inline_references(openapi)
    yield from _find_ref_siblings(openapi, "#")
    yield from _find_unused_rules(whole, "#")
    for rule in dict.fromkeys(document.iter_rule_ids(whole)):
        if rule not in rules:
            yield f"x-rules names {rule}, which is not in rules.yaml; add it there or correct the name"
    enforced: set[str] = set()
    for place in (*iter_request_keywords(whole), *iter_response_keywords(whole)):
        if not place.rules:
            yield f"{place.pointer}: {place.keyword} names no rule; add x-rules: {{{place.keyword}: RULE}}"
    for place in iter_request_keywords(whole):
        enforced.update(place.rules)
    for rule in rules:
        if rule not in enforced and rule not in in_code:
            yield f"rules.yaml: {rule} is not enforced; name it beside a keyword in x-rules"
        if rule in enforced and rule in in_code:
            yield f"{rule} is enforced twice: beside a keyword and in the mock; remove it from x-rules"
    for rule in sorted(in_code - set(rules)):
        yield f"rules.yaml: the mock enforces {rule}, which is not there; add it"


def _find_unused_rules(node: Any, pointer: str) -> Iterator[str]:
    """Yield the rules of missing keywords."""
    if isinstance(node, list):
        for number, item in enumerate(node):
            yield from _find_unused_rules(item, f"{pointer}/{number}")
    if not isinstance(node, dict):
        return
    for keyword in node.get("x-rules") or ():
        if keyword not in node:
            yield f"{pointer}: x-rules names a rule for {keyword}, which is not there; remove it"
    for key, value in node.items():
        if key != "x-rules":
            yield from _find_unused_rules(value, f"{pointer}/{key}")


def _find_ref_siblings(node: Any, pointer: str) -> Iterator[str]:
    """Yield the constraint keywords beside references: the mock would use one of them, a validator both."""
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in children:
        if isinstance(value, dict) and isinstance(value.get("$ref"), str):
            yield from _check_ref_siblings(value, f"{pointer}/{key}")
        yield from _find_ref_siblings(value, f"{pointer}/{key}")


def _check_ref_siblings(node: Node, pointer: str) -> Iterator[str]:
    for keyword in sorted(set(node) - _SIBLINGS):
        yield f"{pointer}: {keyword} beside $ref; move it into the target, or inline the reference"
