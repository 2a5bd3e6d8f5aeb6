"""The schema stage: parameters and bodies are validated, and each error becomes the rule beside its keyword."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import jsonschema_rs

from mock_server.contract.model import Contract, Mismatch, Node, Operation, Rule, Schema, Violation
from mock_server.contract.suggestions import suggest_name
from mock_server.validation.schema_messages import HINT, ExpectedValue, format_value

Error = jsonschema_rs.ValidationError
#: A refusal lists at most about as many, so that a body of a million bad items has a small one.
MAX_VIOLATIONS = 100
#: The validator builds all errors of a value at once, in seconds if they are many. Of a larger value it builds one.
_MAX_VALUES = 2000
#: Unknown names that are compared with a missing one.
_MAX_COMPARED = 20
#: The keywords whose errors name properties, or contain other errors.
_KEYWORDS_WITH_DETAILS = frozenset(
    {"required", "additionalProperties", "unevaluatedProperties", "anyOf", "oneOf"}
)


def check_value(
    contract: Contract, schema: Schema, value: Any, location: str, pointer: str = ""
) -> list[Violation]:
    """Return the violations of a value; `location` and `pointer` say where the value is."""
    if schema.validator.is_valid(value):
        return []
    found: dict[tuple[str, str], Violation] = {}
    for error in _iter_errors(schema, value):
        for violation in _to_violations(contract, schema, error, location, pointer):
            key = violation.rule.id, violation.mismatch.pointer
            found[key] = _join_expected(found[key], violation) if key in found else violation
        if len(found) >= MAX_VIOLATIONS:
            break
    return list(found.values())


def _join_expected(first: Violation, second: Violation) -> Violation:
    """Return one violation for two keywords of a rule that a value breaks, with the expectations of both."""
    sentence, more = first.mismatch.expected.partition(HINT)[0], second.mismatch.expected
    if more.partition(HINT)[0] in sentence:
        return first
    return first._replace(mismatch=first.mismatch._replace(expected=f"{sentence}, and {more}"))


def _iter_errors(schema: Schema, value: Any) -> Iterable[Error]:
    """Return the errors of an invalid value, or the first of a value that has too many parts."""
    if not _is_large(value):
        return schema.validator.iter_errors(value)
    try:
        schema.validator.validate(value)
    except Error as error:
        return (error,)
    return ()


def _is_large(value: Any) -> bool:
    """Return whether a value has more parts than a usual body."""
    nodes = [value]
    for node in nodes:  # grows while it is read
        if isinstance(node, dict | list):
            nodes += node.values() if isinstance(node, dict) else node
        if len(nodes) > _MAX_VALUES:
            return True
    return False


def check_path_parameters(
    contract: Contract, operation: Operation, values: Mapping[str, str]
) -> list[Violation]:
    """Return the violations of the path parameters."""
    found: list[Violation] = []
    for parameter in operation.parameters:
        if parameter.location == "path" and parameter.name in values:
            found += check_value(
                contract, parameter.schema, values[parameter.name], "path", f"/{parameter.name}"
            )
    return found


class Keyword:
    """A keyword of a schema, with its rule, expected value and usual pointer. It is built once and cached."""

    def __init__(self, contract: Contract, root: Node, path: Sequence[str | int], name: str) -> None:
        self.name = name
        parent = _find_schema(root, path)
        rule_ids = (parent.get("x-rules") or {}).get(str(path[-1])) or ""
        by_property = rule_ids if isinstance(rule_ids, dict) else {}
        self._rule = contract.rule("" if isinstance(rule_ids, dict) else rule_ids)
        self._property_rules = {n: contract.rule(rule) for n, rule in by_property.items()}
        self.expected = ExpectedValue(name, parent)
        #: The names that a required property may be misspelt beside; those of the whole schema for a condition.
        self.known = parent.get("properties") or root.get("properties") or {}
        #: The instance path of most errors, and its pointer.
        self.names = list(path[1:-1:2])
        self.pointer = json_pointer(self.names)

    def rule(self, property_name: str | None) -> Rule:
        """Return the rule of a property, or that of the whole keyword."""
        return self._property_rules.get(property_name, self._rule)


def _get_keyword(contract: Contract, schema: Schema, error: Error) -> Keyword:
    path = tuple(error.schema_path)
    keyword: Keyword | None = schema.keywords.get(path)
    if keyword is None:
        keyword = schema.keywords[path] = Keyword(contract, schema.node, path, error.kind.name)
    return keyword


def _to_violations(
    contract: Contract, schema: Schema, error: Error, location: str, base: str
) -> Sequence[Violation]:
    keyword, instance = _get_keyword(contract, schema, error), error.instance
    details = error.kind.as_dict() if keyword.name in _KEYWORDS_WITH_DETAILS else None
    if details and "context" in details and (branch := _intended_branch(details["context"])):
        return [
            found for inner in branch for found in _to_violations(contract, schema, inner, location, base)
        ]
    path = error.instance_path
    pointer = base + (keyword.pointer if path == keyword.names else json_pointer(path))
    expected = keyword.expected.describe(error.message, instance)
    if details is None:
        return (Violation(keyword.rule(None), Mismatch(location, pointer, format_value(instance), expected)),)
    found = []
    for name in _property_names(details):
        below = "" if name is None else json_pointer((name,))
        actual = format_value(instance) if name is None else _format_property(instance, name)
        hint = _find_misspelling(keyword, instance, name) if keyword.name == "required" else ""
        mismatch = Mismatch(location, pointer + below, actual, expected + hint)
        found.append(Violation(keyword.rule(name), mismatch))
    return found


def _find_misspelling(keyword: Keyword, instance: object, missing: str | None) -> str:
    """Return a hint at an unknown property that was probably meant for the missing one, or an empty text."""
    unknown = (key for key in instance if key not in keyword.known) if isinstance(instance, dict) else ()
    for key in itertools.islice(unknown, _MAX_COMPARED):
        if suggest_name(key, keyword.known) == f"did you mean {missing}?":
            return f"; is {format_value(key)} a misspelling of it?"
    return ""


def _property_names(details: Mapping[str, Any]) -> Sequence[str | None]:
    """Return the missing or unexpected properties of an error; None stands for the value itself."""
    if "property" in details:
        return (details["property"],)
    names: Sequence[str | None] = details.get("unexpected", (None,))
    return names[:MAX_VIOLATIONS]


def json_pointer(parts: Sequence[str | int]) -> str:
    """Return the JSON Pointer of a path."""
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in parts)


def _intended_branch(branches: list[list[Error]]) -> list[Error]:
    """Return the errors of the first branch with the right type, else of the first branch.

    The list is empty if a branch has no errors: then more than one branch accepts the value.
    """
    if not all(branches):
        return []
    for branch in branches:
        if all(error.kind.name != "type" for error in branch):
            return branch
    return branches[0] if branches else []


def _find_schema(root: Node, path: Sequence[str | int]) -> Node:
    """Return the schema object that holds the keyword at the end of the path."""
    node: Any = root
    for part in path[:-1]:
        # jsonschema_rs reports a name of digits as a number, and omits an empty name.
        items = {str(n): item for n, item in enumerate(node)} if isinstance(node, list) else node
        node = items.get(str(part)) if isinstance(items, dict) else None
    return node if isinstance(node, dict) else {}


def _format_property(instance: object, name: str) -> str:
    return format_value(instance[name]) if isinstance(instance, dict) and name in instance else "nothing"
