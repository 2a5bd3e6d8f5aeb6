"""Generation view: the contract's bodies alone, with the conditional requirement as two whole schemas."""

from collections.abc import Mapping
from typing import Any

from contract_tests.contract.spec import Operation, Spec

_WRITE_OPERATIONS = ("createContainer", "updateContainer")


def build_generation_view(spec: Spec) -> dict[str, Any]:
    """Return a document with only the bodies of the two operations; ``if/then/else`` is expanded.

    Generators leave out conditionally required properties only if each branch is a schema by itself.
    """
    paths: dict[str, Any] = {}
    for operation in (spec.operations[name] for name in _WRITE_OPERATIONS):
        parameters = [
            {"name": operation.path_parameter, "in": "path", "required": True, "schema": {"type": "string"}}
        ] if operation.path_parameter else []  # fmt: skip
        paths.setdefault(operation.path, {})[operation.method.lower()] = {
            "operationId": operation.id,
            "parameters": parameters,
            "requestBody": {
                "required": True,
                "content": {
                    "application/json": {
                        "schema": expand_conditions(_strip_annotations(operation.body_schema))
                    }
                },
            },
            "responses": {"default": {"description": "Any answer."}},
        }
    info = {"title": "Bodies", "version": "1"}
    return {"openapi": "3.1.0", "info": info, "paths": paths}


def expand_conditions(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return an equivalent schema, with ``if/then/else`` as a ``oneOf`` of two whole schemas."""
    if "if" not in schema:
        return dict(schema)
    base = {key: value for key, value in schema.items() if key not in ("if", "then", "else")}
    condition = schema["if"]
    holds = _merge_schemas(_merge_schemas(base, condition), schema.get("then", {}))
    fails = _merge_schemas(base, schema.get("else", {}))
    names = set(condition.get("required", ()))
    if names == set(condition.get("properties", {})) and len(names) == 1:
        (name,) = names
        fails = _merge_schemas(
            fails,
            {
                "properties": {
                    name: _build_complement(base["properties"][name], condition["properties"][name])
                }
            },
        )
    else:
        fails["not"] = condition
    return {"oneOf": [holds, fails]}


def _build_complement(schema: Mapping[str, Any], chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of a property for all values except the chosen constant."""
    if "enum" in schema and "const" in chosen:
        return {"enum": [item for item in schema["enum"] if item != chosen["const"]]}
    return {"not": dict(chosen)}


def _merge_schemas(schema: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(schema)
    for key, value in more.items():
        if key == "required":
            merged[key] = [*dict.fromkeys([*merged.get(key, ()), *value])]
        elif key == "properties":
            old = merged.get(key, {})
            merged[key] = {**old, **{name: {**old.get(name, {}), **part} for name, part in value.items()}}
        else:
            merged[key] = value
    return merged


def _strip_annotations(node: Any) -> Any:
    if isinstance(node, Mapping):
        return {k: _strip_annotations(v) for k, v in node.items() if k not in ("x-rules", "description")}
    return [_strip_annotations(item) for item in node] if isinstance(node, list) else node


def list_write_operations(spec: Spec) -> tuple[Operation, ...]:
    """Return the two operations of the contract."""
    return tuple(spec.operations[name] for name in _WRITE_OPERATIONS)
