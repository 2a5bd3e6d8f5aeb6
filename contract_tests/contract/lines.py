"""Lines: where the files of the contract state a rule or a choice, as ``spec/openapi.yaml:377``."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from contract_tests.contract.files.yaml_file import read_text
from contract_tests.contract.resources import data_file

_RULES = "x-rules"
CHOICES_FILE = "spec/choices.yaml"
_SCHEMAS = {"createContainer": "ServiceCreate", "updateContainer": "ServiceUpdate"}


@dataclass(frozen=True, slots=True)
class _Place:
    """A keyword that enforces a rule: its line, its value, and the keys that lead to it."""

    rule: str
    keyword: str
    line: int
    value: Any
    keys: tuple[str, ...]


def find_rule_line(rule: str, operation: str, value: Any = None, spec: Path | None = None) -> str:
    """Return file and line of the keyword that a value crosses; of the rule's entry if no keyword states it.

    The file is ``spec`` as the user named it, or that of the kit. An empty string means that neither file names the
    rule, or that a file is gone.
    """
    try:
        path = spec or data_file("spec/openapi.yaml")
        places = [place for place in _list_places(path) if place.rule == rule]
        other = next((name for of, name in _SCHEMAS.items() if of != operation), "")
        own = [place for place in places if other not in place.keys] or places
        if own:
            return f"{name_contract(spec)}:{min(own, key=lambda place: _distance(place, value)).line}"
        beside = spec.with_name("rules.yaml") if spec else None
        given = beside if beside and beside.is_file() else None
        line = _find_entry(given or data_file("spec/rules.yaml"), rule)
    except (OSError, ValueError, yaml.YAMLError):
        return ""
    return f"{given.as_posix() if given else 'spec/rules.yaml'}:{line}" if line else ""


def find_choice_line(choice: str) -> str:
    """Return file and line of the entry of a choice, an empty string if it has none."""
    line = _find_entry(data_file(CHOICES_FILE), choice)
    return f"{CHOICES_FILE}:{line}" if line else ""


def name_contract(spec: Path | None) -> str:
    """Return the path of the contract as the user named it, or that of the kit's own."""
    return spec.as_posix() if spec else "spec/openapi.yaml"


def _distance(place: _Place, value: Any) -> float:
    """Return how far a value is from the bound of a keyword; infinite for a keyword without a bound."""
    size = len(value) if place.keyword.endswith("Length") and isinstance(value, str) else value
    try:
        return abs(float(place.value) - size)
    except (TypeError, ValueError, OverflowError):
        return float("inf")


@cache
def _list_places(path: Path) -> tuple[_Place, ...]:
    root = yaml.compose(read_text(path), Loader=yaml.CSafeLoader)
    return tuple(_iter_places(root, ()))


def _iter_places(node: Any, keys: tuple[str, ...]) -> Iterator[_Place]:
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _iter_places(item, keys)
    if not isinstance(node, yaml.MappingNode):
        return
    beside = {key.value: (key, value) for key, value in node.value}
    for key, value in node.value:
        if key.value == _RULES and isinstance(value, yaml.MappingNode):
            yield from _iter_rules(value, beside, keys)
        else:
            yield from _iter_places(value, (*keys, key.value))


def _iter_rules(rules: Any, beside: dict[str, Any], keys: tuple[str, ...]) -> Iterator[_Place]:
    for keyword, named in rules.value:
        names = [value.value for _, value in named.value] if isinstance(named.value, list) else [named.value]
        key, value = beside.get(keyword.value, (keyword, named))
        for name in names:
            yield _Place(name, keyword.value, key.start_mark.line + 1, value.value, keys)


@cache
def _find_entry(path: Path, name: str) -> int:
    """Return the line of a rule in the catalogue, or of a choice among the choices, 0 if it has none."""
    lines = enumerate(read_text(path).splitlines(), 1)
    return next((number for number, line in lines if line.strip() == f"- id: {name}"), 0)
