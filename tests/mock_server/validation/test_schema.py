"""The errors of a validator become violations with the pointer of the wrong value."""

from typing import Any

import pytest

from mock_server import create_app
from mock_server.contract import loader, resources
from mock_server.validation import schema as schema_stage
from tests.support.api import BODY, CREATE, auth

SCHEMAS: dict[str, tuple[dict[str, Any], Any, list[str]]] = {
    "two-of-one": ({"oneOf": [{"type": "integer"}, {"minimum": 0}]}, 1, [""]),
    "none-of-one": ({"oneOf": [{"type": "string"}, {"minimum": 2}]}, 1, [""]),
    "property": (
        {"properties": {"a/b": {"properties": {"~": {"type": "null"}}}}},
        {"a/b": {"~": 1}},
        ["/a~1b/~0"],
    ),
    "like-a-keyword": ({"properties": {"properties": {"type": "null"}}}, {"properties": 1}, ["/properties"]),
    "missing": ({"properties": {"a": {"required": ["b/", "c"]}}}, {"a": {}}, ["/a/b~1", "/a/c"]),
    "too-many": (
        {"properties": {"a": {"properties": {"d": {}}, "additionalProperties": False}}},
        {"a": {"b": 1, "c": 1}},
        ["/a/b", "/a/c"],
    ),
    "dynamic": (
        {"$dynamicAnchor": "n", "properties": {"c": {"$dynamicRef": "#n"}, "n": {"type": "null"}}},
        {"c": {"n": 1}},
        ["/c/n"],
    ),
    "digits": ({"properties": {"1": {"prefixItems": [{"type": "null"}]}}}, {"1": [1]}, ["/1/0"]),
    "items": ({"items": {"properties": {"a": {"type": "null"}}}}, [{}, {"a": 1}, {"a": 2}], ["/1/a", "/2/a"]),
    "both": ({"allOf": [{"properties": {"a": {"type": "null"}}}]}, {"a": 1}, ["/a"]),
}


@pytest.mark.parametrize(("node", "value", "pointers"), SCHEMAS.values(), ids=SCHEMAS)
def test_a_violation_points_at_the_wrong_value(node: dict[str, Any], value: Any, pointers: list[str]) -> None:
    """The JSON Pointer is the same for the first and for later violations of a keyword."""
    contract, compiled_schema = (
        loader.load_contract(resources.find_resource("spec/openapi.yaml")),
        loader.compile_schema(node, "a schema"),
    )
    for _ in range(2):
        violations = schema_stage.check_value(contract, compiled_schema, value, "body")
        assert [violation.mismatch.pointer for violation in violations] == pointers


def test_an_empty_property_name_is_supported() -> None:
    """The validator omits an empty name from its path, and the value is still refused."""
    schema = loader.compile_schema({"properties": {"": {"properties": {"b": False}}}}, "a schema")
    assert schema_stage.check_value(
        loader.load_contract(resources.find_resource("spec/openapi.yaml")), schema, {"": {"b": 1}}, "body"
    )


@pytest.mark.parametrize(
    ("body", "hints"),
    [
        ({"displayname": "d"}, {"/display_name": '"displayname"'}),
        ({"display_name": "d", "docker_img": "n"}, {"/docker_image": '"docker_img"'}),
        ({"env_config": [{"envname": "a", "env_value": "b"}]}, {"/env_config/0/env_name": '"envname"'}),
        ({"exposed_port": 1, "zzz": 1}, {}),
    ],
    ids=["property", "condition", "item", "none"],
)
def test_a_misspelt_required_property_is_named(body: dict[str, Any], hints: dict[str, str]) -> None:
    """The violation of the missing property names the unknown one that was probably meant."""
    client = create_app().test_client()
    violations = client.post(CREATE, json=body, headers=auth()).json["violations"]
    start = "a value: it is required here; is "
    found = {v["pointer"]: v["expected"] for v in violations if v["expected"].startswith(start)}
    assert found == {pointer: f"{start}{name} a misspelling of it?" for pointer, name in hints.items()}


@pytest.mark.parametrize(
    ("slug", "expected"),
    [
        ("A", "at least 3 characters, and a string that matches ^[a-z0-9][a-z0-9-]{1,98}[a-z0-9]$"),
        ("My_", "a string that matches ^[a-z0-9][a-z0-9-]{1,98}[a-z0-9]$"),
    ],
)
def test_a_rule_of_two_keywords_states_all_that_are_broken(slug: str, expected: str) -> None:
    """One violation per rule and place: it has the length and the pattern, so that one correction is enough."""
    response = create_app().test_client().post(CREATE, json={**BODY, "service_slug": slug}, headers=auth())
    assert response.json is not None
    assert [violation["expected"] for violation in response.json["violations"]] == [expected]
