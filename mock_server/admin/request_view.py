"""A journal entry as the page shows it: escaped, with indented bodies and a curl command that repeats it."""

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

import orjson

from mock_server.web.journal import MAX_SHOWN_BODY, Journal, JournalEntry
from mock_server.web.redaction import redact_authorization
from mock_server.web.responses import reason_phrase

_SPACE = re.compile(r"\s+")
#: Header fields that curl sets itself or that describe a browser.
_CLIENT_HEADERS = re.compile(
    r"(?i)host|connection|content-length|transfer-encoding|accept.*|user-agent|origin|referer"
    r"|cache-control|pragma|sec-.*|cookie|authorization"
)


def escape_invisible(text: str) -> str:
    """Return the text with control characters, text directions and lone surrogates as escapes."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode() for c in text)


def indent_json(text: str) -> str:
    """Return a JSON text on several lines if only white space changes, otherwise unchanged."""
    try:
        value = json.loads(text)
        layouts = [json.dumps(value, indent=2, ensure_ascii=ascii_only) for ascii_only in (False, True)]
    except (ValueError, RecursionError):
        return text
    bare = _SPACE.sub("", text)
    return next((layout for layout in layouts if _SPACE.sub("", layout) == bare), text)


def request_row(journal: Journal, entry: JournalEntry) -> dict[str, Any]:
    """Return the fields of a row in the list of requests."""
    return {
        "number": entry.number,
        "time": entry.time,
        "clock": entry.time[11:19],
        "method": escape_invisible(entry.method),
        "path": escape_invisible(journal.path(entry)),
        "caller": escape_invisible(entry.caller) or entry.missing_caller,
        "status": entry.status,
        "rules": entry.rules,
        "detail": entry.detail,
        "ignored": entry.ignored,
        "injected": entry.injected,
    }


def request_details(journal: Journal, entry: JournalEntry, origin: str) -> dict[str, Any]:
    """Return all fields of the page of a request; `origin` is the address of the server for curl."""
    shown = journal.entry_to_json(entry)
    rules = [violation.rule for violation in entry.violations]
    return {
        **request_row(journal, entry),
        "query": escape_invisible(shown["query"]),
        "phrase": reason_phrase(entry.status) if entry.status else "no response",
        "operation": entry.operation,
        "milliseconds": f"{entry.milliseconds:.1f}",
        "violations": [
            {**_escape_values(violation), "statement": rule.statement, "source": rule.source}
            for violation, rule in zip(shown["violations"], rules, strict=True)
        ],
        "request": _message_view(shown["headers"], shown["body"], len(entry.body) > MAX_SHOWN_BODY),
        "response": _message_view(
            shown["response_headers"], shown["response_body"], len(entry.response_body) > MAX_SHOWN_BODY
        ),
        "curl": escape_invisible(" \\\n  ".join(_curl_lines(shown, entry, origin))),
        "inexact": _is_inexact_curl(shown, entry),
    }


def _message_view(headers: Mapping[str, str], body: str, truncated: bool) -> dict[str, Any]:
    return {
        "headers": _escape_values(headers),
        "body": escape_invisible(indent_json(body)),
        "truncated": truncated,
    }


def _escape_values(texts: Mapping[str, str]) -> dict[str, str]:
    return {escape_invisible(name): escape_invisible(text) for name, text in texts.items()}


def _curl_lines(shown: Mapping[str, Any], entry: JournalEntry, origin: str) -> Iterator[str]:
    path, query = quote(shown["path"], safe="/:@"), quote(shown["query"], safe="/:@=&?+")
    url = origin.rstrip("/") + path + (f"?{query}" if query else "")
    yield f"curl -i -X {shlex.quote(entry.method)} {shlex.quote(url)}"
    if "Authorization" in entry.headers:
        yield f'-H "Authorization: {redact_authorization(entry.headers["Authorization"], "$TOKEN")}"'
    for name, value in shown["headers"].items():
        if not _CLIENT_HEADERS.fullmatch(name):
            yield f"-H {shlex.quote(f'{name}: {value}')}"
    if shown["body"]:
        if "Content-Type" not in shown["headers"]:
            yield "-H 'Content-Type:'"  # otherwise curl adds one
        yield f"--data-raw {shlex.quote(shown['body'])}"  # --data-binary would read a file for a body of @name


def _is_inexact_curl(shown: Mapping[str, Any], entry: JournalEntry) -> bool:
    """Return whether the curl command sends another body than the request."""
    body: str = shown["body"]
    return body.encode("utf-8", "replace") != entry.body or escape_invisible(body) != body


def concerned_service(entry: JournalEntry) -> str:
    """Return the id of the service that a request creates, changes or reads, or an empty text.

    An update names it in its path; the response to any other accepted request has it as `id`.
    """
    if entry.operation == "updateContainer":
        return entry.path.rpartition("/")[2].lower()
    if entry.operation and 200 <= entry.status < 300:
        try:
            body = orjson.loads(entry.response_body)
        except orjson.JSONDecodeError:
            return ""
        return str(body.get("id", "")) if isinstance(body, dict) else ""
    return ""
