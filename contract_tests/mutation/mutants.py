"""First-order mutants of the request side of a contract: one small change each, keyword by keyword."""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import unified_diff
from typing import Any

import yaml

from contract_tests.contract.spec import HTTP_METHODS, resolve_references
from contract_tests.mutation.operators import GONE, Edit, list_edits
from contract_tests.mutation.tightening import list_tightenings

#: The rules of the list of security schemes, which names none itself.
SECURITY_RULES = ("auth-required", "auth-bearer")

_SCHEMA_MAPS = ("properties",)
_SUBSCHEMAS = ("then", "else", "if", "items")
_SCHEMA_LISTS = ("anyOf", "oneOf", "allOf")


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of the contract.

    ``id`` is ``operation:pointer:operator``. ``place`` holds the keys from the document to the changed object,
    ``edit`` the keywords changed there, ``rules`` the rules of the keyword.
    """

    id: str
    operation: str
    place: tuple[str | int, ...]
    operator: str
    keyword: str
    rules: tuple[str, ...]
    edit: Edit

    def apply(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """Return a copy of the document with the change; unchanged parts are shared."""
        changed: dict[str, Any] = apply_edit(document, self.place, self.edit)
        return changed

    def diff(self, document: Mapping[str, Any]) -> str:
        """Return the changed object before and after, as a unified diff of YAML."""
        before, after = (
            _to_yaml_lines(value_at(root, self.place)) for root in (document, self.apply(document))
        )
        where = f"{self.operation} {self.pointer}"
        return "\n".join(unified_diff(before, after, f"a {where}", f"b {where}", n=2, lineterm=""))

    @property
    def pointer(self) -> str:
        """The place within the operation."""
        return format_pointer(self.place)


def format_pointer(place: tuple[str | int, ...]) -> str:
    """Return a place within an operation as a JSON Pointer, where ``/body`` is the schema of its body."""
    inner = list(place[3:])
    if inner[:2] == ["requestBody", "content"] and len(inner) > 3:
        inner[:4] = ["body"]
    return "/" + "/".join(map(str, inner))


def expand_document(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the contract with its operations written out, so that each can be changed separately."""
    whole = dict(document)
    whole["paths"] = resolve_references(document["paths"], document)
    return whole


def build_mutants(document: Mapping[str, Any]) -> list[Mutant]:
    """Return every mutant of a document from ``expand_document``, each once."""
    found: dict[str, Mutant] = {}
    for path, item in document["paths"].items():
        for method in HTTP_METHODS:
            if method in item:
                for mutant in _mutate_operation(document, ("paths", path, method)):
                    found.setdefault(mutant.id, mutant)
    return list(found.values())


def _mutate_operation(document: Mapping[str, Any], place: tuple[str | int, ...]) -> Iterator[Mutant]:
    operation = value_at(document, place)
    name = operation["operationId"]
    if operation.get("security", document.get("security")):
        edit: Edit = (("security", []),)
        yield Mutant(f"{name}:/security:drop", name, place, "drop", "security", SECURITY_RULES, edit)
    for number, parameter in enumerate(operation.get("parameters", ())):
        yield from _mutate_parameter(name, parameter, (*place, "parameters", number))
    body = (*place, "requestBody")
    if "requestBody" in operation:
        yield from _mutate_object(name, operation["requestBody"], body, None)
        for media_type, content in operation["requestBody"].get("content", {}).items():
            yield from _mutate_schema(
                name, content.get("schema", {}), (*body, "content", media_type, "schema")
            )


def _mutate_parameter(
    name: str, parameter: Mapping[str, Any], place: tuple[str | int, ...]
) -> Iterator[Mutant]:
    if parameter.get("in") != "path":  # a path parameter cannot be optional
        yield from _mutate_object(name, parameter, place, None)
    yield from _mutate_schema(name, parameter.get("schema", {}), (*place, "schema"))


