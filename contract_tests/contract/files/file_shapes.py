"""The files that users and other programs give to the commands: read, and checked before they are used."""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, Literal

from contract_tests.contract.files.json_text import parse_json
from contract_tests.contract.files.yaml_file import TooLargeError, read_text, read_yaml

Shape = Literal["callers", "waivers", "finding", "report", "recording", "state", "profile", "rules"]
_MAX_JSON_BYTES = 256 * 2**20
_MAX_NAME = 40  # characters of an unknown property that are shown


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of file in words, the keys that tell it from the others, and where a user finds one."""

    name: str
    keys: tuple[str, ...]
    advice: str = ""


#: The kinds by their shape; a document is of the first kind of which it has all keys.
_KINDS: Mapping[str, _Kind] = {
    "report": _Kind(
        "a report of `contract-tests run`",
        ("findings", "rules"),
        "name the report.json of a run, or its folder",
    ),
    "finding": _Kind("a finding", ("case", "exchanges"), "name a file of findings/ in a report folder"),
    "state": _Kind("the state of a run", ("tally", "given"), "name the --report folder of a run"),
    "recording": _Kind("a recording (HAR)", ("log",), "name a HAR file, such as the traffic.har of a report"),
    "profile": _Kind("a profile", ("choices",), "name a file that `contract-tests calibrate` wrote"),
    "callers": _Kind("a file of callers", ("callers",)),
    "waivers": _Kind("a list of waivers", ()),
    "rules": _Kind("a catalogue of rules", ()),
    "contract": _Kind("an OpenAPI document", ("openapi",)),
}


def load_json_file(path: Path, shape: Shape) -> Any:
    """Return the document of a JSON file of a shape; raise ValueError with one line if it is unusable."""
    document = read_json_file(path, shape)
    check_shape(document, shape, path)
    return document


def read_json_file(path: Path, shape: Shape) -> Any:
    """Return the document of a JSON file that is of no other kind; raise ValueError if there is none.

    The message is one line that says which file is wanted. Nobody has checked the shape of the document.
    """
    kind = _KINDS[shape]
    try:
        document = parse_json(read_text(path, "utf-8-sig", _MAX_JSON_BYTES))
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}; {kind.advice}") from None
    except TooLargeError:
        raise
    except ValueError:
        raise ValueError(f"{path} is not JSON, or only a part of it; {kind.advice}") from None
    if other := _name_other_kind(document, shape):
        raise ValueError(f"{path} is {other}, not {kind.name}; {kind.advice}")
    return document


def read_document(path: Path) -> Any:
    """Return the document of a JSON or a YAML file; raise OSError, or ValueError with one line, if it is unusable."""
    try:
        return parse_json(read_text(path, "utf-8-sig", _MAX_JSON_BYTES))
    except TooLargeError:
        raise
    except ValueError:
        return read_yaml(path)


def name_wanted(shape: Shape) -> str:
    """Return which file is wanted, in words for a user."""
    return _KINDS[shape].advice


def find_kind(document: Any) -> str:
    """Return the kind of a document by its keys: a shape, or ``contract``; an empty string if it is unknown."""
    keys = document if isinstance(document, Mapping) else ()
    kinds = (name for name, kind in _KINDS.items() if kind.keys and all(key in keys for key in kind.keys))
    return next(kinds, "")


def _name_other_kind(document: Any, shape: Shape) -> str:
    """Return the kind of a document in words if it is known and another than the shape's."""
    found = find_kind(document)
    return "" if found in ("", shape) else _KINDS[found].name


def check_shape(document: Any, shape: Shape, source: Path) -> None:
    """Raise ValueError if a document does not have a shape; the message is one line and repeats no value."""
    # Loads a tenth of a second, which a run without such a file never needs.
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    validator = Draft202012Validator({"$ref": f"#/$defs/{shape}", "$defs": load_shapes()})
    error = best_match(validator.iter_errors(document))
    if error is None:
        return
    if other := _name_other_kind(document, shape):
        raise ValueError(f"{source} is {other}, not {_KINDS[shape].name}")
    place = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in error.absolute_path)
    problem = _describe(str(error.validator), error.validator_value, error.message)
    if error.validator == "additionalProperties":
        problem = _name_unknown_property(error.instance, error.schema.get("properties", {}))
    raise ValueError(f"{source}: {place.lstrip('.') or shape}: {problem}")


def _name_unknown_property(value: Mapping[Any, Any], known: Mapping[str, Any]) -> str:
    """Return which property no shape has, and which one was probably meant."""
    name = next(str(key) for key in value if key not in known)[:_MAX_NAME]
    close = get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}"
    return f"unknown property {name!r}; {hint}"


@cache
def load_shapes() -> dict[str, Any]:
    """Return the JSON Schemas of all shapes by name; they refer to each other as ``#/$defs/NAME``."""
    shapes: dict[str, Any] = read_yaml(Path(__file__).with_suffix(".yaml"))["$defs"]
    return shapes


def _describe(keyword: str, value: Any, message: str) -> str:
    """Return what is expected in place of a value, which may be a secret."""
    if keyword == "type":
        return f"expected {' or '.join([value] if isinstance(value, str) else value)}"
    if keyword == "enum":
        return f"expected one of {', '.join(map(str, value))}"
    if keyword == "required":  # it names properties only
        return message
    if keyword == "pattern":
        return f"expected a text that matches {value}"
    return f"expected {keyword} {value}" if isinstance(value, int) else "unexpected"
