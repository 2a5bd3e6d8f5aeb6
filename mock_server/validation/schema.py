"""Parameters and body against their schema: each error becomes the rule that stands beside its keyword."""

import functools
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jsonschema_rs

from mock_server.contract.model import Contract, Mismatch, Node, Operation, Rule, Schema, Violation

#: `seen` is for a person to read: what is longer is cut.
MAX_SHOWN = 80

_JSON = json.JSONEncoder(default=str)
_INTEGER = re.compile("-?[0-9]{1,18}")

Error = jsonschema_rs.ValidationError
#: The errors that tell of something within the value, or of other errors.
_KEYWORDS_WITH_DETAILS = frozenset(
    {"required", "additionalProperties", "unevaluatedProperties", "anyOf", "oneOf"}
)


def check_value(
    contract: Contract, schema: Schema, value: Any, where: str, base: str = ""
) -> list[Violation]:
    """The violations of a value; empty where the schema accepts it. `base` is the pointer of the value."""
    if schema.validator.is_valid(value):
        return []
    found: dict[tuple[str, str], Violation] = {}
    for error in schema.validator.iter_errors(value):
        for violation in _to_violations(contract, schema, error, where, base):
            found.setdefault((violation.rule.id, violation.mismatch.pointer), violation)
    return list(found.values())


def check_path_parameters(
    contract: Contract, operation: Operation, values: Mapping[str, str]
) -> list[Violation]:
    """The violations of the parameters of a path, by their names."""
    found: list[Violation] = []
    for parameter in operation.parameters:
        if parameter.location == "path" and parameter.name in values:
            found += check_value(
                contract, parameter.schema, values[parameter.name], "path", f"/{parameter.name}"
            )
    return found


class Keyword:
    """A keyword of a schema, with what is the same whenever it is broken: it is found out once."""

    def __init__(self, contract: Contract, root: Node, path: Sequence[str | int], name: str) -> None:
        self.name = name
        self.holder = _find_schema(root, path)
        named = (self.holder.get("x-rules") or {}).get(str(path[-1])) or ""
        #: The rule of the keyword, or those of the names that it is about.
        self._rule = contract.rule("" if isinstance(named, dict) else named)
        self._rules = {n: contract.rule(rule) for n, rule in named.items()} if isinstance(named, dict) else {}
        sentence = SENTENCES.get(name) if name in self.holder else None
        self.sentence = sentence(self.holder[name], self.holder) if sentence else None
        kinds = self.holder.get("type", [])
        self.kinds = [kinds] if isinstance(kinds, str) else list(kinds)
        self.hints = tuple(hint for fits, hint in HINTS if fits(self))
        #: Where the value is that breaks it, mostly, and the pointer to there.
        self.names = list(path[1:-1:2])
        self.pointer = json_pointer(self.names)

    @functools.cached_property
    def _validator(self) -> jsonschema_rs.Draft202012Validator:
        return jsonschema_rs.Draft202012Validator(self.holder, validate_formats=True)

    def places(self, told: Mapping[str, Any]) -> Sequence[str | None]:
        """The names that an error is about: a missing property, each one too many, or the value itself."""
        if "property" in told:
            return (told["property"],)
        places: Sequence[str | None] = told.get("unexpected", (None,))
        return places

    def rule(self, name: str | None) -> Rule:
        """The rule that is broken, which may be one of that name alone."""
        return self._rules.get(name, self._rule)

    def expected(self, message: str, value: object) -> str:
        """What would be right, in words, and what was probably meant, where the mistake is common.

        `message` is what the validator says, for a keyword outside the table.
        """
        if self.sentence is None:
            return message if len(message) <= MAX_SHOWN else f"what {self.name} allows"
        for probably in self.hints:
            meant = probably(self, value)
            if meant is not None:
                return f"{self.sentence}; did you mean {meant}?"
        return self.sentence

    def fits(self, value: str) -> bool:
        """Whether the schema that holds the keyword accepts a text."""
        return bool(self._validator.is_valid(value))


def _get_keyword(contract: Contract, schema: Schema, error: Error) -> Keyword:
    path = tuple(error.schema_path)
    found: Keyword | None = schema.keywords.get(path)
    if found is None:
        found = schema.keywords[path] = Keyword(contract, schema.node, path, error.kind.name)
    return found