def _mutate_schema(name: str, schema: Mapping[str, Any], place: tuple[str | int, ...]) -> Iterator[Mutant]:
    yield from _mutate_object(name, schema, place, schema)
    if "requestBody" in place and "if" not in place:  # a condition refuses nothing by itself
        yield from _tighten_schema(name, schema, place)
    for keyword in _SCHEMA_MAPS:
        for key, inner in schema.get(keyword, {}).items():
            yield from _mutate_schema(name, inner, (*place, keyword, key))
    for keyword in _SUBSCHEMAS:
        if keyword in schema:
            inherited = tuple(iter_rules(schema, keyword)) if keyword == "if" else ()
            for mutant in _mutate_schema(name, schema[keyword], (*place, keyword)):
                yield replace(mutant, rules=mutant.rules or inherited)
    for keyword in _SCHEMA_LISTS:
        for number, inner in enumerate(schema.get(keyword, ())):
            yield from _mutate_schema(name, inner, (*place, keyword, number))


def _mutate_object(
    name: str, node: Mapping[str, Any], place: tuple[str | int, ...], schema: Mapping[str, Any] | None
) -> Iterator[Mutant]:
    """Yield the mutants of an object's keywords; ``schema`` is None for objects that are not schemas."""
    for keyword in node:
        for operator, edit in list_edits(keyword, node, is_schema=schema is not None):
            rules = tuple(dict.fromkeys(iter_rules(node, keyword, operator.partition("required-")[2])))
            identifier = f"{name}:{format_pointer(place)}:{operator}"
            yield Mutant(identifier, name, place, operator.partition(" ")[0], keyword, rules, edit)


def _tighten_schema(name: str, schema: Mapping[str, Any], place: tuple[str | int, ...]) -> Iterator[Mutant]:
    """Yield the mutants that add a keyword to a schema."""
    for (operator, edit), rules in list_tightenings(str(place[-1]), schema):
        identifier = f"{name}:{format_pointer(place)}:{operator}"
        yield Mutant(identifier, name, place, operator.partition(" ")[0], edit[0][0], rules, edit)


def iter_rules(node: Any, keyword: str, name: str = "") -> Iterator[str]:
    """Yield the rules of a keyword; with the name of a property, only the rule of that one, if it has its own."""
    if not isinstance(node, Mapping):
        return  # a schema may be true or false
    rule = node.get("x-rules", {}).get(keyword)
    if isinstance(rule, str):
        yield rule
    elif isinstance(rule, Mapping) and name in rule:
        yield rule[name]
    elif isinstance(rule, Mapping):
        yield from rule.values()
    elif keyword in ("if", "then", "else"):
        for part in ("then", "else"):
            yield from iter_rules(node.get(part, {}), "required")
    elif keyword == "items":
        yield from iter_rules(node.get("items", {}), "type")
    elif keyword in ("anyOf", "oneOf"):
        for branch in node.get(keyword, ()):
            yield from iter_rules(branch, "type")


def value_at(node: Any, place: tuple[str | int, ...]) -> Any:
    """Return the part of a document at a place."""
    for key in place:
        node = node[key]
    return node


def apply_edit(node: Any, place: tuple[str | int, ...], edit: Edit) -> Any:
    """Return a copy of a document with the keywords of one object changed; unchanged parts are shared."""
    if not place:
        changed = {key: value for key, value in node.items() if key not in {k for k, v in edit if v is GONE}}
        changed.update({key: copy.deepcopy(value) for key, value in edit if value is not GONE})
        return changed
    copied: Any = list(node) if isinstance(node, list) else dict(node)
    copied[place[0]] = apply_edit(node[place[0]], place[1:], edit)
    return copied


def _to_yaml_lines(node: Any) -> list[str]:
    return yaml.safe_dump(
        _strip_annotations(node), sort_keys=False, allow_unicode=True, width=100
    ).splitlines()


def _strip_annotations(node: Any) -> Any:
    if isinstance(node, Mapping):
        return {
            k: _strip_annotations(v)
            for k, v in node.items()
            if k not in ("x-rules", "description", "examples", "responses")
        }
    return [_strip_annotations(item) for item in node] if isinstance(node, list) else node
