"""The name that was probably meant in place of an unknown one."""

import difflib
from collections.abc import Iterable

#: A longer name is no misspelt one, and would take long to compare.
_MAX_LENGTH = 80


def suggest_name(name: str, choices: Iterable[str]) -> str:
    """Return `did you mean NAME?` with the closest choice, or an empty text if none is close.

    A choice that is a word of the name is the closest: `status` for `service_status`.
    """
    known = list(choices)
    if len(name) > _MAX_LENGTH:
        return ""
    words = name.lower().split("_")
    close = [choice for choice in known if choice in words] or difflib.get_close_matches(
        name.lower(), known, n=1, cutoff=0.5
    )
    return f"did you mean {close[0]}?" if close else ""


def suggestion_suffix(name: str, choices: Iterable[str]) -> str:
    """Return the suggestion as the end of a sentence: `; did you mean NAME?`, or an empty text."""
    suggestion = suggest_name(name, choices)
    return f"; {suggestion}" if suggestion else ""
