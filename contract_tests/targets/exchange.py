"""Recorded exchanges: a request and its response with every secret removed."""

import json
import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from contract_tests.targets.base import NoResponse, Request, Response

REDACTED = "$TOKEN"
#: A token without its last character, as a shell writes it, and a token in other letter case.
REDACTED_CUT, REDACTED_SWAPPED = "${TOKEN%?}", "$TOKEN_SWAPPED"
_SHORT_TOKEN = 4
MAX_BODY_BYTES = 64 * 1024
_EXPANDED = re.compile(r"(\$TOKEN_SWAPPED|\$TOKEN|\$\{TOKEN%\?\})")
#: Fields whose JSON key differs: finding files and reports are public formats.
_JSON_KEYS = {"response_headers": "reply_headers", "response_body": "reply_body"}


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its response, redacted.

    Without a response ``status`` is 0 and ``reason`` says why. ``url`` is absolute, ``started`` is RFC 3339.
    Bodies are text of at most 64 KiB; ``body_cut`` marks a longer request body.
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

    def to_curl(self) -> str:
        """Return a command that sends the same request, with ``$TOKEN`` for the secret."""
        words = ["curl", "-i", "-X", self.method, self.url]
        for name, value in self.headers:
            words += ["-H", f"{name}: {value}" if value else f"{name};"]
        if self.body is not None:
            words += ["--data-binary", self.body]
        return " ".join(_quote_for_shell(word) for word in words) + (
            "  # the body is cut here" if self.body_cut else ""
        )

    def to_json(self) -> dict[str, Any]:
        """Return the exchange as plain JSON values."""
        return {_JSON_KEYS.get(name, name): value for name, value in asdict(self).items()}


def exchange_from_json(data: Mapping[str, Any]) -> Exchange:
    """Return the exchange that ``to_json`` wrote; raise TypeError for anything else."""
    names = {key: name for name, key in _JSON_KEYS.items()}
    fields = {names.get(key, key): value for key, value in data.items()}
    for name in ("headers", "response_headers"):
        fields[name] = tuple((header, value) for header, value in fields[name])
    return Exchange(**fields)


class Redactor:
    """Removes tokens from everything that is stored or shown."""

    def __init__(self, tokens: Iterable[str]) -> None:
        """Store the tokens and texts derived from them, longest first, so that no part of a longer one remains."""
        known = [*tokens]
        names = {token[:-1]: REDACTED_CUT for token in known if len(token) > _SHORT_TOKEN}
        names |= {token.swapcase(): REDACTED_SWAPPED for token in known}
        names |= dict.fromkeys(known, REDACTED)
        self._names = dict(sorted(names.items(), key=lambda item: len(item[0]), reverse=True))

    def redact_text(self, text: str) -> str:
        """Return the text with every token replaced by ``$TOKEN``."""
        for token, name in self._names.items():
            if token in text:
                text = text.replace(token, name)
        return text

    def redact_response(self, response: Response | NoResponse) -> Response | NoResponse:
        """Return the response without tokens: a target may repeat the secret that it received."""
        if isinstance(response, NoResponse):
            return replace(response, reason=self.redact_text(response.reason))
        body = response.body
        for token, name in self._names.items():
            body = body.replace(token.encode(), name.encode())
        return replace(response, headers=self._redact_headers(response.headers), body=body)

    def record_exchange(
        self, caller: str, base_url: str, request: Request, response: Response | NoResponse
    ) -> Exchange:
        """Return the redacted exchange of a request and a response that is redacted already."""
        body = None
        if request.body is not None:
            body = self.redact_text(request.body[:MAX_BODY_BYTES].decode("utf-8", "replace"))
        received = response if isinstance(response, Response) else Response(0, (), b"", response.seconds)
        return Exchange(
            caller=caller,
            method=request.method,
            url=self.redact_text(base_url + request.path),
            headers=self._redact_headers(request.headers),
            body=body,
            status=received.status,
            response_headers=received.headers,
            response_body=received.body[:MAX_BODY_BYTES].decode("utf-8", "replace"),
            reason=response.reason if isinstance(response, NoResponse) else "",
            started=(datetime.now(UTC) - timedelta(seconds=response.seconds)).isoformat(),
            seconds=round(response.seconds, 6),
            body_cut=request.body is not None and len(request.body) > MAX_BODY_BYTES,
        )

    def _redact_headers(self, headers: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
        return tuple((name, _hide_cookie(name, self.redact_text(value))) for name, value in headers)


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


def _hide_cookie(name: str, value: str) -> str:
    return "…" if name.lower() in ("set-cookie", "cookie") else value


def _quote_for_shell(word: str) -> str:
    """Quote a word for a shell, but let the shell expand ``$TOKEN`` and what is derived from it."""
    parts = _EXPANDED.split(word)
    if len(parts) == 1:
        return shlex.quote(word)
    escaped = ["".join("\\" + c if c in '"\\`$' else c for c in part) for part in parts[::2]]
    names = [*parts[1::2], ""]
    return '"' + "".join(text + name for text, name in zip(escaped, names, strict=True)) + '"'
