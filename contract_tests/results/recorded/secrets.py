"""Secrets of a recording: recordings of other programs hold tokens, keys and cookies as they were sent."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import unquote, unquote_plus, urlsplit

from contract_tests.results.recorded.recording import Entry, decode_text, read_headers

#: Where a secret stands, and the names that show it: in lower case, without ``_`` and ``-``.
_SECRET_NAMES: Mapping[str, re.Pattern[str]] = {
    "header": re.compile(r".*(token|secret|auth|password|session|cookie|key).*"),
    "parameter": re.compile(
        r".*(token|secret|password|signature|jwt|credential|apikey|accesskey|session).*|sig|code|key|pwd|auth"
    ),
    "property": re.compile(r".*(password|secret|apikey|accesskey|privatekey)|(access|refresh|id|auth)?token"),
}
_PUBLIC_HEADERS = ("x-team-id", "idempotency-key", ":authority")
#: First words of ``Authorization`` and ``WWW-Authenticate``, which say how the rest is to be read.
_SCHEMES = (
    "bearer", "basic", "digest", "token", "apikey", "negotiate", "ntlm", "dpop", "hawk", "aws4-hmac-sha256",
)  # fmt: skip
#: Values that hide half of every text, and no secret.
_PLAIN_WORDS = ("true", "false", "null", "none", *_SCHEMES)
_SHORT = 4  # characters; hiding shorter ones would hide half of every text
_STRING = r'"((?:[^"\\]|\\.)*+)"'
_PROPERTY = re.compile(rf"{_STRING}\s*:\s*(?:{_STRING}|(-?[0-9][0-9.eE+-]*+))", re.DOTALL)

#: The environment of a container often holds secrets, under names of its own: each value in it is one.
_ENV_CONFIG = re.compile(r'"env_config"\s*:\s*(\[[^\]]*+|\{[^}]*+|"(?:[^"\\]|\\.)*+")', re.DOTALL)
_VALUE = re.compile(rf"{_STRING}(?!\s*:)")


def find_secrets(entries: Sequence[Entry], *, own: bool = False) -> Iterator[str]:
    """Yield every secret in the headers, URLs and bodies of a recording; a placeholder of this kit is not one.

    ``own`` traffic of this kit has made-up environments only.
    """
    for entry in entries:
        for secret in _find_in_entry(entry, own=own):
            known = "$TOKEN" in secret or "${TOKEN" in secret or secret.lower() in _PLAIN_WORDS
            if len(secret) >= _SHORT and not known:
                yield secret


def _find_in_entry(entry: Entry, *, own: bool) -> Iterator[str]:
    request, response = entry["request"], entry.get("response")
    yield from _find_in_url(str(request.get("url", "")))
    for message in (request, response) if isinstance(response, dict) else (request,):
        for name, value in read_headers(message):
            yield from _find_in_header(name.lower(), value)
        body = message.get("content") or message.get("postData")
        if isinstance(body, dict):
            yield from _find_in_body(body, own=own)


def _find_in_header(name: str, value: str) -> Iterator[str]:
    """Yield the whole value of a header with a telling name, without its scheme, or the secrets of a URL in it."""
    if name in _PUBLIC_HEADERS or not _is_secret("header", name):
        yield from _find_in_url(value)
        return
    scheme, _, rest = value.strip().partition(" ")
    yield rest.strip() if scheme.lower() in _SCHEMES else value.strip()
    if value.count(" ") == 1:
        yield value.partition(" ")[2]
    if "cookie" in name:
        cookies = value.split(";")
        # The other parts of Set-Cookie are attributes, such as a path.
        yield from (
            one.partition("=")[2].strip() for one in (cookies[:1] if name == "set-cookie" else cookies)
        )


def _find_in_url(url: str) -> Iterator[str]:
    """Yield the password of a URL (or its user name, without one) and the secret parameters that it has."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return
    if word := parts.password or parts.username:  # a user name alone is a token
        yield from (word, unquote(word))
    yield from _find_in_parameters(parts.query)
    yield from _find_in_parameters(parts.fragment.rpartition("?")[2])


def _find_in_parameters(text: str) -> Iterator[str]:
    for pair in re.split("[&;]", text):
        name, _, value = pair.partition("=")
        if _is_secret("parameter", unquote_plus(name)):
            yield from (value, unquote_plus(value))


def _find_in_body(body: Mapping[str, Any], *, own: bool) -> Iterator[str]:
    """Yield the secrets of a body: JSON, perhaps cut, or a form."""
    content = decode_text(str(body.get("text") or ""), body.get("_encoding") or body.get("encoding"))
    text = content.decode("utf-8", "replace")
    for name, string, number in _PROPERTY.findall(text):
        if _is_secret("property", _unescape(name)):
            yield from (string, _unescape(string), number)
    for config in [] if own else _ENV_CONFIG.findall(text):
        for string in _VALUE.findall(config):
            yield from (string, _unescape(string))
    if "=" in text and not text.lstrip().startswith(("{", "[")):
        yield from _find_in_parameters(text.strip())


def _unescape(text: str) -> str:
    """Return the string of a JSON text, which stands between quotes."""
    try:
        return str(json.loads(f'"{text}"', strict=False))
    except ValueError:
        return text


def _is_secret(place: str, name: str) -> bool:
    return _SECRET_NAMES[place].fullmatch(re.sub("[-_]", "", name.lower())) is not None
