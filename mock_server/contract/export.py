"""Export: views of the contract for other tools, with `oneOf` in place of `if/then`, or as OpenAPI 3.0."""

import copy
from collections.abc import Iterator
from typing import Any

from mock_server.contract import document
from mock_server.contract.model import Node


def export_view(openapi: Node, *, one_of: bool = False, version: str = "3.1") -> Node:
    """Return a view of the document that accepts the same requests."""
    if not one_of and version == "3.1":
        return copy.deepcopy(openapi)
    result = document.inline_references(openapi) if version == "3.0" else copy.deepcopy(openapi)
    for schema in _iter_body_schemas(result):
        if "if" in schema:
            expanded = _expand_conditional(openapi, copy.deepcopy(schema))
            schema.clear()
            schema.update(expanded)
    return _to_openapi_3_0(result) if version == "3.0" else result


def _iter_body_schemas(openapi: Node) -> Iterator[Node]:
    """Yield the schema of each request body as a mutable part of the document."""
    for _, _, _, operation in document.iter_operations(openapi):
        for media in ((operation.get("requestBody") or {}).get("content") or {}).values():
            schema = media.get("schema") or {}
            yield document.resolve_reference(openapi, schema["$ref"]) if "$ref" in schema else schema


def _expand_conditional(openapi: Node, schema: Node) -> Node:
    """Return a `oneOf` of two complete schemas, one for each outcome of the condition.

    Only one form of condition is supported: a required property with a constant value.
    """
    condition = schema.pop("if")
    then, otherwise = schema.pop("then", {}), schema.pop("else", {})
    (name,) = condition["required"]
    constant = condition["properties"][name]["const"]
    deciding = schema["properties"][name]
    if "$ref" in deciding:
        target = document.resolve_reference(openapi, deciding["$ref"])
        siblings = {key: value for key, value in deciding.items() if key != "$ref"}
        deciding = document.merge_nodes(target, siblings)
    if_true = _merge_required(copy.deepcopy(schema), then)
    if_false = _merge_required(copy.deepcopy(schema), otherwise)
    if_true["properties"][name] = {**deciding, "enum": [constant]}
    if_true["properties"][name].pop("default", None)
    if_true["required"].append(name)
    if_false["properties"][name] = {**deciding, "enum": [v for v in deciding["enum"] if v != constant]}
    return {"description": schema.get("description", ""), "oneOf": [if_true, if_false]}


def _merge_required(schema: Node, branch: Node) -> Node:
    """Add the required properties of a branch, and their rules, to a schema."""
    rules = {**_required_rules(schema), **_required_rules(branch)}
    schema["required"] = [*schema.get("required", ()), *branch.get("required", ())]
    if rules:
        schema["x-rules"] = {**schema.get("x-rules", {}), "required": rules}
    return schema


def _required_rules(schema: Node) -> Node:
    rules = schema.get("x-rules", {}).get("required", {})
    return rules if isinstance(rules, dict) else {}


# --- OpenAPI 3.0


def _to_openapi_3_0(openapi: Node) -> Node:
    """Return an inlined document as OpenAPI 3.0."""
    result: Node = _downgrade_schema(openapi)
    result["openapi"] = "3.0.3"
    result.pop("jsonSchemaDialect", None)
    info = result["info"]
    info.pop("summary", None)
    if "identifier" in info.get("license", {}):
        info["license"].pop("identifier")
    schemes = result["components"].get("securitySchemes", {})
    result["components"] = {"securitySchemes": schemes}
    return result


def _downgrade_schema(node: Any) -> Any:
    if isinstance(node, list):
        return [_downgrade_schema(item) for item in node]
    if not isinstance(node, dict):
        return node
    result = {key: _downgrade_schema(value) for key, value in node.items() if key != "x-rules"}
    if result.get("required") == []:
        result.pop("required")
    if isinstance(result.get("anyOf"), list) and {"type": "null"} in result["anyOf"]:
        return _to_nullable(result)
    if isinstance(result.get("type"), list):
        kinds = [kind for kind in result["type"] if kind != "null"]
        result["type"], result["nullable"] = kinds[0], "null" in result["type"]
    return result


def _to_nullable(node: Node) -> Node:
    """Return an `anyOf` of a schema and null as a nullable schema."""
    branches = [branch for branch in node.pop("anyOf") if branch != {"type": "null"}]
    return {**branches[0], **node, "nullable": True}
