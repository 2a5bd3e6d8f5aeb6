"""Secrets of a recording: recordings of other programs hold tokens, keys and cookies as they were sent."""

import re
from collections.abc import Iterator, Sequence
from urllib.parse import parse_qsl, urlsplit

from contract_tests.results.recorded.recording import Entry, read_headers

_KEY_HEADERS = ("authorization", "proxy-authorization", "x-api-key", "api-key", "x-auth-token")
_COOKIE_HEADERS = ("cookie", "set-cookie")
_KEY_NAMES = re.compile(r"(access|refresh|id|auth)?_?token|(api|access)_?key|secret|password", re.IGNORECASE)
_KEY_IN_TEXT = re.compile(r'"(?:(?:access|refresh|id|auth)_token|api_key)"\s*:\s*"([^"]+)"')
_SHORT = 4  # characters; hiding shorter ones would hide half of every text


def find_secrets(entries: Sequence[Entry]) -> Iterator[str]:
    """Yield every secret in the headers, URLs and bodies of a recording; a placeholder of this kit is none."""
    for entry in entries:
        for secret in _find_in_entry(entry):
            if len(secret) >= _SHORT and not secret.startswith("$"):
                yield secret


def _find_in_entry(entry: Entry) -> Iterator[str]:
    request = entry["request"]
    response = entry.get("response")
    messages = [request, response] if isinstance(response, dict) else [request]
    for message in messages:
        for name, value in read_headers(message):
            if name.lower() in _KEY_HEADERS:
                yield value.rpartition(" ")[2]
            if name.lower() in _COOKIE_HEADERS:
                yield from (part.partition("=")[2] for part in value.split("; "))
        body = message.get("content") or message.get("postData")
        yield from _KEY_IN_TEXT.findall(str(body.get("text") or "") if isinstance(body, dict) else "")
    query = parse_qsl(urlsplit(str(request.get("url", ""))).query)
    yield from (value for name, value in query if _KEY_NAMES.fullmatch(name))
