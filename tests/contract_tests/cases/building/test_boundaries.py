"""Boundary cases derived from the spec."""

from typing import Any

import pytest

from contract_tests.cases.building.boundaries import derive_cases, select_new_cases
from contract_tests.cases.tables import load_bodies, load_fixture_cases
from contract_tests.cases.value_templates import SlugFactory, fill_templates
from contract_tests.contract.rules import load_catalogue
from contract_tests.contract.spec import load_spec
from contract_tests.generation.oracle import predict

CATALOGUE, SPEC, BODIES = load_catalogue(), load_spec(), load_bodies()


def test_every_refused_value_breaks_one_rule_only() -> None:
    """A value case that must be refused breaks only its own rule, so that a refusal proves that rule."""
    cases = [c for c in load_fixture_cases(CATALOGUE) + derive_cases(SPEC, CATALOGUE, BODIES) if c.value]
    several = []
    for case in cases:
        step = case.steps[0]
        body = fill_templates(dict(step.body), SlugFactory().new_slug)
        if step.operation == "createContainer" and step.slug is None:
            body.setdefault("service_slug", "a-slug")
        said = predict(step.operation, body, "external")
        fields = {rule.rsplit("-", 1)[0] for rule in said.broken_rules}
        if case.expect == "refuse" and len(fields) > 1:
            several.append((case.id, sorted(said.broken_rules)))
    assert several == []


@pytest.mark.parametrize(
    ("name", "keyword", "value", "rule"),
    [
        ("health_path", "pattern", "^/", "health-path-pattern"),
        ("required_labels", "uniqueItems", True, "required-labels-unique"),
        ("env_config", "maxItems", 20, "env-config-length"),
    ],
)
def test_new_keyword_is_tried_without_new_python_code(name: str, keyword: str, value: Any, rule: str) -> None:
    """A constraint added to the spec alone gets refused and accepted cases on both operations."""
    import copy
    from dataclasses import replace

    operations = dict(SPEC.operations)
    for op in ("createContainer", "updateContainer"):
        body = copy.deepcopy(dict(SPEC.operations[op].body_schema))
        body["properties"][name][keyword] = value
        body["properties"][name]["x-rules"][keyword] = rule
        operations[op] = replace(operations[op], body_schema=body)
    catalogue = {**CATALOGUE, rule: replace(CATALOGUE["health-path-type"], id=rule)}
    spec = replace(SPEC, operations=operations)
    cases = select_new_cases(derive_cases(spec, catalogue, BODIES), load_fixture_cases(CATALOGUE))
    refused = {c.steps[0].operation for c in cases if c.rule == rule and c.expect == "refuse"}
    assert refused == {"createContainer", "updateContainer"}
