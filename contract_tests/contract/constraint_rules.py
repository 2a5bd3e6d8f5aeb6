"""Each constraint of a body schema names the rule that it enforces, as the cases and the verdicts are per rule."""

from collections.abc import Iterator, Mapping
from typing import Any

from contract_tests.contract.rules import Catalogue

#: The keywords of a schema that refuse a value.
_CONSTRAINTS = frozenset(
    {"type", "enum", "const", "format", "pattern", "minLength", "maxLength", "minimum", "maximum",
     "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minItems", "maxItems", "uniqueItems", "contains",
     "required", "dependentRequired", "minProperties", "maxProperties", "propertyNames", "not",
     "additionalProperties", "unevaluatedProperties"}
)  # fmt: skip
#: Keywords with subschemas, except those whose subschemas refuse nothing by themselves.
_ONE = ("then", "else", "items", "additionalProperties", "propertyNames")
_MANY = ("anyOf", "oneOf", "allOf", "prefixItems")
_NAMED = ("properties", "patternProperties", "dependentSchemas")


def check_constraint_rules(schema: Any, catalogue: Catalogue, place: str) -> None:
    """Raise ValueError for a constraint without a rule of the catalogue; ``place`` names the file and the schema."""
    if not isinstance(schema, Mapping):
        return
    for keyword in sorted(_CONSTRAINTS.intersection(schema)):
        names = _list_rules(schema, keyword)
        if not names:
            raise ValueError(f"{place}: {keyword} names no rule; add x-rules: {{{keyword}: RULE}}")
        for name in names:
            if str(name) not in catalogue:
                raise ValueError(
                    f"{place}: x-rules names {name}, which is not in rules.yaml; add it there or correct the name"
                )
    for key, inner in _iter_subschemas(schema):
        check_constraint_rules(inner, catalogue, f"{place}/{key}")


def _list_rules(schema: Mapping[str, Any], keyword: str) -> list[Any]:
    """Return the rules beside a keyword; none if it, or a name that it requires, has no rule."""
    rules, value = schema.get("x-rules"), schema[keyword]
    entry = rules.get(keyword) if isinstance(rules, Mapping) else None
    if not isinstance(entry, Mapping):
        return [entry] if entry else []
    complete = isinstance(value, (list, Mapping)) and set(entry) == set(value)
    return list(entry.values()) if complete else []


def _iter_subschemas(schema: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the place and the schema of each part that refuses values itself."""
    for keyword in _ONE:
        yield keyword, schema.get(keyword)
    for keyword in _MANY:
        for number, branch in enumerate(schema.get(keyword, ())):
            yield f"{keyword}/{number}", branch
    for keyword in _NAMED:
        for name, branch in schema.get(keyword, {}).items():
            yield f"{keyword}/{name}", branch
