"""Values to try on one property that has two schemas: those of both, of the tables, and texts of changed patterns."""

import copy
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from contract_tests.cases.building.boundary_values import build_example, probe_values
from contract_tests.cases.building.telling_values import TELLING_VALUES
from contract_tests.cases.model import Case
from contract_tests.cases.value_templates import SlugFactory, fill_templates
from contract_tests.mutation.tightening import NARROWINGS

_DRAWN_TEXTS = 60
_EXTRA = {"extra_property": "x"}

Schema = Mapping[str, Any]


def list_values(name: str, schemas: Iterable[Schema], known: Iterable[Any], seed: int) -> list[Any]:
    """Return values to try on a property, each once; ``known`` are those of the tables, an example first."""
    several = [schema for schema in schemas if isinstance(schema, Mapping)]
    tables = [*known]
    found = {_key(value): value for value in _iter_values(name, several, tables, seed)}
    return list(found.values())


def list_table_values(cases: Iterable[Case], operation: str, name: str) -> list[Any]:
    """Return the values that the tables try on a property."""
    slugs = SlugFactory("ck-", seed=0)
    steps = [case.steps[0] for case in cases if case.value and case.value[::2] == (operation, name)]
    return [fill_templates(step.body[name], slugs.new_slug) for step in steps if name in step.body]


def _iter_values(name: str, schemas: list[Schema], tables: list[Any], seed: int) -> Iterator[Any]:
    examples = [*tables[:1], *map(build_example, schemas)]
    for example in examples:
        yield example
        for schema in schemas:
            yield from probe_values(schema, example)
    yield from tables
    yield from TELLING_VALUES.get(name, ())
    texts = [narrowing.example for narrowing in NARROWINGS] + [""]
    texts += [text for pattern in _list_changed_patterns(schemas) for text in draw_texts(pattern, seed)]
    for example in examples[:1]:
        for text in texts:
            yield from _replace_texts(example, text)
        yield from _extend_objects(example)


@cache
def draw_texts(pattern: str, seed: int) -> tuple[str, ...]:
    """Return texts in which a pattern matches, the same for the same seed; none if Python cannot read it."""
    from hypothesis import HealthCheck, Phase, given, settings
    from hypothesis import seed as set_seed
    from hypothesis import strategies as st
    from hypothesis.errors import HypothesisException

    found: list[str] = []

    @set_seed(seed)
    @settings(max_examples=_DRAWN_TEXTS, database=None, deadline=None, phases=(Phase.generate,),
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(st.from_regex(pattern))
    def collect(text: str) -> None:
        found.append(text)

    try:
        collect()
    except (re.error, HypothesisException):
        return tuple(found)
    return tuple(found)


def _list_changed_patterns(schemas: list[Schema]) -> list[str]:
    """Return the patterns that are in some of the schemas, and not in all."""
    each: list[set[str]] = [set(_iter_patterns(schema)) for schema in schemas]
    return sorted(set[str]().union(*each) - each[0].intersection(*each)) if each else []


def _iter_patterns(node: Any) -> Iterator[str]:
    if isinstance(node, Mapping):
        if isinstance(node.get("pattern"), str):
            yield node["pattern"]
        for value in node.values():
            yield from _iter_patterns(value)
    elif isinstance(node, list):
        for item in node:
            yield from _iter_patterns(item)


def _replace_texts(value: Any, text: str) -> Iterator[Any]:
    """Yield copies of a value, each with one of its texts replaced; of an array, one in its first item."""
    if isinstance(value, str):
        yield text
    elif isinstance(value, list | dict):
        for key in _list_places(value):
            for inner in _replace_texts(value[key], text):
                changed = copy.copy(value)
                changed[key] = inner
                yield changed


def _extend_objects(value: Any) -> Iterator[Any]:
    """Yield copies of a value, each with one more property in one of its objects."""
    if isinstance(value, dict):
        yield {**value, **_EXTRA}
    if isinstance(value, list | dict):
        for key in _list_places(value):
            for inner in _extend_objects(value[key]):
                changed = copy.copy(value)
                changed[key] = inner
                yield changed


def _list_places(value: Any) -> list[Any]:
    """Return the keys of an object, or the first place of an array."""
    return [*range(min(1, len(value)))] if isinstance(value, list) else list(value)


def _key(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
