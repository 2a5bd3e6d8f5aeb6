"""The operations of the contract, with every reference resolved."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from contract_tests.contract.resources import data_file

HTTP_METHODS = ("get", "put", "post", "delete", "patch")


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: ``path`` is relative to the base URL, ``body_schema`` contains no references."""

    id: str
    method: str
    path: str
    body_schema: Mapping[str, Any]

    @property
    def path_parameter(self) -> str:
        """The name of its path parameter, empty if it has none."""
        return self.path.partition("{")[2].partition("}")[0]


@dataclass(frozen=True, slots=True)
class Spec:
    """The OpenAPI document, and its operations by id."""

    document: Mapping[str, Any]
    operations: Mapping[str, Operation]


def load_document(path: Path) -> dict[str, Any]:
    """Return a YAML or JSON document; raise ValueError if it is not an OpenAPI document."""
    document = yaml.load(path.read_text("utf-8"), Loader=yaml.CSafeLoader)
    if not isinstance(document, dict) or "paths" not in document:
        raise ValueError(f"{path} is not an OpenAPI document")
    return document


def load_spec(path: Path | None = None, readback: Path | None = None) -> Spec:
    """Read the contract and the read-back operation beside it."""
    document = load_document(path or data_file("spec/openapi.yaml"))
    observer = load_document(readback or data_file("spec/readback.yaml"))
    return Spec(document, {op.id: op for doc in (document, observer) for op in list_operations(doc)})


def list_operations(document: Mapping[str, Any]) -> list[Operation]:
    """Return the operations of a document, in its order."""
    found: list[Operation] = []
    for path, item in document["paths"].items():
        for method in HTTP_METHODS:
            if method in item:
                content = resolve_references(item[method].get("requestBody", {}), document).get("content", {})
                body = content.get("application/json", {}).get("schema", {})
                found.append(Operation(item[method]["operationId"], method.upper(), path, body))
    return found


def resolve_references(node: Any, document: Mapping[str, Any]) -> Any:
    """Return the node with every ``$ref`` replaced, and its sibling keys merged over the target."""
    if isinstance(node, list):
        return [resolve_references(item, document) for item in node]
    if not isinstance(node, Mapping):
        return node
    if not isinstance(node.get("$ref"), str):
        return {key: resolve_references(value, document) for key, value in node.items()}
    target: Any = document
    for part in node["$ref"].removeprefix("#/").split("/"):
        target = target[part.replace("~1", "/").replace("~0", "~")]
    merged = dict(resolve_references(target, document))
    for key, value in node.items():
        if key != "$ref":
            beside = resolve_references(value, document)
            merged[key] = {**merged.get(key, {}), **beside} if key == "x-rules" else beside
    return merged
