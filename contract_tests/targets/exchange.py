"""What went over the wire, as it may be shown: secrets are gone before anything is kept."""

import json
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from contract_tests.targets.base import Reply, Request, Unanswered

TOKEN = "$TOKEN"  # noqa: S105 - what stands in place of a secret
_SHOWN = 64 * 1024


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer, redacted. ``status`` is 0 and ``reason`` says why where none came.

    ``url`` is absolute, ``started`` RFC 3339, ``seconds`` from sending to the whole answer. Bodies are text,
    cut after 64 KiB; ``body_cut`` says so.
    """

    caller: str
    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: str | None
    status: int
    reply_headers: tuple[tuple[str, str], ...]
    reply_body: str
    reason: str
    started: str
    seconds: float
    body_cut: bool = False

    def curl(self) -> str:
        """Return a command that sends the same request, with ``$TOKEN`` for the secret."""
        words = ["curl", "-i", "-X", self.method, self.url]
        for name, value in self.headers:
            words += ["-H", f"{name}: {value}" if value else f"{name};"]
        if self.body is not None:
            words += ["--data-binary", self.body]
        return " ".join(_quoted(word) for word in words) + (
            "  # the body is cut here" if self.body_cut else ""
        )

    def to_data(self) -> dict[str, Any]:
        """Return the exchange as plain JSON values."""
        return asdict(self)


def exchange_from(data: Mapping[str, Any]) -> Exchange:
    """Return the exchange that ``to_data`` wrote; TypeError for anything else."""
    pairs = {name: tuple((k, v) for k, v in data[name]) for name in ("headers", "reply_headers")}
    return Exchange(**{**data, **pairs})


class Redactor:
    """Takes the tokens out of everything that is kept."""

    def __init__(self, tokens: Iterable[str]) -> None:
        """Remember what is secret; the longest first, so that no part of one stays behind."""
        self._tokens = sorted(set(tokens), key=len, reverse=True)

    def text(self, text: str) -> str:
        """Return the text with every token replaced by ``$TOKEN``."""
        for token in self._tokens:
            if token in text:
                text = text.replace(token, TOKEN)
        return text

    def reply(self, reply: Reply | Unanswered) -> Reply | Unanswered:
        """Return an answer as it may be judged and told: a target may repeat the secret that it was sent."""
        if isinstance(reply, Unanswered):
            return replace(reply, reason=self.text(reply.reason))
        body = reply.body
        for token in self._tokens:
            body = body.replace(token.encode(), TOKEN.encode())
        return replace(reply, headers=self._headers(reply.headers), body=body)

    def exchange(self, caller: str, base: str, request: Request, reply: Reply | Unanswered) -> Exchange:
        """Return what may be kept of a request and its answer, which is redacted already."""
        body = None if request.body is None else self.text(request.body[:_SHOWN].decode("utf-8", "replace"))
        unanswered = Reply(0, (), b"", reply.seconds)
        answer = reply if isinstance(reply, Reply) else unanswered
        return Exchange(
            caller=caller,
            method=request.method,
            url=self.text(base + request.path),
            headers=self._headers(request.headers),
            body=body,
            status=answer.status,
            reply_headers=answer.headers,
            reply_body=answer.body[:_SHOWN].decode("utf-8", "replace"),
            reason=reply.reason if isinstance(reply, Unanswered) else "",
            started=(datetime.now(UTC) - timedelta(seconds=reply.seconds)).isoformat(),
            seconds=round(reply.seconds, 6),
            body_cut=request.body is not None and len(request.body) > _SHOWN,
        )

    def _headers(self, headers: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
        return tuple((name, _cookie(name, self.text(value))) for name, value in headers)


def encoded(value: Any) -> bytes:
    """Return JSON in UTF-8, with escapes only where a string cannot be encoded otherwise."""
    try:
        return json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return json.dumps(value).encode()


def _cookie(name: str, value: str) -> str:
    return "…" if name.lower() in ("set-cookie", "cookie") else value


def _quoted(word: str) -> str:
    """Quote for a shell, but let ``$TOKEN`` be filled in by it."""
    if TOKEN not in word:
        return shlex.quote(word)
    escaped = "".join("\\" + c if c in '"\\`' else c for c in word)
    parts = [part.replace("$", "\\$") for part in escaped.split(TOKEN)]
    return '"' + TOKEN.join(parts) + '"'
