"""Tokens are for the one who holds them: nothing that the mock shows repeats one."""

from collections.abc import Iterable

REDACTED = "…"


class Redactor:
    """The tokens that the server knows; a text is shown without them, and without that of its own call."""

    def __init__(self, known: Iterable[str]) -> None:
        self._known = tuple(sorted(filter(_is_redactable, known), key=len, reverse=True))

    def redact(self, text: str, authorization: str | None = None) -> str:
        """The text with each token replaced; `authorization` is the header of the call that sent the text."""
        own = filter(_is_redactable, (authorization or "").split()[-1:])
        for token in (*self._known, *own):
            if token in text:
                text = text.replace(token, REDACTED)
        return text


def _is_redactable(token: str) -> bool:
    return len(token) > len(REDACTED)
