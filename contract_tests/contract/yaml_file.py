"""Files of other hands, read within bounds."""

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
        raise TooLargeError(f"{path} is larger than {max_bytes // 2**20} MiB")
    return content.decode(encoding)


class TooLargeError(ValueError):
    """A file that is larger than any that is meant; the message is one line."""


def read_yaml(path: Path) -> Any:
    """Return the value of a YAML or JSON file; raise OSError, or ValueError with one line, if it is unusable."""
    try:
        text = read_text(path)
        if _find_depth(text) > _MAX_DEPTH:
            raise ValueError(f"{path} is nested too deeply, or has too many values")
        document = yaml.load(text, Loader=yaml.CSafeLoader)
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


def _find_depth(text: str) -> int:
    """Return the depth of a YAML text, or one beyond the limit as soon as it is too deep or too long."""
    depth = deepest = 0
    for number, event in enumerate(yaml.parse(text, Loader=yaml.CSafeLoader)):
        if number > 2 * _MAX_VALUES:
            return _MAX_DEPTH + 1
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            deepest = max(deepest, depth)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if deepest > _MAX_DEPTH:
            break
    return deepest
