"""Operators that make the contract stricter than the facts allow."""

import re
from dataclasses import replace
from typing import Any

import pytest

from contract_tests.contract.resources import data_file
from contract_tests.contract.spec import load_document
from contract_tests.mutation.engine import run_mutant
from contract_tests.mutation.mutants import Mutant, build_mutants, expand_document
from contract_tests.mutation.relevance import find_property
from contract_tests.mutation.session import MutationSession
from contract_tests.mutation.tightening import (
    NARROWINGS,
    TIGHTENING_OPERATORS,
    Narrowing,
    list_tightenings,
)

SCHEMAS: dict[str, dict[str, Any]] = {
    "text": {"type": "string"},
    "path": {"type": "string"},
    "slug": {"type": "string", "pattern": "^[a-z0-9][a-z0-9-]{1,98}[a-z0-9]$"},
    "uri": {"type": "string", "format": "uri", "pattern": "^https://"},
    "uuid": {"type": "string", "format": "uuid"},
}
PLAIN = {"text": "", "path": "/health", "slug": "abc", "uri": "https://a.example.com/"}
MUTANTS = build_mutants(expand_document(load_document(data_file("spec/openapi.yaml"))))


def find_mutant(name: str) -> Mutant:
    """Return the mutant of the contract with an id."""
    return next(mutant for mutant in MUTANTS if mutant.id == name)


@pytest.mark.parametrize("narrowing", NARROWINGS, ids=lambda narrowing: narrowing.name)
def test_narrowing_refuses_its_example_only(narrowing: Narrowing) -> None:
    """A narrowed pattern refuses the example, which the contract allows, and still allows a plain text."""
    schema = SCHEMAS[narrowing.kind]
    name = "health_path" if narrowing.kind == "path" else "property"
    found = {
        operator: dict(edit)["pattern"]
        for (operator, edit), _ in list_tightenings(name, schema)
        if edit[0][0] == "pattern"
    }
    narrowed = found[f"refuse pattern-{narrowing.name}"]
    assert re.search(schema.get("pattern", ""), narrowing.example)
    assert not re.search(narrowed, narrowing.example)
    assert narrowing.kind == "uuid" or re.search(narrowed, PLAIN[narrowing.kind])


@pytest.mark.parametrize(
    ("name", "rules"),
    [
        ("service_desc:cap maxLength-255", ("texts-unbounded", "service-desc-type")),
        ("required_labels/items:floor minLength-1", ("texts-unbounded", "required-labels-item-type")),
        ("display_name:floor minLength-1", ("display-name-length", "display-name-type", "texts-unbounded")),
        ("gpu_count:cap maximum-8", ("gpu-count-range", "gpu-count-type")),
        ("env_config:cap maxItems-1", ("env-config-type",)),
        ("external_url:refuse pattern-no-port",
         ("external-url-pattern", "external-url-format", "external-url-length", "external-url-type")),
        ("env_config/items:close additionalProperties", ("unknown-properties-ignored",)),
    ],
)  # fmt: skip
def test_tightening_names_the_rules_that_it_breaks(name: str, rules: tuple[str, ...]) -> None:
    """A text without a written length breaks `texts-unbounded` first, all else the nearest rule of the property."""
    assert find_mutant(f"createContainer:/body/properties/{name}").rules == rules


def test_every_property_of_a_body_is_tightened() -> None:
    """Both operations have a stricter mutant for each property whose values are not an enumeration."""
    document = expand_document(load_document(data_file("spec/openapi.yaml")))
    properties = {
        (operation["operationId"], name)
        for item in document["paths"].values()
        for operation in item.values()
        for name in operation["requestBody"]["content"]["application/json"]["schema"]["properties"]
    }
    bounded = {"exposed_port", "replica_count"}  # their bounds are narrowed by the operators of keywords
    tightened = {(m.operation, find_property(m)) for m in MUTANTS if m.operator in TIGHTENING_OPERATORS}
    assert {(o, name) for o, name in properties - tightened if name not in bounded} == {
        ("createContainer", "service_type")
    }


@pytest.mark.parametrize(
    "name",
    ["createContainer:/body/properties/service_desc:cap maxLength-255",
     "updateContainer:/body/properties/required_labels:cap maxItems-1",
     "updateContainer:/body/properties/usage_prompt:floor minLength-1",
     "createContainer:/body/properties/external_url:refuse pattern-no-query",
     "createContainer:/body/properties/gpu_count:cap maximum-7"],
)  # fmt: skip
def test_stricter_mutant_is_killed_under_its_rule(session: MutationSession, name: str) -> None:
    """A case that must be accepted kills the mutant, under one of the rules that it breaks."""
    result = run_mutant(session, find_mutant(name))
    assert (result.state, result.rule in result.mutant.rules) == ("killed", True)


@pytest.mark.slow
def test_open_case_excuses_no_stricter_mutant(session: MutationSession) -> None:
    """A stricter mutant that differs in an open case survives unless it is listed; a looser one is equivalent."""
    unlisted = replace(session, equivalent={})
    stricter = find_mutant("createContainer:/body/properties/docker_image:floor minLength-1")
    looser = find_mutant("createContainer:/body/properties/usage_prompt:nullable type")
    assert run_mutant(unlisted, stricter).state == "survived"
    assert run_mutant(unlisted, looser).state == "equivalent"
