"""Export: views of the contract for other tools, with `oneOf` in place of `if/then/else`, or as OpenAPI 3.0.

A view keeps the components by name, because generators name their types after them. It has no `x-rules`, and no
`additionalProperties: true`: that is the default, and the generated types would otherwise accept misspelt names.
"""

import copy
from typing import Any

from mock_server.contract import document
from mock_server.contract.model import Node

_SCHEMAS = "#/components/schemas/"


def export_view(openapi: Node, *, one_of: bool = False, version: str = "3.1") -> Node:
    """Return a view of the document that accepts the same requests.

    OpenAPI 3.0 knows no `if/then/else`, so that its view always has `oneOf`.
    """
    if not one_of and version == "3.1":
        return copy.deepcopy(openapi)
    result: Node = _drop_rules(openapi)
    schemas = result["components"]["schemas"]
    for name in [name for name, schema in schemas.items() if "if" in schema]:
        _expand_conditional(schemas, name)
    return _to_openapi_3_0(result) if version == "3.0" else result


def _drop_rules(node: Any) -> Any:
    """Return a copy of a node without rules and without `additionalProperties: true`."""
    if isinstance(node, list):
        return [_drop_rules(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: _drop_rules(value)
        for key, value in node.items()
        if key != "x-rules" and (key, value) != ("additionalProperties", True)
    }


def _expand_conditional(schemas: Node, name: str) -> None:
    """Replace a conditional component by a `oneOf` of two new ones, one for each outcome of the condition.

    Each is named after the values of the deciding property: ExternalServiceCreate, DeployedServiceCreate.
    Only one form of condition is supported: a required property with a constant value and an enum of its own.
    """
    schema = schemas[name]
    condition = schema.pop("if")
    branches = schema.pop("then", {}), schema.pop("else", {})
    (deciding,) = condition["required"]
    constant = condition["properties"][deciding]["const"]
    kind = schema["properties"][deciding]["$ref"].removeprefix(_SCHEMAS)
    others = [value for value in schemas[kind]["enum"] if value != constant]
    variants = []
    for values, branch in zip(([constant], others), branches, strict=True):
        prefix = "".join(value.title() for value in values)
        variant = copy.deepcopy(schema)
        variant["description"] += f" Its `{deciding}` is {' or '.join(f'`{value}`' for value in values)}."
        variant["required"] += branch.get("required", [])
        variant["properties"][deciding]["$ref"] = f"{_SCHEMAS}{prefix}{kind}"
        if values == [constant]:
            variant["properties"][deciding].pop("default", None)
            variant["required"].append(deciding)
        schemas[f"{prefix}{kind}"] = {**schemas[kind], "enum": values}
        schemas[f"{prefix}{name}"] = variant
        variants.append({"$ref": f"{_SCHEMAS}{prefix}{name}"})
    schemas[name] = {"description": schema["description"], "oneOf": variants}


# --- OpenAPI 3.0


def _to_openapi_3_0(openapi: Node) -> Node:
    """Return a document without conditions as OpenAPI 3.0."""
    result: Node = _downgrade(openapi, openapi)
    result["openapi"] = "3.0.3"
    result.pop("jsonSchemaDialect", None)
    info = result["info"]
    info.pop("summary", None)
    info.get("license", {}).pop("identifier", None)
    return result


def _downgrade(openapi: Node, node: Any) -> Any:
    if isinstance(node, list):
        return [_downgrade(openapi, item) for item in node]
    if not isinstance(node, dict):
        return node
    if {"type": "null"} in node.get("anyOf", ()):
        return _to_nullable(openapi, node)
    result = {key: _downgrade(openapi, value) for key, value in node.items()}
    if result.get("required") == []:
        result.pop("required")
    if isinstance(result.get("type"), list):
        (kind,) = (kind for kind in result["type"] if kind != "null")
        result["type"], result["nullable"] = kind, "null" in result["type"]
    if str(result.get("$ref", "")).startswith(_SCHEMAS) and len(result) > 1:
        return {"allOf": [{"$ref": result.pop("$ref")}], **result}  # a `$ref` has no siblings in 3.0
    return result


def _to_nullable(openapi: Node, node: Node) -> Node:
    """Return an `anyOf` of a schema and null as a nullable schema.

    A reference is replaced by its target: beside `allOf`, `nullable` would not make the target accept null.
    """
    (branch,) = (branch for branch in node["anyOf"] if branch != {"type": "null"})
    if "$ref" in branch:
        branch = document.resolve_reference(openapi, branch["$ref"])
    siblings = {key: value for key, value in node.items() if key != "anyOf"}
    return {**_downgrade(openapi, branch), **siblings, "nullable": True}
