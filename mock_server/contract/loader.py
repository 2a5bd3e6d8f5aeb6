"""Loading: `openapi.yaml` and `rules.yaml` become a `Contract`."""

import functools
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import jsonschema_rs

from mock_server.contract import document, lint, resources
from mock_server.contract.choices import Choices, load_choices
from mock_server.contract.model import Contract, Node, Operation, Parameter, Rule, Schema
from mock_server.contract.profile import (
    ProfileSource,
    disabled_by,
    load_profile,
    with_declared_statuses,
    with_statuses,
)
from mock_server.contract.property_names import find_property_names
from mock_server.contract.resources import OptionError, UnusableFileError
from mock_server.contract.suggestions import suggestion_suffix


def load_rules(path: Path) -> dict[str, Rule]:
    """Return the rules of a `rules.yaml` by id; raise UnusableFileError for an invalid entry."""
    loaded = resources.read_yaml(path)
    entries = loaded.get("rules") if isinstance(loaded, dict) else None
    if not isinstance(entries, list):
        raise UnusableFileError(f"{path}: no list of rules; write one under `rules:`")
    rules: dict[str, Rule] = {}
    for number, entry in enumerate(entries, start=1):
        try:
            fields: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in entry.items()}
            rule = Rule(**fields)
        except (TypeError, AttributeError) as error:
            raise UnusableFileError(f"{path}: entry {number} is not a rule: {error}") from error
        if rule.id in rules:
            raise UnusableFileError(f"{path}: {rule.id} is there twice; rename or remove one")
        rules[rule.id] = rule
    return rules


def find_rules_file(spec: Path) -> Path:
    """Return the `rules.yaml` beside a document, or the packaged one."""
    neighbour = spec.parent / "rules.yaml"
    return neighbour if neighbour.is_file() else resources.find_resource("spec/rules.yaml")


def load_contract(
    spec: Path,
    disabled: frozenset[str] = frozenset(),
    in_code: frozenset[str] | None = None,
    profile: ProfileSource = None,
) -> Contract:
    """Return the contract of the document at `spec`, with the options of a profile.

    `in_code` lists the rules that the mock enforces in Python. With it, UnusableFileError is raised where a rule has
    no enforcement or two.
    """
    loaded = resources.read_yaml(spec)
    if not isinstance(loaded, dict):
        raise UnusableFileError(f"{spec}: not a mapping; name an OpenAPI document")
    rules = load_rules(find_rules_file(spec))
    known = check_rule_ids(disabled, rules)
    try:
        problems = [] if in_code is None else list(lint.find_problems(loaded, rules, in_code))
        if problems:
            more = f" (and {len(problems) - 1} more)" if problems[1:] else ""
            raise UnusableFileError(f"{spec}: {problems[0]}{more}")
        return build_contract(loaded, rules, known, profile)
    except (AttributeError, KeyError, TypeError) as error:  # for example a list in place of x-rules
        raise UnusableFileError(f"{spec}: a part of it has another form than expected: {error!r}") from error


def check_rule_ids(disabled: frozenset[str], rules: Mapping[str, Rule]) -> frozenset[str]:
    """Return the ids if all are known; raise ValueError with a suggestion for an unknown one."""
    for rule_id in sorted(disabled):
        if rule_id not in rules:
            hint = suggestion_suffix(rule_id, rules)
            raise OptionError("disabled_rules", f"no rule has the id {rule_id!r}{hint}")
    return disabled


def build_contract(
    openapi: Node,
    rules: Mapping[str, Rule],
    disabled: frozenset[str] = frozenset(),
    profile: ProfileSource = None,
) -> Contract:
    """Return the contract of a loaded document; keywords may lack a rule, as in a mutated document."""
    choices = packaged_choices()
    options = load_profile(profile, choices, rules)
    disabled |= disabled_by(options, choices)
    whole = document.inline_references(openapi)
    info = whole.get("info") or {}
    found = (_build_operation(whole, *place, disabled) for place in document.iter_operations(whole))
    operations = tuple(with_declared_statuses(operation, options, choices) for operation in found)
    title, version = str(info.get("title", "")), str(info.get("version", ""))
    rules = with_statuses(rules, options, choices)
    return Contract(title, version, operations, rules, disabled, choices, options, openapi)


@functools.cache
def packaged_choices() -> Choices:
    """Return the choices of the packaged `choices.yaml`, which never changes while the process lives."""
    return MappingProxyType(load_choices())


def _build_operation(
    whole: Node, path: str, method: str, item: Node, operation: Node, disabled: frozenset[str]
) -> Operation:
    parameters = {
        (p["in"], p["name"]): p for p in (*item.get("parameters", ()), *operation.get("parameters", ()))
    }
    request = operation.get("requestBody") or {}
    content = request.get("content") or {}
    first: Node = next(iter(content.values()), {})
    node = document.disable_rules(first.get("schema") or {}, disabled)
    properties = node.get("properties") or {}
    return Operation(
        id=operation.get("operationId") or f"{method} {path}",
        method=method.upper(),
        path=path,
        secured=_requires_token(operation.get("security", whole.get("security"))),
        parameters=tuple(_build_parameter(p, disabled) for p in parameters.values()),
        media_types=tuple(content),
        body_required=bool(request.get("required")),
        body=compile_schema(node, f"the body of {operation.get('operationId')}") if content else None,
        defaults={name: p["default"] for name, p in properties.items() if "default" in p},
        integers=tuple(name for name, p in properties.items() if p.get("type") == "integer"),
        properties=find_property_names(node),
        success=_success_status(operation.get("responses") or {}),
        responses=operation.get("responses") or {},
    )


def _requires_token(alternatives: Any) -> bool:
    """Return whether a request needs a token; `{}` among the alternatives makes it optional."""
    return bool(alternatives) and {} not in alternatives


def _build_parameter(node: Node, disabled: frozenset[str]) -> Parameter:
    node = document.disable_rules(node, disabled)
    rule = (node.get("x-rules") or {}).get("required", "")
    compiled = compile_schema(node.get("schema") or {}, f"the parameter {node['name']}")
    return Parameter(node["name"], node["in"], bool(node.get("required")), rule, compiled)


def compile_schema(node: Node, name: str) -> Schema:
    """Return the schema with its validator, in which `format` asserts; `name` is used in error messages."""
    try:
        return Schema(node, jsonschema_rs.Draft202012Validator(node, validate_formats=True))
    except ValueError as error:
        reason = " ".join(str(error).split("\n\n")[0].split())
        raise UnusableFileError(f"{name}: not a JSON Schema: {reason}; correct it") from error


def _success_status(responses: Node) -> int:
    codes = [str(code) for code in responses]
    exact = [int(code) for code in codes if re.fullmatch("2[0-9][0-9]", code)]
    return exact[0] if exact else 200
