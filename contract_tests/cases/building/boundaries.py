"""Boundary cases derived from the spec: every constraint keyword at its bound and just past it.

The spec itself labels each value: refused under the one rule whose keyword it breaks, accepted if it breaks none.
A value that breaks two rules proves neither and is dropped. So a keyword added to the spec is tried without new
Python code. A ``null`` that the schema does not declare and a repeated item are labelled open, as the reference pages
leave them open.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import jsonschema_rs

from contract_tests.cases.building.boundary_values import probe_values
from contract_tests.cases.model import Case
from contract_tests.cases.tables import ABSENT, build_value_cases
from contract_tests.contract.rules import Catalogue
from contract_tests.contract.spec import Operation, Spec, load_spec

_MAX_HAND_VALUES = 3
_OWN = "own-contract-"  # in the id of a case whose property a contract of the user describes otherwise
_OPERATIONS = ("createContainer", "updateContainer")


def derive_cases(spec: Spec, catalogue: Catalogue, bodies: Mapping[str, Any]) -> list[Case]:
    """Return the derived cases of both operations."""
    cases: list[Case] = []
    kits = load_spec().operations if spec.path else spec.operations
    for operation in (spec.operations[name] for name in _OPERATIONS):
        for name, schema in operation.body_schema["properties"].items():
            service_type = find_service_type(name, bodies)
            is_kits = schema == kits[operation.id].body_schema["properties"].get(name)
            source = f"{'derived-' if is_kits else _OWN}{name}"
            base = (
                {**bodies[service_type], "service_slug": "a-slug"}
                if operation.id == "createContainer"
                else {}
            )
            example = bodies[f"{service_type}-full"].get(name)
            labelled = _label_values(operation, name, probe_values(schema, example), base)
            for number, (value, expect, rule) in enumerate(labelled, 1):
                row = {
                    "rule": rule, "property": name, "body": service_type, "operations": [operation.id],
                    expect: [value], "from": f"{source}-{number}-", "choice": "repeated-items",
                }  # fmt: skip
                cases.extend(build_value_cases(row, catalogue, bodies))
    return cases


def select_new_cases(cases: list[Case], known: list[Case]) -> list[Case]:
    """Return the cases that try something that the known ones do not, each once.

    Two values of a wrong type try the same thing if they are of the same kind: 0 and 1, but not "a" and "1". One
    accepted value of a rule in the tables is enough, or ``_MAX_HAND_VALUES`` refused ones; type rules of whole
    properties get all values, and so do properties that a contract of the user describes otherwise.
    """
    seen = {_identity_key(case) for case in known if case.value}
    chosen = Counter(_group_key(case) for case in known if case.value)
    kept = []
    for case in cases:
        enough = _OWN not in case.id and chosen[_group_key(case)] >= _max_hand_values(case)
        if not enough and (key := _identity_key(case)) not in seen:
            seen.add(key)
            kept.append(case)
    return kept


def find_broken_rules(validator: Any, schema: Mapping[str, Any], value: Any) -> set[str]:
    """Return the rules that a value breaks, as named beside the keywords of its schema."""
    return {rule for error in validator.iter_errors(value) for rule in _rules_of_error(schema, error)}


def _label_values(
    operation: Operation, name: str, values: Iterable[Any], base: Mapping[str, Any]
) -> Iterator[tuple[Any, str, str]]:
    required = _required_rules(operation.body_schema)
    for rule in required.get(name, ()):
        yield ABSENT, "refuse", rule
    validator = jsonschema_rs.Draft202012Validator(dict(operation.body_schema), validate_formats=True)
    schema = operation.body_schema["properties"][name]
    for value in values:
        if value is None and name in required:
            continue  # a refusal could be about the type or the requirement
        rules = find_broken_rules(validator, operation.body_schema, {**base, name: value})
        if _has_null(value) and rules:
            yield value, "open", min(rules)
        elif len(rules) == 1:
            yield value, "refuse", rules.pop()
        elif not rules and not _has_empty(value) and (nearest := _nearest_rule(schema, value)):
            yield value, "open" if _has_repeats(value) else "accept", nearest


def _nearest_rule(schema: Mapping[str, Any], value: Any) -> str | None:
    """Return the rule that an accepted value almost breaks: its length, its range or its pattern."""
    if value is None:
        nulls = [branch for branch in schema.get("anyOf", ()) if branch.get("type") == "null"]
        return next((str(branch["x-rules"]["type"]) for branch in nulls if "x-rules" in branch), None)
    rules = schema.get("x-rules", {})
    named = [rules[keyword] for keyword in _KEYWORDS.get(type(value), ()) if keyword in rules]
    return next(iter(named), next(_iter_named_rules(schema), None))


_KEYWORDS: dict[type, tuple[str, ...]] = {
    str: ("enum", "maxLength", "minLength", "pattern", "format"),
    int: ("maximum", "minimum", "exclusiveMaximum", "exclusiveMinimum", "multipleOf"),
    list: ("uniqueItems", "maxItems", "minItems"),
}


def _required_rules(schema: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the rules of required properties by name, including conditional ones."""
    found: dict[str, list[str]] = {}
    for part in (schema, schema.get("then", {}), schema.get("else", {})):
        rules = part.get("x-rules", {}).get("required", {})
        for name in part.get("required", ()):
            if isinstance(rules, Mapping):
                found.setdefault(name, []).append(rules[name])
    return found


