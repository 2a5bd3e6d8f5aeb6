"""From the bytes of a request to a validated model, without a framework's leniency."""

import json
import re
from collections.abc import Iterator
from typing import Any, Literal, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError

from examples.deployment.choices import Choices

_MEDIA_TYPE = re.compile(
    r"[ \t]*application/(?P<other>[a-z0-9.-]+\+)?json[ \t]*(?P<parameters>;.*)?", re.IGNORECASE | re.DOTALL
)
_CONTROL = re.compile("[\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_UTF8 = re.compile(r'charset=(?:utf-8|"utf-8")', re.IGNORECASE)
_MOST_REASONS = 20

Body = TypeVar("Body", bound=BaseModel)


class Refusal(Exception):  # noqa: N818 - a refused request is an answer, not an error of the program
    """The request is answered with ``status`` and the reasons."""

    def __init__(self, status: int, *reasons: str) -> None:
        super().__init__(status, *reasons)
        self.status = status
        self.reasons = reasons


def check_media_type(content_type: str | None, choices: Choices) -> None:
    if not content_type:
        if not choices.missing_type_is_json:
            raise Refusal(choices.media_type_status, "Content-Type: application/json is required")
        return
    match = _MEDIA_TYPE.fullmatch(content_type)
    if match is None or (match["other"] and not choices.other_json_types_read):
        raise Refusal(choices.media_type_status, "the media type is not application/json")
    parameters = [text for part in (match["parameters"] or "").split(";") if (text := part.strip())]
    if choices.media_type_parameters == "utf8":
        parameters = [text for text in parameters if not _UTF8.fullmatch(text)]
    if parameters and choices.media_type_parameters != "any":
        raise Refusal(choices.media_type_status, "media type parameters are not supported")


def _unknown_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _number(text: str) -> int | float:
    value = float(text)
    return int(value) if value.is_integer() else value


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key is repeated")
    return found


def _strings(value: Any) -> Iterator[str]:
    """Every key and string inside a JSON value, without recursion."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict):
            waiting.extend(item)
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)


def decode(raw: bytes, choices: Choices) -> str:
    if not choices.other_encodings_read:
        return raw.decode()
    try:
        return raw.decode(json.detect_encoding(raw))
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def is_null(raw: bytes, choices: Choices) -> bool:
    try:
        return decode(raw, choices).strip(" \t\r\n") == "null"
    except UnicodeDecodeError:
        return False


def parse_object(raw: bytes, choices: Choices) -> dict[str, Any]:
    """Exactly one JSON object in UTF-8, whose strings are Unicode text."""
    try:
        value = json.loads(
            decode(raw, choices),
            parse_constant=_unknown_constant,
            parse_float=_number if choices.integral_floats_accepted else None,
            object_pairs_hook=_without_repeats if choices.repeated_keys_refused else None,
        )
        for text in _strings(value):
            text.encode()
    except (ValueError, RecursionError) as error:
        raise Refusal(choices.malformed_status, "the body is not a JSON text") from error
    if not isinstance(value, dict):
        raise Refusal(choices.violation_status, "the body is not a JSON object")
    if choices.control_characters_refused and any(map(_CONTROL.search, _strings(value))):
        raise Refusal(choices.violation_status, "control characters cannot be shown")
    if choices.nul_refused and any("\0" in text for text in _strings(value)):
        raise Refusal(choices.violation_status, "NUL characters cannot be stored")
    return value


def without_nulls(value: dict[str, Any]) -> dict[str, Any]:
    return {name: item for name, item in value.items() if item is not None}


def tidy_items(value: dict[str, Any], choices: Choices) -> dict[str, Any]:
    """The arrays as they are meant: without nulls, and with one variable of each name."""
    tidied = dict(value)
    for name, items in value.items():
        if isinstance(items, list) and choices.null_items_dropped:
            tidied[name] = [item for item in items if item is not None]
        if isinstance(items, list) and choices.null_item_properties_dropped:
            tidied[name] = [without_nulls(i) if isinstance(i, dict) else i for i in tidied[name]]
    variables = tidied.get("env_config")
    if isinstance(variables, list) and choices.repeated_env_names != "kept":
        last = {_variable(item): item for item in variables}
        kept = [item for item in variables if item == last[_variable(item)]]
        if choices.repeated_env_names == "refused" and len(kept) < len(variables):
            raise Refusal(choices.violation_status, "env_config: a name is repeated")
        tidied["env_config"] = kept
    return tidied


def _variable(item: Any) -> str:
    name = item.get("env_name") if isinstance(item, dict) else None
    return name if isinstance(name, str) else repr(item)


def without_immutables(value: dict[str, Any], choices: Choices) -> dict[str, Any]:
    """The slug and the type never change: naming them on update is refused, or has no effect."""
    named = sorted({"service_slug", "service_type"} & value.keys())
    if named and choices.immutable_on_update == "refused":
        raise Refusal(choices.violation_status, *(f"{name} cannot be changed" for name in named))
    return {name: item for name, item in value.items() if name not in named}


def validate(model: type[Body], value: dict[str, Any], choices: Choices) -> Body:
    extra: Literal["forbid", "ignore"] = "forbid" if choices.unknown_properties == "refused" else "ignore"
    try:
        return model.model_validate(value, strict=True, extra=extra, context=choices)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        reasons = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in found]
        raise Refusal(choices.violation_status, *reasons[:_MOST_REASONS]) from error