def _to_violations(
    contract: Contract, schema: Schema, error: Error, where: str, base: str
) -> Sequence[Violation]:
    keyword, instance = _get_keyword(contract, schema, error), error.instance
    told = error.kind.as_dict() if keyword.name in _KEYWORDS_WITH_DETAILS else None
    if told and "context" in told and (meant := _intended_branch(told["context"])):
        return [found for inner in meant for found in _to_violations(contract, schema, inner, where, base)]
    path = error.instance_path
    place = base + (keyword.pointer if path == keyword.names else json_pointer(path))
    needed = keyword.expected(error.message, instance)
    if told is None:
        return (Violation(keyword.rule(None), Mismatch(where, place, format_value(instance), needed)),)
    found = []
    for name in keyword.places(told):
        below, seen = (
            ("", format_value(instance))
            if name is None
            else (json_pointer((name,)), _format_property(instance, name))
        )
        found.append(Violation(keyword.rule(name), Mismatch(where, place + below, seen, needed)))
    return found


def json_pointer(parts: Sequence[str | int]) -> str:
    """The JSON Pointer of a path."""
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in parts)


def _intended_branch(branches: list[list[Error]]) -> list[Error]:
    """The branch that the sender meant: one of the right type, else the first; none where more than one fits."""
    if not all(branches):
        return []
    for branch in branches:
        if all(error.kind.name != "type" for error in branch):
            return branch
    return branches[0] if branches else []


def _find_schema(root: Node, path: Sequence[str | int]) -> Node:
    """The schema object that holds the keyword at the end of the path."""
    node: Any = root
    for part in path[:-1]:
        # jsonschema_rs tells a name of digits as a number, and leaves out an empty one.
        items = {str(n): item for n, item in enumerate(node)} if isinstance(node, list) else node
        node = items.get(str(part)) if isinstance(items, dict) else None
    return node if isinstance(node, dict) else {}


def _format_property(instance: object, name: str) -> str:
    return format_value(instance[name]) if isinstance(instance, dict) and name in instance else "nothing"


def format_value(value: object) -> str:
    """A value as short JSON."""
    if isinstance(value, str):
        if len(value) > MAX_SHOWN:
            return f"{json.dumps(value[:20])} and {len(value) - 20} characters more"
    elif isinstance(value, int):
        if value.bit_length() > 256:
            return "a very large integer"
    elif isinstance(value, (list, dict)) and len(value) > MAX_SHOWN:
        return f"{'an array' if isinstance(value, list) else 'an object'} of {len(value)}"
    text = str(value) if type(value) is int else _JSON.encode(value)  # the encoder is slow to begin
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…"


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


def _type_name(node: Node) -> str:
    kinds = node.get("type")
    named = [kinds] if isinstance(kinds, str) else kinds if isinstance(kinds, list) else []
    return " or ".join(_TYPE_NAMES.get(kind, str(kind)) for kind in named) or "a value"


#: What would be right, by keyword: from the keyword's value and the schema that holds it.
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


def _hint_without_quotes(_keyword: Keyword, value: object) -> str | None:
    whole = isinstance(value, str) and _INTEGER.fullmatch(value)
    return f"{value} without the quotes" if whole else None


def _hint_in_quotes(keyword: Keyword, value: object) -> str | None:
    if not isinstance(value, int | float):
        return None
    text = json.dumps(value)
    return f'"{text}" in quotes' if len(text) < MAX_SHOWN and keyword.fits(text) else None


def _hint_without_blanks(keyword: Keyword, value: object) -> str | None:
    if not isinstance(value, str) or value == value.strip() or not keyword.fits(value.strip()):
        return None
    return f"{format_value(value.strip())}, without the blanks or newlines around it"


def _hint_in_lower_case(keyword: Keyword, value: object) -> str | None:
    if not isinstance(value, str) or value == value.lower() or not keyword.fits(value.lower()):
        return None
    return f"{format_value(value.lower())} in lower case"


def _hint_https(keyword: Keyword, value: object) -> str | None:
    if not isinstance(value, str) or not value.startswith("http://"):
        return None
    secure = "https://" + value.removeprefix("http://")
    return format_value(secure) if keyword.fits(secure) else None


def _applies_to_text(keyword: Keyword) -> bool:
    return not keyword.kinds or "string" in keyword.kinds


#: Which keywords a hint can help with; the first that knows something of the value is told.
HINTS: tuple[tuple[Callable[[Keyword], bool], Callable[[Keyword, object], str | None]], ...] = (
    (lambda keyword: keyword.name == "type" and "integer" in keyword.kinds, _hint_without_quotes),
    (lambda keyword: keyword.name == "type" and keyword.kinds == ["string"], _hint_in_quotes),
    (_applies_to_text, _hint_without_blanks),
    (_applies_to_text, _hint_in_lower_case),
    (lambda keyword: keyword.name == "pattern", _hint_https),
)
