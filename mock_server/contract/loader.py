"""`openapi.yaml` and `rules.yaml` as frozen values: what the mock serves, and the rules it enforces."""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema_rs

from mock_server.contract import document, lint, resources
from mock_server.contract.document import Node
from mock_server.contract.resources import UnusableFileError

STAGES = ("authentication", "team", "path", "media-type", "json", "shape", "state")
GRADES = ("documented", "provider", "assumed")
KINDS = ("constraint", "permission", "effect")


@dataclass(frozen=True, slots=True)
class Rule:
    """One entry of the catalogue; the first status is the mock's, the others are as good."""

    id: str
    kind: str
    statement: str
    grade: str
    source: str
    operations: tuple[str, ...]
    stage: str = ""
    status: tuple[int, ...] = ()
    status_grade: str = ""
    needs: str = ""


#: What a keyword without a rule is reported as: a mutated document may hold one.
UNNAMED = Rule("unnamed", "constraint", "A keyword without a rule.", "assumed", "", (), "shape", (400,))


class Fault(NamedTuple):
    """What a check found: a JSON Pointer into a part of the request, what is there, what would be right."""

    where: str
    pointer: str
    seen: str
    wanted: str


class Violation(NamedTuple):
    """A fault with the rule that it breaks."""

    rule: Rule
    fault: Fault


@dataclass(frozen=True, slots=True)
class Schema:
    """A schema without references, and its compiled validator; `keywords` has what is known of those broken."""

    node: Node
    validator: jsonschema_rs.Draft202012Validator
    keywords: dict[tuple[str | int, ...], Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of an operation; `required_rule` is the rule that a missing one breaks."""

    name: str
    where: str
    required: bool
    required_rule: str
    schema: Schema


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: where it is, what it takes, and what it answers."""

    id: str
    method: str
    path: str
    secured: bool
    parameters: tuple[Parameter, ...]
    media_types: tuple[str, ...]
    body_required: bool
    body: Schema | None
    defaults: Mapping[str, Any]
    integers: tuple[str, ...]
    properties: frozenset[str]
    success: int
    responses: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Contract:
    """The operations of a document, the catalogue, the rules that are switched off, and the document as it came."""

    title: str
    version: str
    operations: tuple[Operation, ...]
    rules: Mapping[str, Rule]
    off: frozenset[str]
    document: Node = field(repr=False, compare=False)

    def rule(self, rule_id: str) -> Rule:
        """The rule of that id, or the stand-in for a keyword without one."""
        return self.rules.get(rule_id, UNNAMED)


def catalogue(path: Path) -> dict[str, Rule]:
    """The rules of a catalogue file by id."""
    loaded = resources.read(path)
    entries = loaded.get("rules") if isinstance(loaded, dict) else None
    if not isinstance(entries, list):
        raise UnusableFileError(f"{path}: no list of rules; write one under `rules:`")
    rules: dict[str, Rule] = {}
    for number, entry in enumerate(entries, start=1):
        try:
            parts: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in entry.items()}
            rule = Rule(**parts)
        except (TypeError, AttributeError) as error:
            raise UnusableFileError(f"{path}: entry {number} is no rule: {error}") from error
        if rule.id in rules:
            raise UnusableFileError(f"{path}: {rule.id} is there twice; rename or remove one")
        rules[rule.id] = rule
    return rules


def beside(spec: Path) -> Path:
    """The catalogue beside a document, or the packaged one."""
    neighbour = spec.parent / "rules.yaml"
    return neighbour if neighbour.is_file() else resources.find("spec/rules.yaml")


def load(spec: Path, off: frozenset[str] = frozenset(), in_code: frozenset[str] | None = None) -> Contract:
    """The contract of the document at `spec`; refused where names do not meet.

    `in_code` are the rules that the mock enforces itself; without it the names are taken as they are.
    """
    loaded = resources.read(spec)
    if not isinstance(loaded, dict):
        raise UnusableFileError(f"{spec}: not a mapping; name an OpenAPI document")
    rules = catalogue(beside(spec))
    wrong = [] if in_code is None else list(lint.problems(loaded, rules, in_code))
    if wrong:
        raise UnusableFileError(
            f"{spec}: {wrong[0]}" + (f" (and {len(wrong) - 1} more)" if wrong[1:] else "")
        )
    return built(loaded, rules, checked_off(off, rules))


def checked_off(off: frozenset[str], rules: Mapping[str, Rule]) -> frozenset[str]:
    """The ids, all of them known; ValueError names what an unknown one is close to."""
    for rule_id in sorted(off):
        if rule_id not in rules:
            close = difflib.get_close_matches(rule_id, rules, n=3, cutoff=0.4)
            hint = f"; did you mean {' or '.join(close)}?" if close else ""
            raise ValueError(f"without: no rule has the id {rule_id!r}{hint}")
    return off


def built(openapi: Node, rules: Mapping[str, Rule], off: frozenset[str] = frozenset()) -> Contract:
    """The contract of a loaded document; it may lack names, as a mutated one does."""
    whole = document.inlined(openapi)
    info = whole.get("info") or {}
    made = tuple(_operation(whole, *found, off) for found in document.operations(whole))
    return Contract(str(info.get("title", "")), str(info.get("version", "")), made, rules, off, openapi)


def _operation(
    whole: Node, path: str, method: str, item: Node, operation: Node, off: frozenset[str]
) -> Operation:
    parameters = {
        (p["in"], p["name"]): p for p in (*item.get("parameters", ()), *operation.get("parameters", ()))
    }
    request = operation.get("requestBody") or {}
    content = request.get("content") or {}
    first: Node = next(iter(content.values()), {})
    node = document.switched_off(first.get("schema") or {}, off)
    properties = node.get("properties") or {}
    return Operation(
        id=operation.get("operationId") or f"{method} {path}",
        method=method.upper(),
        path=path,
        secured=_secured(operation.get("security", whole.get("security"))),
        parameters=tuple(_parameter(p, off) for p in parameters.values()),
        media_types=tuple(content),
        body_required=bool(request.get("required")),
        body=schema(node, f"the body of {operation.get('operationId')}") if content else None,
        defaults={name: p["default"] for name, p in properties.items() if "default" in p},
        integers=tuple(name for name, p in properties.items() if p.get("type") == "integer"),
        properties=frozenset(properties),
        success=_success(operation.get("responses") or {}),
        responses=operation.get("responses") or {},
    )


def _secured(alternatives: Any) -> bool:
    """Whether a call needs a token; `{}` among the alternatives means that it may come without."""
    return bool(alternatives) and {} not in alternatives


def _parameter(node: Node, off: frozenset[str]) -> Parameter:
    node = document.switched_off(node, off)
    rule = (node.get("x-rules") or {}).get("required", "")
    compiled = schema(node.get("schema") or {}, f"the parameter {node['name']}")
    return Parameter(node["name"], node["in"], bool(node.get("required")), rule, compiled)


def schema(node: Node, name: str) -> Schema:
    """A compiled schema; `format` asserts."""
    try:
        return Schema(node, jsonschema_rs.Draft202012Validator(node, validate_formats=True))
    except ValueError as error:
        said = " ".join(str(error).split("\n\n")[0].split())
        raise UnusableFileError(f"{name}: not a JSON Schema: {said}; mend it") from error


def _success(responses: Node) -> int:
    codes = [str(code) for code in responses]
    exact = [int(code) for code in codes if re.fullmatch("2[0-9][0-9]", code)]
    return exact[0] if exact else 200
