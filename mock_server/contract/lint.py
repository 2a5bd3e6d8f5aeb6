"""Whether the names of a document and of its catalogue meet: each keyword its rule, each rule its keyword."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mock_server.contract import document, resources
from mock_server.contract.model import Node
from mock_server.contract.resources import UnusableFileError

#: The keywords of a schema that say what is refused, accepted or filled in.
# fmt: off
KEYWORDS = frozenset(
    {"type", "enum", "const", "format", "pattern", "minLength", "maxLength", "minimum", "maximum",
     "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minItems", "maxItems", "uniqueItems",
     "minContains", "maxContains", "contains", "required", "dependentRequired", "minProperties",
     "maxProperties", "propertyNames", "not", "additionalProperties", "unevaluatedProperties", "default"}
)
# fmt: on
#: Where schemas lie within a schema; what lies under `if`, `not` or `contains` refuses nothing by itself.
_ONE = ("then", "else", "items", "additionalProperties", "propertyNames")
_MANY = ("anyOf", "oneOf", "allOf", "prefixItems")
_NAMED = ("properties", "patternProperties", "dependentSchemas")
#: What may stand beside a reference and in its target.
_SIBLINGS = frozenset(
    {"$ref", "description", "summary", "title", "default", "example", "examples", "x-rules"}
)


@dataclass(frozen=True, slots=True)
class KeywordPlace:
    """A keyword of the document that a rule says, or should say."""

    pointer: str
    keyword: str
    rules: tuple[str, ...]


def check_document(spec: Path) -> None:
    """Refuses a document that is no OpenAPI; the validator loads slowly, so only documents of others pay."""
    loaded = resources.read_yaml(spec)
    from openapi_spec_validator import OpenAPIV30SpecValidator, OpenAPIV31SpecValidator

    if not isinstance(loaded, dict):
        raise UnusableFileError(f"{spec}: not a mapping; name an OpenAPI document")
    older = str(loaded.get("openapi", "")).startswith("3.0")
    validator = (OpenAPIV30SpecValidator if older else OpenAPIV31SpecValidator)(loaded)
    for error in validator.iter_errors():
        place = "/".join(map(str, getattr(error, "absolute_path", ()))) or "the document"
        said = str(getattr(error, "message", error))
        raise UnusableFileError(f"{spec}: at {place}: {said[:200]}; mend it")


def iter_request_keywords(whole: Node) -> Iterator[KeywordPlace]:
    """The constraint keywords on the request side of an inlined document."""
    for path, method, item, operation in document.iter_operations(whole):
        name = operation.get("operationId") or f"{method} {path}"
        for parameter in (*item.get("parameters", ()), *operation.get("parameters", ())):
            at = f"{name}/{parameter['name']}"
            if not (parameter["in"] == "path" and "required" not in parameter.get("x-rules", {})):
                yield KeywordPlace(at, "required", _rules_beside(parameter, "required"))
            yield from _iter_keywords(parameter.get("schema") or {}, at)
        content = (operation.get("requestBody") or {}).get("content") or {}
        for media in content.values():
            yield from _iter_keywords(media.get("schema") or {}, f"{name}/body")


def iter_response_keywords(whole: Node) -> Iterator[KeywordPlace]:
    """The constraint keywords of the success answers of an inlined document."""
    for path, method, _, operation in document.iter_operations(whole):
        name = operation.get("operationId") or f"{method} {path}"
        for status, response in (operation.get("responses") or {}).items():
            for media in ((response.get("content") or {}) if str(status).startswith("2") else {}).values():
                yield from _iter_keywords(media.get("schema") or {}, f"{name}/{status}")


def _iter_keywords(schema: Any, at: str) -> Iterator[KeywordPlace]:
    if not isinstance(schema, dict):
        return
    for keyword in schema:
        if keyword in KEYWORDS:
            yield KeywordPlace(at, keyword, _rules_beside(schema, keyword))
    for keyword in _ONE:
        yield from _iter_keywords(schema.get(keyword), f"{at}/{keyword}")
    for keyword in _MANY:
        for number, branch in enumerate(schema.get(keyword, ())):
            yield from _iter_keywords(branch, f"{at}/{keyword}/{number}")
    for keyword in _NAMED:
        for name, branch in schema.get(keyword, {}).items():
            yield from _iter_keywords(branch, f"{at}/{keyword}/{name}")


def _rules_beside(node: Node, keyword: str) -> tuple[str, ...]:
    """The rules beside a keyword; empty where it, or a name that it requires, has none."""
    said = (node.get("x-rules") or {}).get(keyword)
    if not isinstance(said, dict):
        return (said,) if said else ()
    names = node.get(keyword) or ()
    return tuple(said[name] for name in names) if set(said) == set(names) else ()


def find_problems(openapi: Node, rules: Mapping[str, object], in_code: frozenset[str]) -> Iterator[str]:
    """What is wrong with the names, a line each. `in_code` are the rules that no keyword enforces."""
    whole = document.inline_references(openapi)
    yield from _find_ref_siblings(openapi, "#")
    yield from _find_unused_rules(whole, "#")
    for rule in dict.fromkeys(document.iter_rule_ids(whole)):
        if rule not in rules:
            yield f"x-rules names {rule}, which rules.yaml does not have; add it there or correct the name"
    enforced: set[str] = set()
    for place in (*iter_request_keywords(whole), *iter_response_keywords(whole)):
        if not place.rules:
            yield f"{place.pointer}: {place.keyword} names no rule; add x-rules: {{{place.keyword}: RULE}}"
    for place in iter_request_keywords(whole):
        enforced.update(place.rules)
    for rule in rules:
        if rule not in enforced and rule not in in_code:
            yield f"rules.yaml: {rule} is enforced nowhere; name it beside a keyword in x-rules"
        if rule in enforced and rule in in_code:
            yield f"{rule} is enforced twice: beside a keyword and in the mock; remove it from x-rules"
    for rule in sorted(in_code - set(rules)):
        yield f"rules.yaml: the mock enforces {rule}, which is not there; add it"


def _find_unused_rules(node: Any, at: str) -> Iterator[str]:
    """A rule beside a keyword that is not there."""
    if isinstance(node, list):
        for number, item in enumerate(node):
            yield from _find_unused_rules(item, f"{at}/{number}")
    if not isinstance(node, dict):
        return
    for keyword in node.get("x-rules") or ():
        if keyword not in node:
            yield f"{at}: x-rules names a rule for {keyword}, which is not there; remove it"
    for key, value in node.items():
        if key != "x-rules":
            yield from _find_unused_rules(value, f"{at}/{key}")


def _find_ref_siblings(node: Any, at: str) -> Iterator[str]:
    """A keyword beside a reference that its target has too: the mock would take one, a validator both."""
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in children:
        if isinstance(value, dict) and isinstance(value.get("$ref"), str):
            yield from _ref_siblings(value, f"{at}/{key}")
        yield from _find_ref_siblings(value, f"{at}/{key}")


def _ref_siblings(node: Node, at: str) -> Iterator[str]:
    for keyword in sorted(set(node) - _SIBLINGS):
        yield f"{at}: {keyword} beside $ref; write it into the target, or write the schema out"
