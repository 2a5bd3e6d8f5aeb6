"""Recorded exchanges: a request and its response with every secret removed."""

import base64
import json
import re
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import chain
from typing import Any

from contract_tests.targets.base import NoResponse, Request, Response
from contract_tests.targets.spellings import Spellings, list_encodings

REDACTED = "$TOKEN"
#: A token without its last character, as a shell writes it, and a token in other letter case.
REDACTED_CUT, REDACTED_SWAPPED = "${TOKEN%?}", "$TOKEN_SWAPPED"
_SHORT_TOKEN = 4
#: So many tokens are searched for in Base64, too; a recording may have thousands of secrets.
_MAX_ENCODED = 100
MAX_BODY_BYTES = 64 * 1024
#: Longer texts are cut before they are stored: all response headers together, and the URL or the reason.
MAX_HEADER_CHARACTERS, MAX_URL_CHARACTERS = 64 * 1024, 8 * 1024
#: Headers that a run adds to requests, by which the logs of a target name the trace and the case.
TRACE_HEADERS = ("traceparent", "Contract-Case")
#: Fields whose JSON key differs: finding files and reports are public formats.
_JSON_KEYS = {
    "response_headers": "reply_headers",
    "response_body": "reply_body",
    "response_size": "reply_size",
}
#: A longer body is sent from a file, because a command that contains it is hard to read and to paste.
_MAX_INLINE_BODY = 1000  # bytes, since an emoji takes as much room as two letters, and more bytes
_NOT_PASTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\uffff]"
)
#: The name of a variable that collides with no other name in a command or a test.
_PLAIN_VARIABLE = re.compile(r"(?!(?:TARGET|SLUG\d*|ID\d*|PATH|HOME)$)[A-Z][A-Z0-9_]*")
_JWT = re.compile(r"[\w-]+\.[\w-]+\.[\w-]*")


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its response, redacted.

    Without a response ``status`` is 0 and ``reason`` says why. ``url`` is absolute, ``started`` is RFC 3339.
    Response headers are at most 64 KiB together, ``url`` and ``reason`` 8 KiB each; cut ones end with an ellipsis.
    Bodies are text of at most 64 KiB; ``body_cut`` marks a longer request body. ``raw_body`` holds a body that the
    text does not hold, because it is longer or not UTF-8: compressed, and empty if it is too long even so.
    ``response_size`` is the size of the whole response body in bytes. ``caller_kind`` is read from the token: sk,
    dk, ak or jwt, or empty. ``trace_id`` is empty unless the request had headers that name its trace. ``token_env``
    is the variable from which the run read the caller's token, empty if it came from elsewhere.
    """

    caller: str
    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: str | None
    status: int
    response_headers: tuple[tuple[str, str], ...]
    response_body: str
    reason: str
    started: str
    seconds: float
    body_cut: bool = False
    raw_body: str = ""
    response_size: int = 0
    caller_kind: str = ""
    trace_id: str = ""
    token_env: str = ""

    @property
    def token_variable(self) -> str:
        """The variable with the caller's token in commands and tests: that of the callers file, or TOKEN_<CALLER>."""
        if _PLAIN_VARIABLE.fullmatch(self.token_env):
            return self.token_env
        return f"TOKEN_{re.sub(r'[^A-Za-z0-9]', '_', self.caller).upper()}" if self.caller else REDACTED[1:]

    @property
    def needs_body_file(self) -> bool:
        """True if the body cannot be pasted: it is long, binary, cut, or has control characters."""
        body = self.body or ""
        long = self.body_cut or len(body.encode("utf-8", "surrogatepass")) > _MAX_INLINE_BODY
        return long or bool(self.raw_body or _NOT_PASTABLE.search(body) or not _is_unicode(body))

    @property
    def body_bytes(self) -> bytes | None:
        """The whole body, redacted; None if only its beginning is stored, or there is none."""
        if self.raw_body:
            return _unpack_body(self.raw_body)
        if self.body is None or self.body_cut:
            return None
        return self.body.encode("utf-8", "surrogatepass")

    def to_json(self) -> dict[str, Any]:
        """Return the exchange as plain JSON values."""
        return {_JSON_KEYS.get(name, name): value for name, value in asdict(self).items()}


def exchange_from_json(data: Mapping[str, Any]) -> Exchange:
    """Return the exchange that ``to_json`` wrote; raise TypeError or ValueError for anything else."""
    names = {key: name for name, key in _JSON_KEYS.items()}
    fields = {names.get(key, key): value for key, value in data.items()}
    for name in ("headers", "response_headers"):
        fields[name] = tuple((header, value) for header, value in fields[name])
    if fields.get("raw_body"):
        _unpack_body(fields["raw_body"])
    return Exchange(**fields)


