"""Redaction: nothing that the mock or the proxy shows or logs repeats a secret."""

import base64
import functools
import html
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from urllib.parse import unquote

from mock_server.contract.model import Violation
from mock_server.validation.schema_messages import HINT

REDACTED = "…"
_ESCAPE = re.compile(r"\\u[0-9a-fA-F]{4}|\\/|%[0-9a-fA-F]{2}|&[#a-zA-Z]")
_JSON_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})|\\/")
#: What wraps an escape again and again: only one of each run counts.
_NESTED = re.compile(r"(?<=&)(?:amp;)+|(?<=%)(?:25)+|(?<=\\)\\+")
_LONG_NUMBER = re.compile(r"(?<=&#)0+|(?<=&#[xX])0+|&#[xX]?[0-9a-fA-F]{9,}")  # html reads no longer ones
_HYPHEN = "\u2010"  # as HTML names it: it looks like the ASCII one
#: So many kinds of escapes may wrap each other, as in a URL that is a part of a page; a text with more is hidden.
_MAX_ROUNDS = 16
_URL_SAFE = str.maketrans("+/", "-_")
#: Header fields that are secret as a whole, in lower case, beside `authorization`.
SECRET_HEADERS = frozenset({"cookie", "set-cookie", "proxy-authorization"})

#: A token of so many characters or fewer is no longer itself without its last one.
_SHORT = 8
#: The characters that give a token away, in lower case, and the pattern of the token.
TokenPattern = tuple[str, re.Pattern[str]]

#: Schemes of `Authorization` that may be shown, in lower case; any other word may be a part of a secret.
_SCHEMES = frozenset(
    {"apikey", "basic", "bearer", "digest", "dpop", "hoba", "mutual", "negotiate", "ntlm", "oauth", "token"}
)


class Redactor:
    """Replaces the known tokens in texts, and the token of the request that a text belongs to.

    A token is found in any letter case, and without its last character.
    """

    def __init__(self, tokens: Iterable[str]) -> None:
        known = sorted(filter(_is_redactable, tokens), key=len, reverse=True)
        self._tokens = tuple(chain.from_iterable(map(_list_patterns, known)))

    def redact(self, text: str, authorization: str | None = None) -> str:
        """Return the text with each token replaced; `authorization` is the header of the request.

        A text that has a token with escapes is replaced as a whole.
        """
        tokens, lowered = self._tokens + _list_tokens(authorization or ""), text.lower()
        found = [pattern for start, pattern in tokens if start in lowered]
        for pattern in found:
            text = pattern.sub(REDACTED, text)
        plain = _replace_escapes(text) if _ESCAPE.search(text) else text if found else ""
        if plain is None:
            return REDACTED
        lowered = plain.lower()
        return REDACTED if any(start in lowered for start, _ in tokens) else text


def redact_authorization(authorization: str, replacement: str = REDACTED) -> str:
    """Return the header with a replacement for all of it but the name of a well-known scheme."""
    scheme = (authorization.split(maxsplit=1) or [""])[0]
    return f"{scheme} {replacement}" if scheme.lower() in _SCHEMES else replacement


@functools.lru_cache(100)
def _list_tokens(authorization: str) -> tuple[TokenPattern, ...]:
    """Return the token of a header, and as bodies and paths have it: headers are read as Latin-1, they as UTF-8."""
    tokens = authorization.split()[-1:]
    if tokens and not tokens[0].isascii():
        tokens.append(tokens[0].encode("latin-1", "ignore").decode("utf-8", "ignore"))
    return tuple(chain.from_iterable(map(_list_patterns, filter(_is_redactable, tokens))))


def _list_patterns(token: str) -> Iterator[TokenPattern]:
    """Yield the pattern of a token, and those of its encodings."""
    yield _to_pattern(token)
    for encoded in _list_encodings(token):
        yield encoded.lower(), re.compile(re.escape(encoded), re.IGNORECASE)


def _list_encodings(token: str) -> Iterator[str]:
    """Yield a token as lists of bytes, and in Base64 and Base32, wherever it begins in them; none of a short one."""
    data = token.encode("utf-8", "replace")
    if len(data) <= _SHORT:
        return
    yield from (data.hex(), data.hex(" "), data.hex(":"))
    yield from (",".join(map(str, data)), ", ".join(map(str, data)))
    for before in range(3):
        part = _encode_after(before, data, base64.b64encode, 6)
        yield from {part, part.translate(_URL_SAFE)}
    for before in range(5):
        yield _encode_after(before, data, base64.b32encode, 5)


def _encode_after(before: int, data: bytes, encode: Callable[[bytes], bytes], bits: int) -> str:
    """Return what encoded data looks like after other bytes; a character of it has so many bits.

    The first and the last character may also be about what stands beside the data, so they are left out.
    """
    encoded = encode(bytes(before) + data).decode()
    return encoded[-(-before * 8 // bits) : (before + len(data)) * 8 // bits]


def _to_pattern(token: str) -> TokenPattern:
    """Return the characters that give a token away, in lower case, and the pattern of the token."""
    start, end = (token[:-1], token[-1]) if len(token) > _SHORT else (token, "")
    ending = rf"(?:{re.escape(end)}|\w)?" if end else ""  # another token may differ in its last character
    return start.lower(), re.compile(re.escape(start) + ending, re.IGNORECASE)


def _replace_escapes(text: str) -> str | None:
    """Return a text without the escapes of JSON, HTML and URLs, or None if there is no end to them."""
    for _ in range(_MAX_ROUNDS):
        plain = _NESTED.sub("", text)
        plain = _JSON_ESCAPE.sub(lambda found: chr(int(found[1], 16)) if found[1] else "/", plain)
        plain = unquote(html.unescape(_LONG_NUMBER.sub("", plain))).replace(_HYPHEN, "-")
        if plain == text:
            return plain
        text = plain
    return None


def hide_values(violation: Violation) -> Violation:
    """Return the violation without the value that it is about, and without a hint, which may repeat the value.

    What is said of `Authorization` never repeats it.
    """
    if violation.mismatch.location == "header" and violation.mismatch.pointer == "/Authorization":
        return violation
    expected = violation.mismatch.expected.partition(HINT)[0]
    return violation._replace(mismatch=violation.mismatch._replace(actual=REDACTED, expected=expected))


def _is_redactable(token: str) -> bool:
    return len(token) > len(REDACTED)
