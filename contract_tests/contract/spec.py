"""The operations of the contract, with every reference resolved."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from contract_tests.contract.files.yaml_file import read_yaml
from contract_tests.contract.resources import data_file

_MAX_NODES = 100_000
HTTP_METHODS = ("get", "put", "post", "delete", "patch")
_REQUIRED_OPERATIONS = ("createContainer", "updateContainer")


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
    """The OpenAPI document, its operations by id, and its file (None for the kit's own)."""

    document: Mapping[str, Any]
    operations: Mapping[str, Operation]
    path: Path | None = field(default=None, compare=False, repr=False)


def load_document(path: Path) -> dict[str, Any]:
    """Return a YAML or JSON document; raise ValueError if it is not an OpenAPI document."""
    document = read_yaml(path)
    if not isinstance(document, dict) or "paths" not in document:
        raise ValueError(f"{path} is not an OpenAPI document")
    return document


def load_spec(path: Path | None = None, readback: Path | None = None) -> Spec:
    """Read the contract and the read-back operation beside it; raise ValueError if an operation is unusable."""
    files = (path or data_file("spec/openapi.yaml"), readback or data_file("spec/readback.yaml"))
    documents = [load_document(file) for file in files]
    operations: dict[str, Operation] = {}
    for file, document in zip(files, documents, strict=True):
        try:
            operations |= {operation.id: operation for operation in list_operations(document)}
        except ValueError as error:
            raise ValueError(f"{file}: {error}") from None
    for name in _REQUIRED_OPERATIONS:
        if name not in operations:
            raise ValueError(f"{files[0]} has no operation {name}; see spec/openapi.yaml for an example")
        if "properties" not in operations[name].body_schema:
            raise ValueError(
                f"{files[0]}: {name}: expected one schema with properties,"
                " as mock-server spec prints it without --one-of and --openapi"
            )
    return Spec(documents[0], operations, path)


def list_operations(document: Mapping[str, Any]) -> list[Operation]:
    """Return the operations of a document, in its order; raise ValueError for a part of another type."""
    paths = _require_mapping(document["paths"], "paths")
    return [
        _read_operation(path, method, item[method], document)
        for path, item in paths.items()
        if not str(path).startswith("x-")
        for method in HTTP_METHODS
        if method in _require_mapping(item, f"paths.{path}")
    ]


def _read_operation(path: Any, method: str, node: Any, document: Mapping[str, Any]) -> Operation:
    place = f"paths.{path}.{method}"
    path = _require_text(path, place)
    name = _require_text(_require_mapping(node, place).get("operationId"), f"{place}.operationId")
    place = f"{place}.requestBody"
    body = _require_mapping(resolve_references(node.get("requestBody", {}), document), place)
    for key in ("content", "application/json", "schema"):
        place = f"{place}.{key}"
        body = _require_mapping(body.get(key, {}), place)
    return Operation(name, method.upper(), path, body)


def _require_text(value: Any, place: str) -> str:
    if isinstance(value, str):
        return value
    raise ValueError(f"{place}: expected a string")


def _require_mapping(value: Any, place: str) -> Mapping[str, Any]:
    if isinstance(value, Mapping):
        return value
    raise ValueError(f"{place}: expected an object")


def resolve_references(node: Any, document: Mapping[str, Any]) -> Any:
    """Return the node with every ``$ref`` replaced, and its sibling keys merged over the target.

    Raise ValueError for a reference to another document, to nothing or to itself, and for a document that becomes
    too large.
    """
    return _Resolver(document).resolve(node)


@dataclass(slots=True)
class _Resolver:
    """Resolves the references of one document; ``nodes`` counts what it has returned."""

    document: Mapping[str, Any]
    nodes: int = 0

    def resolve(self, node: Any, parents: tuple[str, ...] = ()) -> Any:
        self.nodes += 1
        if self.nodes > _MAX_NODES:
            raise ValueError("the document is too large once its references are resolved")
        if isinstance(node, list):
            return [self.resolve(item, parents) for item in node]
        if not isinstance(node, Mapping):
            return node
        dynamic, reference = node.get("$dynamicRef"), node.get("$ref")
        if isinstance(dynamic, str) and not dynamic.startswith("#"):
            raise ValueError(f"{dynamic} is no reference within the document")
        if not isinstance(reference, str):
            return {key: self.resolve(value, parents) for key, value in node.items()}
        if reference in parents:
            raise ValueError(f"{reference} refers to itself")
        merged = dict(self.resolve(self._find(reference), (*parents, reference)))
        for key, value in node.items():
            if key != "$ref":
                beside = self.resolve(value, parents)
                both = key == "x-rules" and isinstance(beside, dict) and isinstance(merged.get(key, {}), dict)
                merged[key] = {**merged.get(key, {}), **beside} if both else beside
        return merged

    def _find(self, reference: str) -> Mapping[str, Any]:
        if not reference.startswith("#/"):
            raise ValueError(
                f"{reference} is no reference within the document; move its target into the document"
            )
        target: Any = self.document
        for part in reference[2:].split("/"):
            key = part.replace("~1", "/").replace("~0", "~")
            target = target.get(key) if isinstance(target, Mapping) else None
        if isinstance(target, Mapping):
            return target
        raise ValueError(f"{reference} points to no object; correct the reference")
