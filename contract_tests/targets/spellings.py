"""The spellings in which a response may repeat a token: any of its characters escaped, in any letter case."""

import base64
import html
import re
from collections.abc import Callable, Iterable
from functools import cached_property

#: An escape of one character: of a URL, of HTML, of JSON and other languages.
_ESCAPE = re.compile(
    r"%(?:25)*([0-9a-f]{2})|&(?:amp;)*\#(?:x([0-9a-f]{1,8})|([0-9]{1,8}));"
    r"|\\{1,8}+(?:u(?:0000)?([0-9a-f]{4})|u\{([0-9a-f]{1,8})\}|x([0-9a-f]{2})|([0-7]{3})|(/))",
    re.IGNORECASE,
)
#: What every escape begins with, and the NUL of UTF-16.
_ESCAPE_START = re.compile(r"[%&\\\x00]")
#: What wraps an escape again and again: only one of each run counts.
_NESTED = re.compile(r"(?<=&)(?:amp;)+|(?<=%)(?:25)+|(?<=\\)\\+", re.IGNORECASE)
_LEADING_ZEROS, _NO_CHARACTER = (
    re.compile(r"(?<=&#)(x?)0+", re.IGNORECASE),
    re.compile(r"&#(?:x[0-9a-f]{7,}|[0-9]{8,})", re.IGNORECASE),
)
_PERCENT_U = re.compile(r"%u([0-9a-f]{4})", re.IGNORECASE)
_HYPHEN = "\u2010"  # as HTML names it: it looks like the ASCII one
#: Kinds of escapes within each other; a text that has more of them is hidden as a whole.
_MAX_ROUNDS = 16
#: The bases of the numbers in the groups of an escape; the last one is the character itself.
_BASES = (16, 16, 10, 16, 16, 16, 8)
#: Backslashes of an escape within escaped texts; a bound, because a search begins at each of a run.
_BACKSLASHES = r"\\{1,8}+"

_URL_SAFE = str.maketrans("+/", "-_")

#: A token of so many characters or fewer is no longer itself without its last one.
_SHORT = 8
#: So many characters of a token are searched for in every spelling; what follows up to a space or a quote is hidden.
_SPELLED, _REST = 200, r"[^\s\"'<>]*+"


class Spellings:
    """Finds escaped spellings of some tokens in texts and bytes.

    A search for every spelling is slow, so it is made only where a token stands once escapes are replaced. Where one
    still stands after that, in escapes of several kinds within each other, the text is hidden as a whole.
    """

    def __init__(self, tokens: Iterable[str]) -> None:
        known = sorted(filter(None, tokens), key=len, reverse=True)
        self._pattern = "|".join(map(_token_pattern, known)) or "(?!)"
        self._lowered = [token.lower() for token in known]
        self._shown = [part for token in known for part in _list_shown_parts(token)]
        #: JSON doubles each backslash of a token, so both are compared without any.
        self._bare = [bare for part in self._shown if (bare := part.replace("\\", ""))]
        #: Tokens with characters that HTML has names for, or that are several bytes, are always searched for.
        self._is_plain = all(token.isascii() and html.escape(token) == token for token in known)

    def replace_text(self, text: str, name: str) -> str:
        """Return the text with ``name`` in place of each spelling, or in place of the text."""
        text = self._text.sub(name, text) if self._may_hold_token(text) else text
        return name if self._still_holds_token(text) else text

    def replace_bytes(self, data: bytes, name: str) -> bytes:
        """Return the bytes with ``name`` in place of each spelling, or in place of the bytes."""
        data = self._bytes.sub(name.encode(), data) if self._may_hold_token(data.decode("latin-1")) else data
        return name.encode() if self._still_holds_token(data.decode("latin-1")) else data

    # Compiled on their first use: that takes a second for long tokens, and few responses escape one.

    @cached_property
    def _text(self) -> re.Pattern[str]:
        return re.compile(self._pattern, re.IGNORECASE)

    @cached_property
    def _bytes(self) -> re.Pattern[bytes]:
        return re.compile(self._pattern.encode(), re.IGNORECASE)

    def _may_hold_token(self, text: str) -> bool:
        escaped = _ESCAPE_START.search(text) is not None
        if not self._is_plain:
            return escaped
        plain = (_ESCAPE.sub(_unescape, text.replace("\0", "")) if escaped else text).lower()
        return any(token in plain for token in self._lowered)

    def _still_holds_token(self, text: str) -> bool:
        plain = _remove_escapes(text) if _ESCAPE_START.search(text) else text
        if plain is None:
            return True
        lowered = plain.lower()
        bare = lowered.replace("\\", "")
        return any(part in lowered for part in self._shown) or any(part in bare for part in self._bare)


