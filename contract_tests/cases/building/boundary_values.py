"""Boundary values of a schema: its bounds, one past them, wrong types, near misses of its patterns."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

_ASTRAL = "\U0001f600"
#: Characters and items; longer values say more about the limits of a server than about its contract.
_MAX_LENGTH, _MAX_ITEMS, _MAX_EXAMPLE_ITEMS = 100_000, 2000, 100
_WRONG_TYPES: tuple[Any, ...] = (True, 0, 1.5, "8080", "", None, {"a": "b"})


def probe_values(schema: Mapping[str, Any], example: Any = None) -> list[Any]:
    """Return values to try on the schema, each once; ``example`` is a valid one, if one is known."""
    valid = example if example is not None else build_example(schema)
    unique = {json.dumps(value): value for value in _iter_probes(schema, valid)}
    return list(unique.values())


def build_example(schema: Mapping[str, Any]) -> Any:
    """Return a simple value that the schema most likely accepts."""
    for keyword in ("const", "default"):
        if keyword in schema:
            return schema[keyword]
    if "enum" in schema:
        return schema["enum"][0]
    for branch in schema.get("anyOf", schema.get("oneOf", ())):
        return build_example(branch)
    kind = schema.get("type", "string")
    if kind == "object":
        properties = schema.get("properties", {})
        return {name: build_example(properties.get(name, {})) for name in schema.get("required", ())}
    if kind == "array":
        return [build_example(schema.get("items", {}))] * min(_MAX_EXAMPLE_ITEMS, schema.get("minItems", 1))
    if kind in ("integer", "number"):
        return schema.get("minimum", schema.get("maximum", 1))
    return _FORMATS.get(schema.get("format", ""), "a" * min(_MAX_LENGTH, max(1, schema.get("minLength", 1))))


_FORMATS = {"uuid": "3c90c3cc-0d44-4b50-8888-8dd25736052a", "uri": "https://example.com/"}


def _iter_probes(schema: Mapping[str, Any], valid: Any) -> Iterator[Any]:
    yield valid
    yield from _WRONG_TYPES
    yield [valid]
    for branch in schema.get("anyOf", schema.get("oneOf", ())):
        yield from _iter_probes(branch, valid)
    yield from _probe_numbers(schema)
    if isinstance(valid, str):
        yield from _probe_texts(schema, valid)
    if isinstance(valid, list):
        yield from _probe_arrays(schema, valid)
    if isinstance(valid, Mapping):
        yield from _probe_objects(schema, valid)


def _probe_numbers(schema: Mapping[str, Any]) -> Iterator[Any]:
    for keyword in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"):
        if keyword in schema:
            bound = schema[keyword]
            yield from (bound - 1, bound, bound + 1)
    if "maximum" in schema:
        yield 2**32 + max(1, schema.get("minimum", 1))  # becomes valid when truncated to 32 bits
    if "minimum" in schema:
        yield -(2**31)
    if "multipleOf" in schema:
        yield from (schema["multipleOf"] * 2, schema["multipleOf"] * 2 + 1)


def _probe_texts(schema: Mapping[str, Any], valid: str) -> Iterator[str]:
    for keyword in ("minLength", "maxLength"):
        if keyword in schema:
            for length in (schema[keyword] - 1, schema[keyword], schema[keyword] + 1):
                if not 0 <= length <= _MAX_LENGTH:
                    continue
                if "pattern" not in schema and "format" not in schema:
                    yield "n" * length
                    yield _ASTRAL * length
                else:
                    yield (valid + "a" * length)[:length]
    for item in filter(_is_text, schema.get("enum", ())):
        yield from (
            item,
            item.upper(),
            item.capitalize(),
            f"{item} ",
            f" {item}",
            f"{item}\n",
            item[:-1],
            f"{item}x",
        )
    if "format" in schema:
        yield "text"  # parsers disagree about other URIs; the tables have the certain ones
    elif "pattern" in schema:
        yield from _near_misses(valid)
    if schema.get("format") == "uuid":
        yield from (valid[:-1], valid + "0", valid[:-1] + "g", valid[:-1] + " ", f" {valid}", f"{valid}\n")


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _near_misses(valid: str) -> Iterator[str]:
    """Yield texts that differ in one character."""
    yield from (f"{valid}\n", f"\n{valid}", f"{valid} ", f" {valid}", valid[1:], valid[:-1])
    yield from (
        f"_{valid}",
        f"{valid}_",
        f"-{valid}",
        f"{valid}-",
        f"x{valid}",
        valid.upper(),
        valid.capitalize(),
    )
    for place in {1, len(valid) // 2}:
        yield from (valid[:place] + character + valid[place + 1 :] for character in "_A .\u00e9")


def _probe_arrays(schema: Mapping[str, Any], valid: list[Any]) -> Iterator[list[Any]]:
    item = valid[0] if valid else build_example(schema.get("items", {}))
    yield []
    for keyword in ("minItems", "maxItems"):
        if keyword in schema:
            for length in (schema[keyword] - 1, schema[keyword], schema[keyword] + 1):
                if 0 <= length <= _MAX_ITEMS:
                    yield [_number_item(item, n) for n in range(length)]
    yield [item, item]
    for value in _iter_probes(schema.get("items", {}), item):
        yield [value]
    yield from ([item, value] for value in _wrong_items(item))


def _number_item(item: Any, number: int) -> Any:
    """Return an item that differs from those of other numbers, as repeated items are an open point."""
    if isinstance(item, Mapping):
        return {name: _number_item(value, number) for name, value in item.items()}
    return f"{item}{number}" if isinstance(item, str) else item


def _wrong_items(item: Any) -> list[Any]:
    """Return items that are most likely invalid, for a place beyond the first of an array."""
    return [{**item, name: True} for name in item] if isinstance(item, Mapping) else [True]


def _probe_objects(schema: Mapping[str, Any], valid: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for name in schema.get("required", ()):
        yield {key: value for key, value in valid.items() if key != name}
    for name, inner in schema.get("properties", {}).items():
        for value in _iter_probes(inner, valid.get(name, build_example(inner))):
            yield {**valid, name: value}