def find_service_type(name: str, bodies: Mapping[str, Any]) -> str:
    """Return the type of service to which the property belongs."""
    external_only = name in bodies["external-full"] and name not in bodies["deployed-full"]
    return "external" if external_only else "deployed"


def _rules_of_error(schema: Mapping[str, Any], error: Any) -> Iterator[str]:
    keyword = error.kind.name
    if keyword in ("anyOf", "oneOf") and getattr(error.kind, "context", None):
        branches = [[*branch] for branch in error.kind.context]
        meant = next((b for b in branches if not any(e.kind.name == "type" for e in b)), branches[0])
        for inner in meant:
            yield from _rules_of_error(schema, inner)
        return
    place: Any = schema
    for part in error.schema_path[:-1]:
        place = place[part]
    rule = place.get("x-rules", {}).get(error.schema_path[-1])
    if isinstance(rule, Mapping):
        rule = rule.get(error.kind.property)
    yield rule or f"unnamed:{'/'.join(map(str, error.schema_path))}"


def _iter_named_rules(schema: Any) -> Iterator[str]:
    if isinstance(schema, Mapping):
        for rule in schema.get("x-rules", {}).values():
            if isinstance(rule, str):
                yield rule
        for key, value in schema.items():
            if key != "x-rules":
                yield from _iter_named_rules(value)
    elif isinstance(schema, list):
        for item in schema:
            yield from _iter_named_rules(item)


def _has_empty(value: Any) -> bool:
    """Return whether a value contains an empty text: only the tables say where one must be accepted."""
    if isinstance(value, list):
        return any(map(_has_empty, value))
    return value == "" or (isinstance(value, dict) and any(map(_has_empty, value.values())))


def _has_repeats(value: Any) -> bool:
    return isinstance(value, list) and any(item in value[:number] for number, item in enumerate(value))


def _has_null(value: Any) -> bool:
    if isinstance(value, list):
        return any(map(_has_null, value))
    return value is None or (isinstance(value, dict) and any(map(_has_null, value.values())))


def _max_hand_values(case: Case) -> float:
    """Return the number of values in the tables that is enough for the rule of a case."""
    if case.expect == "accept" or case.rule.endswith("-required"):
        return 1
    return float("inf") if case.rule.endswith("-type") and not _has_single_item(case) else _MAX_HAND_VALUES


def _group_key(case: Case) -> tuple[str, ...]:
    return case.rule, case.steps[0].operation, case.expect


def _has_single_item(case: Case) -> bool:
    value = case.steps[0].body.get(case.value[2]) if case.value else None
    return isinstance(value, list) and len(value) == 1


def _identity_key(case: Case) -> str:
    step = case.steps[0]
    name = case.value[2] if case.value else ""
    value = step.body.get(name, "absent")
    if case.expect == "refuse" and case.rule.endswith("-type"):
        value = _value_kind(value)
    return json.dumps([case.value, case.rule, step.slug, case.expect, value])


def _value_kind(value: Any) -> Any:
    if isinstance(value, list):
        return ["array", *map(_value_kind, value)]
    if isinstance(value, dict):
        # Only the property of a wrong type identifies an item.
        return {
            key: _value_kind(inner) for key, inner in value.items() if not isinstance(inner, str)
        } or "object"
    if isinstance(value, str):
        return "digits" if value.isdigit() else "text"
    return type(value).__name__
