"""The expected values of schema keywords in words, with hints at common mistakes."""

import functools
import json
import re
from collections.abc import Callable
from typing import Any

import jsonschema_rs

from mock_server.contract.model import Node

#: Longer values are cut in messages.
MAX_SHOWN = 80

#: Between the expected value and the value that was probably meant.
HINT = "; did you mean "
_JSON = json.JSONEncoder(default=str)
_INTEGER = re.compile("-?[0-9]{1,18}")
_TYPE_NAMES = {
    "string": "a string",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "array": "an array",
    "object": "an object",
    "null": "null",
}
_FORMAT_NAMES = {
    "uuid": "a UUID such as 0192f0c1-9a8b-7c6d-9e5f-404142434445",
    "uri": "an absolute URI such as https://example.com/path",
}


def format_value(value: object) -> str:
    """Return the value as short JSON."""
    if isinstance(value, str):
        if len(value) > MAX_SHOWN:
            return f"{json.dumps(value[:20])} and {len(value) - 20} characters more"
    elif isinstance(value, int):
        if value.bit_length() > 256:
            return "a very large integer"
    elif isinstance(value, (list, dict)) and len(value) > MAX_SHOWN:
        return f"{'an array' if isinstance(value, list) else 'an object'} of {len(value)}"
    text = str(value) if type(value) is int else _JSON.encode(value)  # the encoder starts slowly
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…"


class ExpectedValue:
    """The expected value of a keyword: a sentence, and the hints that may apply to a wrong value.

    `schema` holds the keyword; a keyword that it does not hold has no sentence.
    """

    def __init__(self, keyword: str, schema: Node) -> None:
        self._keyword, self._schema = keyword, schema
        sentence = SENTENCES.get(keyword) if keyword in schema else None
        self._sentence = sentence(schema[keyword], schema) if sentence else None
        self._hints = tuple(hint for applies, hint in HINTS if applies(keyword, _type_list(schema)))

    @functools.cached_property
    def _validator(self) -> jsonschema_rs.Draft202012Validator:
        return jsonschema_rs.Draft202012Validator(self._schema, validate_formats=True)

    def describe(self, message: str, value: object) -> str:
        """Return the expected value in words, with the value that was probably meant.

        `message` is the message of the validator, for a keyword without a sentence.
        """
        if self._sentence is None:
            return message if len(message) <= MAX_SHOWN else f"a value that {self._keyword} allows"
        for hint in self._hints:
            suggestion = hint(self._accepts, value)
            if suggestion is not None:
                return f"{self._sentence}{HINT}{suggestion}?"
        return self._sentence

    def _accepts(self, value: str) -> bool:
        return bool(self._validator.is_valid(value))


def _type_list(schema: Node) -> list[str]:
    types = schema.get("type", [])
    return [types] if isinstance(types, str) else list(types)


def _type_name(schema: Node) -> str:
    types = schema.get("type")
    names = [types] if isinstance(types, str) else types if isinstance(types, list) else []
    return " or ".join(_TYPE_NAMES.get(name, str(name)) for name in names) or "a value"


#: By keyword: the expected value in words, from the value of the keyword and the schema that holds it.
SENTENCES: dict[str, Callable[[Any, Node], str]] = {
    "type": lambda _, node: _type_name(node),
    "minimum": lambda limit, node: f"{_type_name(node)} of at least {limit}",
    "maximum": lambda limit, node: f"{_type_name(node)} of at most {limit}",
    "exclusiveMinimum": lambda limit, node: f"{_type_name(node)} greater than {limit}",
    "exclusiveMaximum": lambda limit, node: f"{_type_name(node)} less than {limit}",
    "multipleOf": lambda step, node: f"{_type_name(node)} that is a multiple of {step}",
    "minLength": lambda limit, _: f"at least {limit} characters",
    "maxLength": lambda limit, _: f"at most {limit} characters",
    "pattern": lambda pattern, _: f"a string that matches {pattern}",
    "format": lambda name, _: _FORMAT_NAMES.get(name, f"a string in the format {name}"),
    "enum": lambda values, _: f"one of {', '.join(map(format_value, values))}",
    "const": lambda value, _: format_value(value),
    "required": lambda _value, _node: "a value: it is required here",
    "additionalProperties": lambda _value, _node: "only properties that the contract names",
    "minItems": lambda limit, _: f"at least {limit} items",
    "maxItems": lambda limit, _: f"at most {limit} items",
    "uniqueItems": lambda _value, _node: "items that differ from each other",
    "minProperties": lambda limit, _: f"at least {limit} properties",
    "maxProperties": lambda limit, _: f"at most {limit} properties",
}

#: Returns the value that was probably meant, or None. The first argument tests whether the schema accepts a text.
Hint = Callable[[Callable[[str], bool], object], str | None]


def _hint_without_quotes(_accepts: Callable[[str], bool], value: object) -> str | None:
    is_integer = isinstance(value, str) and _INTEGER.fullmatch(value)
    return f"{value} without the quotes" if is_integer else None


def _hint_in_quotes(accepts: Callable[[str], bool], value: object) -> str | None:
    if not isinstance(value, int | float):
        return None
    text = json.dumps(value)
    return f'"{text}" in quotes' if len(text) < MAX_SHOWN and accepts(text) else None


def _hint_without_blanks(accepts: Callable[[str], bool], value: object) -> str | None:
    if not isinstance(value, str) or value == value.strip() or not accepts(value.strip()):
        return None
    return f"{format_value(value.strip())}, without the blanks or newlines around it"


def _hint_in_lower_case(accepts: Callable[[str], bool], value: object) -> str | None:
    if not isinstance(value, str) or value == value.lower() or not accepts(value.lower()):
        return None
    return f"{format_value(value.lower())} in lower case"


def _hint_https(accepts: Callable[[str], bool], value: object) -> str | None:
    if not isinstance(value, str) or not value.startswith("http://"):
        return None
    secure_url = "https://" + value.removeprefix("http://")
    return format_value(secure_url) if accepts(secure_url) else None


def _allows_text(_keyword: str, types: list[str]) -> bool:
    return not types or "string" in types


#: The keywords and types that a hint applies to; the first hint with a suggestion is shown.
HINTS: tuple[tuple[Callable[[str, list[str]], bool], Hint], ...] = (
    (lambda keyword, types: keyword == "type" and "integer" in types, _hint_without_quotes),
    (lambda keyword, types: keyword == "type" and types == ["string"], _hint_in_quotes),
    (_allows_text, _hint_without_blanks),
    (_allows_text, _hint_in_lower_case),
    (lambda keyword, _types: keyword == "pattern", _hint_https),
)
