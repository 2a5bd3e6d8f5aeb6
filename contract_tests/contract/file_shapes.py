"""The shapes of the files that users and other programs give to the commands, checked before they are used."""

from functools import cache
from pathlib import Path
from typing import Any, Literal

from contract_tests.contract.yaml_file import read_yaml

Shape = Literal["callers", "waivers", "finding", "report", "recording", "state"]


def check_shape(document: Any, shape: Shape, source: Path) -> None:
    """Raise ValueError if a document does not have a shape; the message is one line and repeats no value."""
    # Loads a tenth of a second, which a run without such a file never needs.
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    validator = Draft202012Validator({"$ref": f"#/$defs/{shape}", "$defs": load_shapes()})
    error = best_match(validator.iter_errors(document))
    if error is not None:
        place = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in error.absolute_path)
        problem = _describe(str(error.validator), error.validator_value, error.message)
        raise ValueError(f"{source}: {place.lstrip('.') or shape}: {problem}")


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
    if keyword in ("required", "additionalProperties"):  # these name properties only
        return message
    return f"expected {keyword} {value}" if isinstance(value, int) else "unexpected"
