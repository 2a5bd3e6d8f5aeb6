"""The files of `spec/` and `fixtures/`, wherever the package is installed, and how they are read."""

import contextlib
import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

_PACKAGE = Path(__file__).resolve().parents[1]
#: A checkout has the folders beside the package; a wheel has them in one folder named after the distribution.
_NEIGHBOURS = (_PACKAGE.parent, _PACKAGE.parent / "cyberun_contract_kit_data")
_TEXT = "tag:yaml.org,2002:str"


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """The safe loader; a plain text goes without the steps that only what has parts needs."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        if node.tag == _TEXT and type(node) is yaml.ScalarNode:
            return node.value
        return super().construct_object(node, deep)


class UnusableFileError(Exception):
    """A file that cannot be used; its message is one line that says what to do."""


def find(name: str) -> Path:
    """The path of a data file such as `spec/openapi.yaml`: the first neighbour that holds the file."""
    for neighbour in _NEIGHBOURS:
        path = neighbour / name
        if path.is_file():
            return path
    raise UnusableFileError(f"{name}: not found beside {_PACKAGE}; reinstall cyberun-contract-kit")


def text(path: Path) -> str:
    """The text of the file at `path`."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise UnusableFileError(f"{path}: {error.strerror}; name a file that can be read") from error
    except UnicodeDecodeError as error:
        raise UnusableFileError(f"{path}: not UTF-8 at byte {error.start}; save it as UTF-8") from error


def read(path: Path) -> object:
    """The YAML (or JSON) document at `path`."""
    try:
        with _uncollected():
            return yaml.load(text(path), Loader=_Loader)  # noqa: S506  # a safe loader
    except yaml.YAMLError as error:
        raise UnusableFileError(f"{path}: not YAML: {' '.join(str(error).split())}; mend it") from error


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    """Nothing becomes garbage while a document is built, but looking for it takes a third of the time."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()
