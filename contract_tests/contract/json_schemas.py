"""JSON Schemas of the files that people write, for editors: the shapes, with every id that is known."""

import copy
from collections.abc import Mapping
from typing import Any

from contract_tests.contract.choices import Choice, load_choices, number_bounds
from contract_tests.contract.files.file_shapes import load_shapes
from contract_tests.contract.rules import load_catalogue

DIALECT = "https://json-schema.org/draft/2020-12/schema"
#: The files, by the name of their schema.
SCHEMA_NAMES = ("callers", "waivers", "profile", "rules", "choices")
_SHARED_SHAPES = ("id", "grade", "operations")


def build_schema(name: str) -> dict[str, Any]:
    """Return the JSON Schema of one kind of file."""
    shapes = copy.deepcopy(load_shapes())
    schema = {"$schema": DIALECT, **shapes[name]}
    if name == "waivers":
        schema["items"]["properties"] |= _describe_waiver(schema["items"]["properties"])
    elif name == "profile":
        schema["properties"]["choices"] |= {
            "additionalProperties": False,
            "properties": {choice.id: _describe_choice(choice) for choice in load_choices().values()},
        }
    elif name in ("rules", "choices"):
        schema["$defs"] = {shared: shapes[shared] for shared in _SHARED_SHAPES}
    return schema


def _describe_waiver(properties: Mapping[str, Any]) -> dict[str, Any]:
    rules = [{"const": rule.id, "description": rule.statement} for rule in load_catalogue().values()]
    return {
        "rule": {"description": properties["rule"]["description"], "oneOf": rules},
        "reason": {**properties["reason"], "type": "string", "minLength": 1},
        "until": {**properties["until"], "type": "string", "format": "date"},
    }


def _describe_choice(choice: Choice) -> dict[str, Any]:
    """Return the schema of an option in a profile: the option itself, or what a calibration knows about it."""
    option: dict[str, Any] = {"enum": [int(name) if name.isdecimal() else name for name in choice.options]}
    option["enum"] += [name for name in choice.options if name.isdecimal()]
    if choice.number:
        least, greatest = number_bounds(choice.number)
        option = {"type": "integer", "minimum": least, "maximum": greatest}
    known = {"option": option, "evidence": {"type": "string"}, "confidence": {"type": "string"}}
    return {
        "description": f"{choice.question} Usually: {choice.usual}",
        "anyOf": [option, {"type": "object", "required": ["option"], "properties": known}],
    }
