"""A request as the page shows it: what no eye sees written out, bodies indented, and a curl that repeats it."""

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from mock_server.web.journal import BODY, Entry, Journal
from mock_server.web.responses import phrase

_SPACE = re.compile(r"\s+")
#: What curl makes itself, or a browser says of itself.
_OWN = re.compile(
    r"(?i)host|connection|content-length|transfer-encoding|accept.*|user-agent|origin|referer"
    r"|cache-control|pragma|sec-.*|cookie|authorization"
)


def visible(text: str) -> str:
    """The text with control characters, directions and lone surrogates written out as escapes."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode() for c in text)


def indented(text: str) -> str:
    """JSON on several lines, where that changes nothing but white space; else the text as it came."""
    try:
        value = json.loads(text)
        laid_out = [json.dumps(value, indent=2, ensure_ascii=ascii_only) for ascii_only in (False, True)]
    except (ValueError, RecursionError):
        return text
    bare = _SPACE.sub("", text)
    return next((layout for layout in laid_out if _SPACE.sub("", layout) == bare), text)


def row(journal: Journal, entry: Entry) -> dict[str, Any]:
    """A request in one line."""
    return {
        "number": entry.number,
        "time": entry.time,
        "clock": entry.time[11:23],
        "method": visible(entry.method),
        "path": visible(journal.path(entry)),
        "caller": visible(entry.caller),
        "status": entry.status,
        "rules": entry.rules,
    }


def whole(journal: Journal, entry: Entry, origin: str) -> dict[str, Any]:
    """A request with all that is known of it; `origin` is where a curl finds the server."""
    told = journal.shown(entry)
    rules = [violation.rule for violation in entry.violations]
    return {
        **row(journal, entry),
        "query": visible(told["query"]),
        "phrase": phrase(entry.status) if entry.status else "no answer",
        "operation": entry.operation,
        "milliseconds": f"{entry.milliseconds:.1f}",
        "violations": [
            {**_visible(seen), "statement": rule.statement, "source": rule.source}
            for seen, rule in zip(told["violations"], rules, strict=True)
        ],
        "request": _message(told["headers"], told["body"], len(entry.body) > BODY),
        "answer": _message(told["answer_headers"], told["answer_body"], len(entry.answer_body) > BODY),
        "curl": visible(" \\\n  ".join(_curl(told, entry, origin))),
        "inexact": _inexact(told, entry),
    }


def _message(headers: Mapping[str, str], body: str, cut: bool) -> dict[str, Any]:
    return {"headers": _visible(headers), "body": visible(indented(body)), "cut": cut}


def _visible(texts: Mapping[str, str]) -> dict[str, str]:
    return {visible(name): visible(text) for name, text in texts.items()}


def _curl(told: Mapping[str, Any], entry: Entry, origin: str) -> Iterator[str]:
    path, query = quote(told["path"], safe="/:@"), quote(told["query"], safe="/:@=&?+")
    url = origin.rstrip("/") + path + (f"?{query}" if query else "")
    yield f"curl -i -X {shlex.quote(entry.method)} {shlex.quote(url)}"
    if "Authorization" in entry.headers:
        yield '-H "Authorization: Bearer $TOKEN"'
    for name, value in told["headers"].items():
        if not _OWN.fullmatch(name):
            yield f"-H {shlex.quote(f'{name}: {value}')}"
    if told["body"]:
        if "Content-Type" not in told["headers"]:
            yield "-H 'Content-Type:'"  # curl would name one
        yield f"--data-binary {shlex.quote(told['body'])}"


def _inexact(told: Mapping[str, Any], entry: Entry) -> bool:
    """Whether the curl sends another body: a longer one, no text, or with characters that no shell passes on."""
    body: str = told["body"]
    return body.encode("utf-8", "replace") != entry.body or visible(body) != body
