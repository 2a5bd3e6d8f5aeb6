"""The names of properties that a schema knows."""

from typing import Any

import pytest

from mock_server.contract.property_names import find_property_names

ITEM = {"type": "object", "properties": {"a": {}}}
SCHEMA: dict[str, Any] = {
    "properties": {"list": {"type": "array", "items": ITEM}, "map": {"type": "object"}},
    "allOf": [{"properties": {"more": {"anyOf": [ITEM, {"type": "null"}]}}}],
    "if": {"properties": {"kind": {}}},
    "then": {"properties": {"late": {}}},
}
VALUES: dict[str, tuple[Any, list[str]]] = {
    "known": ({"list": [{"a": 1}], "map": {"free": 1}, "more": {"a": 1}, "kind": 1, "late": 1}, []),
    "top": ({"lost": 1, "list": []}, ["lost"]),
    "item": ({"list": [{"a": 1}, {"b": 1}]}, ["list/1/b"]),
    "combined": ({"more": {"b": 1}}, ["more/b"]),
    "other-types": ({"list": {"b": 1}, "more": [{"b": 1}]}, []),
    "no-object": ([{"b": 1}], []),
}


@pytest.mark.parametrize(("value", "places"), VALUES.values(), ids=VALUES)
def test_unknown_properties_are_found_at_every_depth(value: Any, places: list[str]) -> None:
    """Their places are listed; a property that any part of the schema names is known."""
    assert [unknown.place for unknown in find_property_names(SCHEMA).iter_unknown(value)] == places


CLOSED: dict[str, dict[str, Any]] = {
    "no-other": {"additionalProperties": False},
    "others-have-a-schema": {"additionalProperties": {"type": "string"}},
    "patterns": {"patternProperties": {"^x-": {}}},
    "unevaluated": {"unevaluatedProperties": False},
}


@pytest.mark.parametrize("keywords", CLOSED.values(), ids=CLOSED)
def test_a_schema_that_says_more_about_other_names_is_not_open(keywords: dict[str, Any]) -> None:
    """Nothing is unknown where another property is refused, or has a schema."""
    assert not list(find_property_names({**ITEM, **keywords}).iter_unknown({"b": 1}))


def test_a_value_without_its_unknown_properties() -> None:
    """They are left out at every depth, and everything else stays."""
    value = {"lost": 1, "list": [{"a": 1, "b": 2}], "map": {"free": 1}, "late": None}
    assert find_property_names(SCHEMA).without_unknown(value) == {
        "list": [{"a": 1}],
        "map": {"free": 1},
        "late": None,
    }
