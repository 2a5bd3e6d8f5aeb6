"""Places of the rules in the contract: the file and the line that state each."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from contract_tests.contract.files.yaml_file import read_text
from contract_tests.contract.resources import data_file

_FOLDER = "spec"


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a file, counted from 1; ``path`` is relative to the repository, with slashes."""

    path: str
    line: int


class RulePlaces:
    """Finds the line of a rule: where openapi.yaml names it beside a keyword, or else its entry in rules.yaml."""

    def __init__(self, spec: Path | None = None) -> None:
        """Read a contract, the kit's own by default."""
        self._name = spec.as_posix() if spec else f"{_FOLDER}/openapi.yaml"
        self._lines = dict(_iter_named(compose_file(spec or data_file(f"{_FOLDER}/openapi.yaml"))))
        beside = spec.parent / "rules.yaml" if spec else None
        own = beside if beside and beside.is_file() else None
        self._rules_name = own.as_posix() if own else f"{_FOLDER}/rules.yaml"
        self._entries = dict(_iter_entries(compose_file(own or data_file(f"{_FOLDER}/rules.yaml"))))

    def find_choice(self, choice: str) -> Place:
        """Return the place of a choice: its entry in choices.yaml, or the first line of that file."""
        name = f"{_FOLDER}/choices.yaml"
        return Place(name, dict(_iter_entries(compose_file(data_file(name)))).get(choice, 1))

    def find(self, rule: str) -> Place:
        """Return the place of a rule; the first line of the contract if it names the rule nowhere."""
        if rule in self._lines:
            return Place(self._name, self._lines[rule])
        if rule in self._entries:
            return Place(self._rules_name, self._entries[rule])
        return Place(self._name, 1)


def compose_file(file: Path) -> yaml.Node | None:
    """Return the nodes of a YAML file, which know their lines."""
    return yaml.compose(read_text(file), Loader=yaml.CSafeLoader)


def _iter_named(node: yaml.Node | None) -> Iterator[tuple[str, int]]:
    """Yield the rules of ``x-rules`` with their lines, the last place first: a later pair of a dict replaces it."""
    pairs = [*_iter_pairs(node)]
    for key, value in reversed(pairs):
        if key.value == "x-rules":
            yield from ((text, line) for text, line in _iter_texts(value))


def _iter_pairs(node: yaml.Node | None) -> Iterator[tuple[yaml.Node, yaml.Node]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield key, value
            yield from _iter_pairs(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _iter_pairs(item)


def _iter_texts(node: yaml.Node) -> Iterator[tuple[str, int]]:
    if isinstance(node, yaml.MappingNode):
        for _, value in node.value:
            yield from _iter_texts(value)
    elif isinstance(node, yaml.ScalarNode):
        yield node.value, node.start_mark.line + 1


def _iter_entries(node: yaml.Node | None) -> Iterator[tuple[str, int]]:
    for key, value in _iter_pairs(node):
        if key.value == "id":
            yield value.value, value.start_mark.line + 1