def list_encodings(token: str) -> Iterable[str]:
    """Yield a token as lists of bytes, and in Base64 and Base32, wherever it begins in them; none of a short one."""
    data = token.encode("utf-8", "replace")
    if len(data) <= _SHORT:
        return
    for separator in ("", " ", ":"):
        hexadecimal = data.hex(separator) if separator else data.hex()
        yield from (hexadecimal, hexadecimal.upper())
    yield from (",".join(map(str, data)), ", ".join(map(str, data)))
    for before in range(3):
        part = _encode_after(before, data, base64.b64encode, 6)
        yield from (part, part.translate(_URL_SAFE))
    for before in range(5):
        yield _encode_after(before, data, base64.b32encode, 5)


def _encode_after(before: int, data: bytes, encode: Callable[[bytes], bytes], bits: int) -> str:
    """Return what encoded data looks like after other bytes; a character of it has so many bits.

    The first and the last character may also be about what stands beside the data, so they are left out.
    """
    encoded = encode(bytes(before) + data).decode()
    return encoded[-(-before * 8 // bits) : (before + len(data)) * 8 // bits]


def _list_shown_parts(token: str) -> Iterable[str]:
    """Yield what gives a token away, in lower case, also as bytes of UTF-8 that are read as Latin-1."""
    part = token[:-1].lower() if len(token) > _SHORT else token.lower()
    yield part
    if not part.isascii():
        yield part.encode("utf-8", "ignore").decode("latin-1")


def _remove_escapes(text: str) -> str | None:
    """Return a text without escapes, however they are within each other; None if there is no end to them."""
    for _ in range(_MAX_ROUNDS):
        plain = _PERCENT_U.sub(lambda found: chr(int(found[1], 16)), _NESTED.sub("", text.replace("\0", "")))
        plain = _NO_CHARACTER.sub("", _LEADING_ZEROS.sub(r"\1", plain))
        plain = html.unescape(_ESCAPE.sub(_unescape, plain)).replace(_HYPHEN, "-")
        if plain == text:
            return plain
        text = plain
    return None


def _unescape(found: re.Match[str]) -> str:
    """Return the character of an escape; that of no character is none."""
    numbers = [int(number, base) for number, base in zip(found.groups(), _BASES, strict=False) if number]
    if numbers:
        return chr(numbers[0]) if numbers[0] < 0x110000 else ""
    return found[8] or ""


def _token_pattern(token: str) -> str:
    start = "".join(f"(?:{'|'.join(_list_forms(character))})" for character in token[:_SPELLED])
    return start + (_REST if len(token) > _SPELLED else "")


def _list_forms(character: str) -> Iterable[str]:
    """Yield patterns of one character: itself, also in UTF-16, escaped once or several times, or by its number.

    No two of them match the same text: a search would try each combination.
    """
    yield (r"\\{0,8}+" if character in "/\"'" else "") + re.escape(character) + r"\x00?"
    if html.escape(character) != character:
        yield re.escape(html.escape(character))
    for case in {character.lower(), character.upper()}:
        number = ord(case[0])
        yield "".join(f"%(?:25)*{byte:02x}" for byte in case.encode())
        yield rf"{_BACKSLASHES}(?:u(?:0000)?{number:04x}|u\{{0*{number:x}\}}|x{number:02x}|{number:03o})"
        yield rf"&(?:amp;)*\#(?:0*{number}|x0*{number:x});"
