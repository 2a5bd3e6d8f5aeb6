"""Redaction: nothing that the mock or the proxy shows or logs repeats a secret."""

from collections.abc import Iterable

REDACTED = "…"
#: Header fields that are secret as a whole, in lower case, beside `authorization`.
SECRET_HEADERS = frozenset({"cookie", "set-cookie", "proxy-authorization"})


class Redactor:
    """Replaces the known tokens in texts, and the token of the request that a text belongs to."""

    def __init__(self, tokens: Iterable[str]) -> None:
        self._tokens = tuple(sorted(filter(_is_redactable, tokens), key=len, reverse=True))

    def redact(self, text: str, authorization: str | None = None) -> str:
        """Return the text with each token replaced; `authorization` is the header of the request."""
        request_token = filter(_is_redactable, (authorization or "").split()[-1:])
        for token in (*self._tokens, *request_token):
            if token in text:
                text = text.replace(token, REDACTED)
        return text


def _is_redactable(token: str) -> bool:
    return len(token) > len(REDACTED)
