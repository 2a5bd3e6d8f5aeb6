"""The files of `spec/` and `fixtures/`, wherever the package is installed, and the version of the kit."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

VERSION = "0.1.0"
_PACKAGE = Path(__file__).resolve().parents[1]
#: A checkout has the data folders beside the package; a wheel has them in a folder named after the distribution.
_NEIGHBOURS = (_PACKAGE.parent, _PACKAGE.parent / "cyberun_contract_kit_data")
_MAX_DEPTH, _MAX_VALUES = 100, 200_000
_MAX_BYTES = 16 * 2**20
_SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class UnusableFileError(Exception):
    """A file that cannot be used; its message is one line that says what to do."""


class OptionError(ValueError):
    """An option with an unusable value; `name` is that of the argument in Python, `problem` what is wrong."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"{name}: {problem}")
        self.name, self.problem = name, problem


class _Loader(_SafeLoader):  # type: ignore[misc]
    """A loader that reports a value that does not fit its type, such as a date in month 13, with its place."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            problem = "a value that does not fit its type"
            raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark) from None

    _merged = 0

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Copy the keys of `<<`; each mapping is counted as often as it is merged, before it is copied."""
        super().flatten_mapping(node)
        self._merged += len(node.value)
        if self._merged > 2 * _MAX_VALUES:
            problem = "too many keys once those of << are copied"
            raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark)


def find_resource(name: str) -> Path:
    """Return the path of a data file such as `spec/openapi.yaml`."""
    for neighbour in _NEIGHBOURS:
        path = neighbour / name
        if path.is_file():
            return path
    raise UnusableFileError(f"{name}: not found beside {_PACKAGE}; reinstall cyberun-contract-kit")


def read_text(path: Path) -> str:
    """Return the text of a UTF-8 file; raise UnusableFileError if that fails."""
    if path.is_fifo():  # each worker reads it again, and waits for a writer
        raise UnusableFileError(f"{path}: a pipe, which can be read once only; name a file")
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
        if len(content) > _MAX_BYTES:
            raise UnusableFileError(f"{path}: larger than {_MAX_BYTES // 2**20} MiB; correct it")
        return content.decode("utf-8")
    except OSError as error:
        raise UnusableFileError(f"{path}: {error.strerror}; name a file that can be read") from error
    except UnicodeDecodeError as error:
        raise UnusableFileError(f"{path}: not UTF-8 at byte {error.start}; save it as UTF-8") from error


def read_yaml(path: Path) -> object:
    """Return the YAML (or JSON) document at `path`; raise UnusableFileError if that fails."""
    try:
        text = read_text(path)
        if flaw := _find_flaw(text):
            raise UnusableFileError(f"{path}: {flaw}; correct it")
        document: object = yaml.load(text, Loader=_Loader)  # noqa: S506  # a safe loader
    except yaml.YAMLError as error:
        raise UnusableFileError(f"{path}: not YAML: {' '.join(str(error).split())}; correct it") from error
    if is_too_large(document):
        raise UnusableFileError(f"{path}: too large once its aliases are expanded; correct it")
    return document


def is_too_large(document: object) -> bool:
    """Return whether a document has too many values, those that it shares counted wherever they stand."""
    counts: dict[int, int] = {}

    def count(node: object) -> int:
        if not isinstance(node, dict | list):
            return 1
        if id(node) not in counts:
            counts[id(node)] = _MAX_VALUES + 1  # for a value that contains itself
            inner = node.values() if isinstance(node, dict) else node
            counts[id(node)] = 1 + sum(map(count, inner))
        return counts[id(node)]

    return count(document) > _MAX_VALUES


def _find_flaw(text: str) -> str:
    """Return why a loader cannot read a text, or would read it otherwise than it stands; else an empty text."""
    open_nodes: list[_OpenNode] = []
    for number, event in enumerate(yaml.parse(text, Loader=_Loader)):
        if number > 2 * _MAX_VALUES:
            return "too many values"
        if isinstance(event, yaml.CollectionEndEvent):
            open_nodes.pop()
            continue
        repeated = open_nodes[-1].find_repeated_key(event) if open_nodes else None
        if repeated is not None:
            return (
                f"line {getattr(event.start_mark, 'line', 0) + 1}: the key {repeated[:40]!r} is there twice"
            )
        if isinstance(event, yaml.CollectionStartEvent):
            open_nodes.append(_OpenNode(is_mapping=isinstance(event, yaml.MappingStartEvent)))
            if len(open_nodes) > _MAX_DEPTH:
                return "nested too deeply"
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