class Redactor:
    """Removes tokens from everything that is stored or shown."""

    def __init__(self, tokens: Iterable[str]) -> None:
        """Store the tokens and texts derived from them, longest first, so that no part of a longer one remains."""
        known = [*tokens]
        names = {text: REDACTED for token in known[:_MAX_ENCODED] for text in list_encodings(token)}
        names |= {spelling: REDACTED for token in known for spelling in (token.lower(), token.upper())}
        names |= {token[:-1]: REDACTED_CUT for token in known if len(token) > _SHORT_TOKEN}
        names |= {token.swapcase(): REDACTED_SWAPPED for token in known}
        names |= dict.fromkeys(known, REDACTED)
        self._names = dict(sorted(names.items(), key=lambda item: len(item[0]), reverse=True))
        self._spellings = Spellings(known)

    @cached_property
    def _encoded_names(self) -> list[tuple[str, bytes, bytes]]:
        """Each token as its bytes of UTF-8, first read as Latin-1: a text is searched faster than bytes."""
        encoded = [(token.encode(), name.encode()) for token, name in self._names.items()]
        return [(token.decode("latin-1"), token, name) for token, name in encoded]

    def redact_text(self, text: str) -> str:
        """Return the text with every token replaced by ``$TOKEN``."""
        for token, name in self._names.items():
            if token in text:
                text = text.replace(token, name)
        return self._spellings.replace_text(text, REDACTED)

    def redact_response(self, response: Response | NoResponse) -> Response | NoResponse:
        """Return the response without tokens: a target may repeat the secret that it received."""
        if isinstance(response, NoResponse):
            return replace(response, reason=self.redact_text(response.reason))
        body = self.redact_bytes(response.body)
        return replace(response, headers=self._redact_headers(response.headers), body=body)

    def record_exchange(
        self, caller: str, base_url: str, request: Request, response: Response | NoResponse
    ) -> Exchange:
        """Return the redacted exchange of a request and a response that is redacted already."""
        body, raw_body, body_cut = None, "", False
        if request.body is not None:
            sent = self.redact_bytes(request.body)
            body = sent[:MAX_BODY_BYTES].decode("utf-8", "replace")
            whole = len(sent) <= MAX_BODY_BYTES and _is_utf8(sent)
            raw_body = "" if whole else _pack_body(sent)
            body_cut = len(sent) > MAX_BODY_BYTES or not (whole or raw_body)
        received = response if isinstance(response, Response) else Response(0, (), b"", response.seconds)
        return Exchange(
            caller=caller,
            method=request.method,
            url=_cut_text(self.redact_text(base_url + request.path), MAX_URL_CHARACTERS),
            headers=self._redact_headers(request.headers),
            body=body,
            status=received.status,
            response_headers=_cut_headers(received.headers),
            response_body=received.body[:MAX_BODY_BYTES].decode("utf-8", "replace"),
            reason=_cut_text(response.reason, MAX_URL_CHARACTERS) if isinstance(response, NoResponse) else "",
            started=(datetime.now(UTC) - timedelta(seconds=response.seconds)).isoformat(),
            seconds=round(response.seconds, 6),
            body_cut=body_cut,
            raw_body=raw_body,
            response_size=len(received.body),
            caller_kind=read_caller_kind(request.headers),
        )

    def redact_bytes(self, data: bytes) -> bytes:
        """Return the bytes with every token replaced by ``$TOKEN``."""
        text = data.decode("latin-1")
        for shown, token, name in self._encoded_names:
            if shown in text:
                data = data.replace(token, name)
        return self._spellings.replace_bytes(data, REDACTED)

    def _redact_headers(self, headers: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
        headers = tuple(headers)
        together = "\n".join(text for header in headers for text in header)
        if self.redact_text(together) == together:
            return tuple((name, _hide_cookie(name, value)) for name, value in headers)
        return tuple(
            (self.redact_text(name), _hide_cookie(name, self.redact_text(value))) for name, value in headers
        )


def read_caller_kind(headers: Iterable[tuple[str, str]]) -> str:
    """Return the kind of the token in ``Authorization``: sk, dk, ak or jwt, or an empty string."""
    value = next((value for name, value in headers if name.lower() == "authorization"), "")
    token = value.rpartition(" ")[2]
    if token[:3] in ("sk-", "dk-", "ak-"):
        return token[:2]
    return "jwt" if _JWT.fullmatch(token) else ""


def encode_json(value: Any, style: str = "") -> bytes:
    """Return JSON in UTF-8, written in a style of ``cases.model``; characters that UTF-8 cannot hold are escaped."""
    if style == "reversed":
        value = _reverse_keys(value)
    indent = 2 if style == "indented" else None
    try:
        return json.dumps(value, ensure_ascii=style == "escaped", indent=indent).encode()
    except UnicodeEncodeError:
        return json.dumps(value, indent=indent).encode()


def _reverse_keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _reverse_keys(item) for key, item in reversed(value.items())}
    return [_reverse_keys(item) for item in value] if isinstance(value, list) else value


def _cut_headers(headers: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """Return the headers; if they are too long together, each text is cut to its share."""
    if sum(map(len, chain.from_iterable(headers))) <= MAX_HEADER_CHARACTERS:
        return headers
    share = MAX_HEADER_CHARACTERS // (2 * len(headers))
    return tuple((_cut_text(name, share), _cut_text(value, share)) for name, value in headers)


def _cut_text(text: str, limit: int) -> str:
    """Return a text of at most this many characters, the last of which is an ellipsis if it is cut."""
    return text if len(text) <= limit else text[: max(0, limit - 1)] + "…"


def _hide_cookie(name: str, value: str) -> str:
    return "…" if name.lower() in ("set-cookie", "cookie") else value


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _is_unicode(text: str) -> bool:
    """Return whether a text can be written as UTF-8: it has no half of a surrogate pair."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _pack_body(data: bytes) -> str:
    """Return a body compressed, as text; an empty string if it is too long even so."""
    packed = base64.b64encode(zlib.compress(data)).decode()
    return packed if len(packed) <= MAX_BODY_BYTES else ""


def _unpack_body(packed: str) -> bytes:
    """Return what ``_pack_body`` packed, at most 50 MiB; raise ValueError for anything else."""
    if len(packed) > MAX_BODY_BYTES:  # deflate makes a text at most a thousand times as long
        raise ValueError(f"a raw_body is longer than {MAX_BODY_BYTES // 2**10} KiB")
    try:
        return zlib.decompress(base64.b64decode(packed, validate=True))
    except (ValueError, zlib.error):
        raise ValueError("a raw_body is no compressed body") from None
