"""The spellings in which a response may repeat a token: any of its characters escaped, in any letter case."""

import html
import re
from collections.abc import Iterable

#: Every escape of a URL, of HTML, of JSON and other languages, and of UTF-16 begins so; most texts have none.
_ESCAPE = r"%[0-9a-f]|&(?:amp;)*#|\\[ux0-7/]|\x00"
#: The same for a token with a character that HTML has a name for.
_NAMED_ESCAPE = "|&[a-z]+;"
#: Backslashes of an escape within escaped texts; a bound, because a search begins at each of a run.
_BACKSLASHES = r"\\{1,8}+"


class Spellings:
    """Finds escaped spellings of some tokens in texts and bytes."""

    def __init__(self, tokens: Iterable[str]) -> None:
        known = sorted(tokens, key=len, reverse=True)
        pattern = "|".join(_token_pattern(token) for token in known if token)
        escape = _ESCAPE + (_NAMED_ESCAPE if any(html.escape(token) != token for token in known) else "")
        self._text = re.compile(pattern or "(?!)", re.IGNORECASE)
        self._bytes = re.compile(self._text.pattern.encode(), re.IGNORECASE)
        self._escape_in_text = re.compile(escape, re.IGNORECASE)
        self._escape_in_bytes = re.compile(escape.encode(), re.IGNORECASE)

    def replace_text(self, text: str, name: str) -> str:
        """Return the text with ``name`` in place of each spelling with an escape."""
        return self._text.sub(name, text) if self._escape_in_text.search(text) else text

    def replace_bytes(self, data: bytes, name: str) -> bytes:
        """Return the bytes with ``name`` in place of each spelling with an escape."""
        return self._bytes.sub(name.encode(), data) if self._escape_in_bytes.search(data) else data


def _token_pattern(token: str) -> str:
    return "".join(f"(?:{'|'.join(_list_forms(character))})" for character in token)


def _list_forms(character: str) -> Iterable[str]:
    """Yield patterns of one character: itself, also in UTF-16, escaped once or several times, or by its number.

    No two of them match the same text: a search would try each combination.
    """
    yield (r"\\{0,8}+/" if character == "/" else re.escape(character)) + r"\x00?"
    if html.escape(character) != character:
        yield re.escape(html.escape(character))
    for case in {character.lower(), character.upper()}:
        number = ord(case[0])
        yield "".join(f"%(?:25)*{byte:02x}" for byte in case.encode())
        yield rf"{_BACKSLASHES}(?:u(?:0000)?{number:04x}|u\{{0*{number:x}\}}|x{number:02x}|{number:03o})"
        yield rf"&(?:amp;)*\#(?:0*{number}|x0*{number:x});"
