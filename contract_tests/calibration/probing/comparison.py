"""Compares refusals: which of two faults does the refusal of both tell? It relies on no text of any server."""

import re
from typing import Literal

from contract_tests.calibration.probing.sighting import Answer

#: Words of letters; numbers, times and ids differ from answer to answer.
_WORD = re.compile(r"[^\W\d_]{3,}(?:_[^\W\d_]+)*")
_HEXADECIMAL = frozenset("abcdefABCDEF")


def find_told(both: Answer, first: Answer, second: Answer) -> Literal["first", "second", "both", ""]:
    """Return which of two faults the refusal of both is about, compared with the refusals of each alone.

    The statuses decide if they differ, else the words that only one of the two refusals has.
    """
    if first.status != second.status:
        return {first.status: "first", second.status: "second"}.get(both.status, "")  # type: ignore[return-value]
    return find_told_words(both, first, second)


def find_told_words(both: Answer, first: Answer, second: Answer) -> Literal["first", "second", "both", ""]:
    """Return which fault the words of a refusal tell; an empty string if that cannot be seen."""
    if both.status not in (first.status, second.status):
        return ""
    words = _list_words(both)
    tells_first = bool(words & (_list_words(first) - _list_words(second)))
    tells_second = bool(words & (_list_words(second) - _list_words(first)))
    if tells_first and tells_second:
        return "both"
    return "first" if tells_first else "second" if tells_second else ""


def _list_words(answer: Answer) -> set[str]:
    return {word for word in _WORD.findall(answer.text) if not _HEXADECIMAL.issuperset(word)}
