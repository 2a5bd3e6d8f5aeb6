"""The contract for tools that read less of it, made mechanically: `oneOf` for `if/then`, OpenAPI 3.0."""

import copy
from collections.abc import Iterator
from typing import Any

from mock_server import document
from mock_server.document import Node


def view(openapi: Node, *, one_of: bool = False, version: str = "3.1") -> Node:
    """The document in a view of its own; it accepts the same requests."""
    if not one_of and version == "3.1":
        return copy.deepcopy(openapi)
    result = document.inlined(openapi) if version == "3.0" else copy.deepcopy(openapi)
    for media in _bodies(result):
        node = media["schema"]
        if "$ref" in node:
            node = document.target(openapi, node["$ref"])
        media["schema"] = _expanded(copy.deepcopy(node)) if "if" in node else media["schema"]
    return _three_zero(result) if version == "3.0" else result


def _bodies(openapi: Node) -> Iterator[Node]:
    for _, _, _, operation in document.operations(openapi):
        for media in ((operation.get("requestBody") or {}).get("content") or {}).values():
            if isinstance(media.get("schema"), dict):
                yield media


def _expanded(schema: Node) -> Node:
    """Two whole schemas, one per branch: the condition holds in the first and in the second it does not.

    The condition is of one form: a property is required and is a constant.
    """
    condition = schema.pop("if")
    branches = {"then": schema.pop("then", {}), "else": schema.pop("else", {})}
    (name,) = condition["required"]
    constant = condition["properties"][name]["const"]
    held = _joined(copy.deepcopy(schema), branches["then"])
    held["properties"][name] = _narrowed(held["properties"][name], [constant])
    held["required"] = [*held["required"], name]
    rest = _joined(copy.deepcopy(schema), branches["else"])
    rest["properties"][name] = _narrowed(rest["properties"][name], None, but=constant)
    held["properties"][name].pop("default", None)
    return {"description": schema.get("description", ""), "oneOf": [held, rest]}


def _joined(schema: Node, branch: Node) -> Node:
    """A schema with what a branch requires beside what it requires itself."""
    rules = {**_required_rules(schema), **_required_rules(branch)}
    schema["required"] = [*schema.get("required", ()), *branch.get("required", ())]
    if rules:
        schema["x-rules"] = {**schema.get("x-rules", {}), "required": rules}
    return schema


def _required_rules(schema: Node) -> Node:
    rules = schema.get("x-rules", {}).get("required", {})
    return rules if isinstance(rules, dict) else {}


def _narrowed(schema: Node, values: list[Any] | None, but: Any = None) -> Node:
    """The schema of a property whose values are these, or are the rest of its own."""
    whole = dict(schema)
    whole["enum"] = values if values is not None else [value for value in whole["enum"] if value != but]
    return whole


# --- OpenAPI 3.0


def _three_zero(openapi: Node) -> Node:
    """The document in OpenAPI 3.0; references are inlined already."""
    result: Node = _older(openapi)
    result["openapi"] = "3.0.3"
    result.pop("jsonSchemaDialect", None)
    info = result["info"]
    info.pop("summary", None)
    if "identifier" in info.get("license", {}):
        info["license"].pop("identifier")
    schemes = result["components"].get("securitySchemes", {})
    result["components"] = {"securitySchemes": schemes}
    return result


def _older(node: Any) -> Any:
    if isinstance(node, list):
        return [_older(item) for item in node]
    if not isinstance(node, dict):
        return node
    result = {key: _older(value) for key, value in node.items() if key != "x-rules"}
    if result.get("required") == []:
        result.pop("required")
    if isinstance(result.get("anyOf"), list) and {"type": "null"} in result["anyOf"]:
        return _nullable(result)
    if isinstance(result.get("type"), list):
        kinds = [kind for kind in result["type"] if kind != "null"]
        result["type"], result["nullable"] = kinds[0], "null" in result["type"]
    return result


def _nullable(node: Node) -> Node:
    """`anyOf` of a schema and null, as `nullable` beside the schema."""
    branches = [branch for branch in node.pop("anyOf") if branch != {"type": "null"}]
    return {**branches[0], **node, "nullable": True}
