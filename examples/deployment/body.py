"""From the bytes of a request to a validated model, without a framework's leniency."""

import json
import re
from collections.abc import Iterator
from typing import Any, Literal, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError

from examples.deployment.choices import Choices

_MEDIA_TYPE = re.compile(r"[ \t]*application/json[ \t]*(?P<parameters>;.*)?", re.IGNORECASE | re.DOTALL)
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
    if match is None:
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


def parse_object(raw: bytes, choices: Choices) -> dict[str, Any]:
    """Exactly one JSON object in UTF-8, whose strings are Unicode text."""
    try:
        value = json.loads(
            raw.decode(),
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
    if choices.nul_refused and any("\0" in text for text in _strings(value)):
        raise Refusal(choices.violation_status, "NUL characters cannot be stored")
    return value


def without_nulls(value: dict[str, Any]) -> dict[str, Any]:
    return {name: item for name, item in value.items() if item is not None}


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
