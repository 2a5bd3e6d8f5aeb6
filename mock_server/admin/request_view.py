"""A request as the page shows it: what no eye sees written out, bodies indented, and a curl that repeats it."""

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from mock_server.web.journal import MAX_SHOWN_BODY, Journal, JournalEntry
from mock_server.web.responses import reason_phrase

_SPACE = re.compile(r"\s+")
#: What curl makes itself, or a browser says of itself.
_CLIENT_HEADERS = re.compile(
    r"(?i)host|connection|content-length|transfer-encoding|accept.*|user-agent|origin|referer"
    r"|cache-control|pragma|sec-.*|cookie|authorization"
)


def escape_invisible(text: str) -> str:
    """The text with control characters, directions and lone surrogates written out as escapes."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode() for c in text)


def indent_json(text: str) -> str:
    """JSON on several lines, where that changes nothing but white space; else the text as it came."""
    try:
        value = json.loads(text)
        laid_out = [json.dumps(value, indent=2, ensure_ascii=ascii_only) for ascii_only in (False, True)]
    except (ValueError, RecursionError):
        return text
    bare = _SPACE.sub("", text)
    return next((layout for layout in laid_out if _SPACE.sub("", layout) == bare), text)


def request_row(journal: Journal, entry: JournalEntry) -> dict[str, Any]:
    """A request in one line."""
    return {
        "number": entry.number,
        "time": entry.time,
        "clock": entry.time[11:23],
        "method": escape_invisible(entry.method),
        "path": escape_invisible(journal.path(entry)),
        "caller": escape_invisible(entry.caller),
        "status": entry.status,
        "rules": entry.rules,
    }


def request_details(journal: Journal, entry: JournalEntry, origin: str) -> dict[str, Any]:
    """A request with all that is known of it; `origin` is where a curl finds the server."""
    told = journal.entry_to_json(entry)
    rules = [violation.rule for violation in entry.violations]
    return {
        **request_row(journal, entry),
        "query": escape_invisible(told["query"]),
        "phrase": reason_phrase(entry.status) if entry.status else "no answer",
        "operation": entry.operation,
        "milliseconds": f"{entry.milliseconds:.1f}",
        "violations": [
            {**_escape_values(seen), "statement": rule.statement, "source": rule.source}
            for seen, rule in zip(told["violations"], rules, strict=True)
        ],
        "request": _message_view(told["headers"], told["body"], len(entry.body) > MAX_SHOWN_BODY),
        "response": _message_view(
            told["response_headers"], told["response_body"], len(entry.response_body) > MAX_SHOWN_BODY
        ),
        "curl": escape_invisible(" \\\n  ".join(_curl_lines(told, entry, origin))),
        "inexact": _is_inexact_curl(told, entry),
    }


def _message_view(headers: Mapping[str, str], body: str, cut: bool) -> dict[str, Any]:
    return {"headers": _escape_values(headers), "body": escape_invisible(indent_json(body)), "cut": cut}


def _escape_values(texts: Mapping[str, str]) -> dict[str, str]:
    return {escape_invisible(name): escape_invisible(text) for name, text in texts.items()}


def _curl_lines(told: Mapping[str, Any], entry: JournalEntry, origin: str) -> Iterator[str]:
    path, query = quote(told["path"], safe="/:@"), quote(told["query"], safe="/:@=&?+")
    url = origin.rstrip("/") + path + (f"?{query}" if query else "")
    yield f"curl -i -X {shlex.quote(entry.method)} {shlex.quote(url)}"
    if "Authorization" in entry.headers:
        yield '-H "Authorization: Bearer $TOKEN"'
    for name, value in told["headers"].items():
        if not _CLIENT_HEADERS.fullmatch(name):
            yield f"-H {shlex.quote(f'{name}: {value}')}"
    if told["body"]:
        if "Content-Type" not in told["headers"]:
            yield "-H 'Content-Type:'"  # curl would name one
        yield f"--data-binary {shlex.quote(told['body'])}"


def _is_inexact_curl(told: Mapping[str, Any], entry: JournalEntry) -> bool:
    """Whether the curl sends another body: a longer one, no text, or with characters that no shell passes on."""
    body: str = told["body"]
    return body.encode("utf-8", "replace") != entry.body or escape_invisible(body) != body
