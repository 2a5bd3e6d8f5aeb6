"""Redaction: nothing that the mock or the proxy shows or logs repeats a secret."""

import re
from collections.abc import Iterable

from mock_server.contract.model import Violation
from mock_server.validation.schema_messages import HINT

REDACTED = "…"
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")
#: Header fields that are secret as a whole, in lower case, beside `authorization`.
SECRET_HEADERS = frozenset({"cookie", "set-cookie", "proxy-authorization"})


class Redactor:
    """Replaces the known tokens in texts, and the token of the request that a text belongs to."""

    def __init__(self, tokens: Iterable[str]) -> None:
        self._tokens = tuple(sorted(filter(_is_redactable, tokens), key=len, reverse=True))

    def redact(self, text: str, authorization: str | None = None) -> str:
        """Return the text with each token replaced; `authorization` is the header of the request."""
        for token in (*self._tokens, *filter(_is_redactable, _list_tokens(authorization or ""))):
            if token in text:
                text = text.replace(token, REDACTED)
        return text


def _list_tokens(authorization: str) -> list[str]:
    """Return the token of a header, and as bodies and paths have it: headers are read as Latin-1, they as UTF-8."""
    token = authorization.split()[-1:]
    if not token or token[0].isascii():
        return token
    return [*token, token[0].encode("latin-1", "ignore").decode("utf-8", "ignore")]


def with_escapes(text: str) -> str:
    """Return a text, and after it the same with the escapes of JSON replaced if it has any."""
    return f"{text}\n{_ESCAPE.sub(lambda found: chr(int(found[1], 16)), text)}" if "\\u" in text else text


def hide_values(violation: Violation) -> Violation:
    """Return the violation without the value that it is about, and without a hint, which may repeat the value."""
    expected = violation.mismatch.expected.partition(HINT)[0]
    return violation._replace(mismatch=violation.mismatch._replace(actual=REDACTED, expected=expected))


def _is_redactable(token: str) -> bool:
    return len(token) > len(REDACTED)
