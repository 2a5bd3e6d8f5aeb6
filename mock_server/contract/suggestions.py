"""The name that was probably meant in place of an unknown one."""

import difflib
from collections.abc import Iterable

#: A longer name is no misspelt one, and would take long to compare.
_MAX_LENGTH = 80
#: A misspelt name has so many characters of the right one, or all but one: `code` is not meant for `body`.
_MIN_COMMON = 3


def suggest_name(name: str, choices: Iterable[str]) -> str:
    """Return `did you mean NAME?` with the closest choice, or an empty text if none is close.

    A choice that is a word of the name is the closest: `status` for `service_status`.
    """
    known = list(choices)
    if len(name) > _MAX_LENGTH:
        return ""
    words = name.lower().split("_")
    close = [choice for choice in known if choice in words] or [
        choice
        for choice in difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.5)
        if _count_common(name.lower(), choice) >= min(_MIN_COMMON, len(choice) - 1)
    ]
    return f"did you mean {close[0]}?" if close else ""


def _count_common(name: str, choice: str) -> int:
    return sum(block.size for block in difflib.SequenceMatcher(None, name, choice).get_matching_blocks())


def suggestion_suffix(name: str, choices: Iterable[str]) -> str:
    """Return the suggestion as the end of a sentence: `; did you mean NAME?`, or an empty text."""
    suggestion = suggest_name(name, choices)
    return f"; {suggestion}" if suggestion else ""
