"""The contract as the API reference shows it: operations, properties, responses and examples, in words.

A document may lack anything, or hold another type than OpenAPI asks for: what cannot be shown is left out.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from mock_server.contract import document
from mock_server.contract.model import Contract, Node, Operation
from mock_server.contract.profile import declare_profile
from mock_server.web.responses import reason_phrase

_MAX_DEPTH = 8
#: Keywords that the page shows elsewhere, or that say nothing of a single value.
_SHOWN_ELSEWHERE = {
    "type", "format", "description", "title", "properties", "required", "items", "example", "examples",
    "anyOf", "oneOf", "allOf", "if", "then", "else", "not", "additionalProperties", "enum",
    "minLength", "maxLength", "minimum", "maximum", "minItems", "maxItems",
}  # fmt: skip
_WORDS = {"const": "always", "pattern": "matches"}
_RANGES = (
    ("minLength", "maxLength", " characters"),
    ("minimum", "maximum", ""),
    ("minItems", "maxItems", " items"),
)


def openapi_document(contracts: Sequence[Contract], server: str) -> str:
    """Return the first document with the paths of all, as their profiles change them; the only server is `server`."""
    first, *others = map(declare_profile, contracts)
    paths: dict[str, Any] = {}
    for other in others:
        paths |= document.inline_references(other).get("paths") or {}
    whole = {**first, "servers": [{"url": server}], "paths": {**paths, **(first.get("paths") or {})}}
    return json.dumps(whole, default=str, skipkeys=True)


def describe_operations(contract: Contract) -> list[dict[str, Any]]:
    """Return the operations of a contract in the order of its document."""
    nodes = document.iter_operations(document.inline_references(declare_profile(contract)))
    return [
        _describe_operation(contract, operation, node)
        for operation, (_, _, _, node) in zip(contract.operations, nodes, strict=True)
    ]


def _describe_operation(contract: Contract, operation: Operation, node: Node) -> dict[str, Any]:
    shared = {
        (_mapping(p).get("in"), _mapping(p).get("name")): _mapping(p) for p in node.get("parameters") or ()
    }
    content = _mapping(_mapping(node.get("requestBody")).get("content"))
    return {
        "id": operation.id,
        "method": operation.method,
        "path": operation.path,
        "summary": node.get("summary") or operation.id,
        "description": node.get("description"),
        "parameters": [
            {
                "name": parameter.name,
                "location": parameter.location,
                "required": parameter.required,
                "description": shared.get((parameter.location, parameter.name), {}).get("description"),
                "type": _type_name(parameter.schema.node),
                "constraints": list(_describe_constraints(parameter.schema.node)),
                "example": _to_text(shared.get((parameter.location, parameter.name), {}).get("example")),
            }
            for parameter in operation.parameters
        ],
        "media_type": next(iter(operation.media_types), None),
        "properties": list(_iter_properties(operation.body.node)) if operation.body else [],
        "examples": list(_iter_examples(_mapping(next(iter(content.values()), {})))),
        "responses": [
            _describe_response(str(status), _mapping(response))
            for status, response in _mapping(operation.responses).items()
        ],
        "rules": [
            rule
            for rule in contract.rules.values()
            if operation.id in rule.operations and contract.rule_enabled(rule.id)
        ],
    }


def _iter_properties(schema: Any, prefix: str = "", depth: int = 0) -> Iterator[dict[str, Any]]:
    """Yield the properties of an object schema, each before its own properties."""
    schema = _mapping(schema)
    required = schema.get("required")
    for name, node in _mapping(schema.get("properties")).items():
        node = _mapping(node)
        yield {
            "name": f"{prefix}{name}",
            "required": isinstance(required, list) and name in required,
            "type": _type_name(node),
            "constraints": list(_describe_constraints(node)),
            "description": node.get("description"),
        }
        if depth < _MAX_DEPTH:
            is_list = "properties" not in node and "items" in node
            inner = node["items"] if is_list else node
            yield from _iter_properties(inner, f"{prefix}{name}{'[]' if is_list else ''}.", depth + 1)


def _type_name(schema: Any) -> str:
    """Return the type of a value in words, such as `string (uuid) or null`."""
    schema = _mapping(schema)
    choices = schema.get("anyOf") or schema.get("oneOf")
    if "type" not in schema and isinstance(choices, list):
        return " or ".join(dict.fromkeys(_type_name(choice) for choice in choices))
    types = schema.get("type", "any value")
    name = " or ".join(map(str, types)) if isinstance(types, list) else str(types)
    if name == "array" and "items" in schema:
        return f"array of {_type_name(schema['items'])}"
    return f"{name} ({schema['format']})" if "format" in schema else name


def _describe_constraints(schema: Node) -> Iterator[tuple[str, str]]:
    """Yield each constraint on a value as words, and a value to show as code after them."""
    if isinstance(schema.get("enum"), list):
        yield "one of", ", ".join(map(_to_text, schema["enum"]))
    for lower, upper, unit in _RANGES:
        if lower in schema and upper in schema:
            yield f"{schema[lower]} to {schema[upper]}{unit}", ""
        elif lower in schema:
            yield f"at least {schema[lower]}{unit}", ""
        elif upper in schema:
            yield f"at most {schema[upper]}{unit}", ""
    for keyword, value in schema.items():
        if keyword not in _SHOWN_ELSEWHERE and not str(keyword).startswith("x-"):
            yield _WORDS.get(keyword, str(keyword)), _to_text(value)


def _describe_response(status: str, response: Node) -> dict[str, Any]:
    media_type, content = next(iter(_mapping(response.get("content")).items()), ("", {}))
    example = next(_iter_examples(_mapping(content)), None)
    return {
        "status": status,
        "phrase": reason_phrase(int(status)) if status.isascii() and status.isdigit() else "",
        "description": response.get("description"),
        "media_type": media_type,
        "example": example["text"] if example else "",
    }


def _iter_examples(content: Node) -> Iterator[dict[str, str]]:
    """Yield the examples of a media type: a name, and the value as indented JSON."""
    if "example" in content:
        yield {"name": "Example", "text": _to_json(content["example"])}
    for name, example in _mapping(content.get("examples")).items():
        example = _mapping(example)
        if "value" in example:
            yield {"name": str(example.get("summary") or name), "text": _to_json(example["value"])}


def _to_json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, default=str, skipkeys=True)


def _to_text(value: Any) -> str:
    """Return a value as people write it: a text without quotes, other values as JSON, nothing for None."""
    if value is None:
        return ""
    return (
        value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str, skipkeys=True)
    )


def _mapping(value: Any) -> Node:
    return value if isinstance(value, dict) else {}
