"""The oracle, the spec and the fixtures are three independent predictions, and they agree."""

import copy
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import jsonschema_rs
import pytest
from hypothesis import given, settings

from contract_tests.cases.building.boundaries import derive_cases, find_broken_rules
from contract_tests.cases.building.boundary_values import probe_values
from contract_tests.cases.model import SHARED_PREFIX, Case
from contract_tests.cases.tables import load_bodies, load_fixture_cases
from contract_tests.cases.value_templates import SlugFactory, fill_templates
from contract_tests.contract.rules import load_catalogue
from contract_tests.contract.spec import load_spec
from contract_tests.generation.bodies import load_samples
from contract_tests.generation.oracle import predict
from contract_tests.generation.rounds import ORACLE_EXCEPTIONS, build_property_case
from contract_tests.generation.schema_view import expand_conditions

SPEC, CATALOGUE, BODIES = load_spec(), load_catalogue(), load_bodies()
OPERATIONS = ("createContainer", "updateContainer")
SCHEMAS: dict[str, dict[str, Any]] = {name: dict(SPEC.operations[name].body_schema) for name in OPERATIONS}
VALIDATORS = {
    name: jsonschema_rs.Draft202012Validator(s, validate_formats=True) for name, s in SCHEMAS.items()
}
EXPANDED = {
    name: jsonschema_rs.Draft202012Validator(expand_conditions(s), validate_formats=True)
    for name, s in SCHEMAS.items()
}
VALUES = [c for c in load_fixture_cases(CATALOGUE) if c.value] + derive_cases(SPEC, CATALOGUE, BODIES)


@st.composite
def bodies_with_probes(draw: st.DrawFn, operation: str) -> Any:
    """Draw a body in which up to three properties have a probe value and some are missing."""
    base = draw(st.sampled_from(["deployed-full", "external-full", "deployed", "external", "empty"]))
    body = {"service_slug": "a-slug", **copy.deepcopy(BODIES[base])}
    properties = SCHEMAS[operation]["properties"]
    for name in draw(st.lists(st.sampled_from(sorted(properties)), max_size=3, unique=True)):
        body[name] = draw(st.sampled_from(probe_values(properties[name], BODIES["deployed-full"].get(name))))
    for name in draw(st.lists(st.sampled_from(sorted(body)), max_size=2, unique=True)):
        del body[name]
    return body


def test_oracle_leaves_open_what_tables_leave_open() -> None:
    """The oracle leaves open every value that the tables leave open."""
    slug = {"createContainer": {"service_slug": "a-slug"}}
    for case in load_fixture_cases(CATALOGUE):
        step = case.steps[-1]
        if case.value and case.expect == "open":
            body = {**slug.get(step.operation, {}), **fill_templates(step.body, lambda _: "a-slug")}
            assert predict(step.operation, body, step.service.removeprefix(SHARED_PREFIX)).expect == "open", (
                case.id
            )


@pytest.mark.parametrize("operation", OPERATIONS)
@settings(max_examples=400, deadline=None)
@given(data=st.data())
@pytest.mark.slow
def test_the_oracle_and_the_spec_name_the_same_rules(operation: str, data: st.DataObject) -> None:
    """The oracle and the spec name the same broken rules, except for open points."""
    body = data.draw(bodies_with_probes(operation))
    said = predict(operation, body, "external")
    by_spec = find_broken_rules(VALIDATORS[operation], SCHEMAS[operation], body)
    assert said.broken_rules <= by_spec
    # The facts do not name the required properties of an unknown type.
    unsaid = {"docker-image-required"} if "service-type-enum" in said.broken_rules else set()
    assert by_spec - said.broken_rules <= unsaid or said.open_points


@pytest.mark.parametrize("operation", OPERATIONS)
@settings(max_examples=400, deadline=None)
@given(data=st.data())
@pytest.mark.slow
def test_the_expanded_view_accepts_the_same_bodies(operation: str, data: st.DataObject) -> None:
    """The generation view accepts exactly the bodies that the contract accepts."""
    body = data.draw(bodies_with_probes(operation))
    assert EXPANDED[operation].is_valid(body) == VALIDATORS[operation].is_valid(body)


@pytest.mark.parametrize("case", VALUES, ids=lambda case: case.id)
def test_the_oracle_agrees_with_every_value_case(case: Case) -> None:
    """The oracle has the expectation of every value case, under the same rule."""
    step = case.steps[0]
    body = dict(step.body)
    if step.operation == "createContainer" and step.slug is None and "service_slug" not in body:
        body["service_slug"] = "a-slug"
    body = fill_templates(body, SlugFactory().new_slug)
    said = predict(step.operation, body, step.service.removeprefix(SHARED_PREFIX))
    if case.expect == "refuse":
        assert case.rule in said.broken_rules
    elif case.expect == "accept" and case.rule != "unknown-properties-ignored":
        assert said.expect == "accept", said
    else:
        assert not said.broken_rules or said.open_points, said


def test_schemathesis_and_the_oracle_differ_only_for_named_reasons() -> None:
    """The oracle refuses a body that Schemathesis calls valid only under rules that no schema can express."""
    surprising = []
    for number, sample in enumerate(load_samples(SPEC, 7, 40, coverage=True)):
        case = build_property_case(sample, str(number), "deployed" if number % 2 else "external")
        if sample.positive and case.expect == "refuse" and case.rule not in ORACLE_EXCEPTIONS:
            surprising.append((case.rule, case.steps[0].body))
        if not sample.positive and case.expect == "accept":
            surprising.append(("accepted", case.steps[0].body))
    assert surprising == []


def test_the_oracle_shares_nothing_with_the_spec() -> None:
    """The oracle imports no validator, no regular expressions and no reader of the spec."""
    import ast

    import contract_tests.generation.oracle as module

    tree = ast.parse(Path(module.__file__ or "").read_text("utf-8"))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert names <= {"collections.abc", "dataclasses", "string", "typing", "contract_tests.cases.model"}
