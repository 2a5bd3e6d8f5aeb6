"""JSON texts of requests, responses and files, with one bound of depth on every version of Python."""

import json
from typing import Any

#: Levels of lists and objects; the contract needs three. What reads a value may recurse so far.
MAX_DEPTH = 200


class TooDeepError(ValueError):
    """A JSON text with more than ``MAX_DEPTH`` levels."""


def parse_json(text: str | bytes, **hooks: Any) -> Any:
    """Return the value of a JSON text, read with the hooks of ``json.loads``.

    Raise ValueError if the text is not JSON, and TooDeepError if its levels are too many. Python's own limit depends
    on its version and on the caller.
    """
    try:
        value = json.loads(text, **hooks)
    except RecursionError:
        raise TooDeepError("nested too deeply") from None
    if _count_brackets(text) > MAX_DEPTH and _is_deep(value):
        raise TooDeepError("nested too deeply")
    return value


def _count_brackets(text: str | bytes) -> int:
    """Return the number of opening brackets; a value has no more levels."""
    return (
        text.count(b"[") + text.count(b"{") if isinstance(text, bytes) else text.count("[") + text.count("{")
    )


def _is_deep(value: Any) -> bool:
    """Return whether lists and objects are nested in more levels than ``MAX_DEPTH``."""
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [node for node in level if isinstance(node, dict | list)]
        if not level:
            return False
        level = [item for node in level for item in (node.values() if isinstance(node, dict) else node)]
    return True
