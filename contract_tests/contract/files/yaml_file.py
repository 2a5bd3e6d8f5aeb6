"""Files of other hands, read within bounds."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

_MAX_VALUES = 200_000
_MAX_BYTES = 64 * 2**20
_MAX_DEPTH = 100  # of lists and mappings; a reader of deeper ones overflows its stack


def read_text(path: Path, encoding: str = "utf-8", max_bytes: int = _MAX_BYTES) -> str:
    """Return the text of a file; raise OSError, or ValueError if it is too large or in another encoding."""
    with path.open("rb") as file:
        content = file.read(max_bytes + 1)
    if len(content) > max_bytes:
        size = f"{max_bytes // 2**20} MiB" if max_bytes >= 2**20 else f"{max_bytes // 2**10} KiB"
        raise TooLargeError(f"{path} is larger than {size}")
    return content.decode(encoding)


class _Loader(yaml.CSafeLoader):
    """A loader that reports a value that does not fit its type, such as a date in month 13, with its place."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            problem = "a value that does not fit its type"
            raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark) from None

    _merged = 0

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Copy the keys of ``<<``; each mapping is counted as often as it is merged, before it is copied."""
        super().flatten_mapping(node)
        self._merged += len(node.value)
        if self._merged > 2 * _MAX_VALUES:
            problem = "too many keys once those of << are copied"
            raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark)


class TooLargeError(ValueError):
    """A file that is larger than any that is meant; the message is one line."""


def read_yaml(path: Path) -> Any:
    """Return the value of a YAML or JSON file; raise OSError, or ValueError with one line, if it is unusable."""
    try:
        text = read_text(path)
        if flaw := _find_flaw(text):
            raise ValueError(f"{path} {flaw}")
        document = yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is not YAML: {' '.join(str(error).split())}") from None
    if _count_values(document, {}) > _MAX_VALUES:
        raise ValueError(f"{path} is too large once its aliases are expanded")
    return document


def _count_values(node: Any, counts: dict[int, int]) -> int:
    """Return the number of values in a document, those that it shares counted wherever they stand."""
    if not isinstance(node, dict | list):
        return 1
    if id(node) not in counts:
        counts[id(node)] = _MAX_VALUES + 1  # for a value that contains itself
        inner = node.values() if isinstance(node, dict) else node
        counts[id(node)] = 1 + sum(_count_values(item, counts) for item in inner)
    return counts[id(node)]


def _find_flaw(text: str) -> str:
    """Return why a loader cannot read a text, or would read it otherwise than it stands; else an empty string."""
    open_nodes: list[_OpenNode] = []
    for number, event in enumerate(yaml.parse(text, Loader=yaml.CSafeLoader)):
        if isinstance(event, yaml.CollectionEndEvent):
            open_nodes.pop()
            continue
        repeated = open_nodes[-1].find_repeated_key(event) if open_nodes else None
        if repeated is not None:
            return f"has the key {repeated[:40]!r} twice, again in line {getattr(event.start_mark, 'line', 0) + 1}"
        if isinstance(event, yaml.CollectionStartEvent):
            open_nodes.append(_OpenNode(is_mapping=isinstance(event, yaml.MappingStartEvent)))
        if len(open_nodes) > _MAX_DEPTH or number > 2 * _MAX_VALUES:
            return "is nested too deeply, or has too many values"
    return ""


@dataclass(slots=True)
class _OpenNode:
    """A list or a mapping while its members are read."""

    is_mapping: bool
    keys: set[str] = field(default_factory=set)
    at_key: bool = True

    def find_repeated_key(self, member: yaml.Event) -> str | None:
        """Take the next member; return it if it is a key that the mapping has already."""
        is_key, self.at_key = self.is_mapping and self.at_key, not self.at_key
        if not is_key or not isinstance(member, yaml.ScalarEvent) or member.value == "<<":
            return None
        key = str(member.value)
        if key in self.keys:
            return key
        self.keys.add(key)
        return None
