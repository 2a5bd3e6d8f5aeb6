"""What a validator finds becomes violations that point at what is wrong."""

from typing import Any

import pytest

from mock_server.contract import loader, resources
from mock_server.validation import schema as shape

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
def test_a_violation_points_at_what_is_wrong(node: dict[str, Any], value: Any, pointers: list[str]) -> None:
    """The pointer is a JSON Pointer into the value, at the second time as at the first."""
    served, schema = (
        loader.load_contract(resources.find_resource("spec/openapi.yaml")),
        loader.compile_schema(node, "a schema"),
    )
    for _ in range(2):
        found = shape.check_value(served, schema, value, "body")
        assert [violation.mismatch.pointer for violation in found] == pointers


def test_a_name_that_the_validator_leaves_out_is_no_error() -> None:
    """An empty name is not in the validator's path to a keyword: the value is refused all the same."""
    schema = loader.compile_schema({"properties": {"": {"properties": {"b": False}}}}, "a schema")
    assert shape.check_value(
        loader.load_contract(resources.find_resource("spec/openapi.yaml")), schema, {"": {"b": 1}}, "body"
    )
