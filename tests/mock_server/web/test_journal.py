"""The limits of the journal."""

from datetime import UTC, datetime
from typing import Any

import pytest
from werkzeug.test import Client

from mock_server import create_app
from mock_server.web.journal import Journal
from mock_server.web.redaction import Redactor
from tests.support.api import CREATE, auth


@pytest.mark.slow
def test_the_journal_limits_bodies_and_entries() -> None:
    """A body is stored up to 64 KiB, and the journal has 10,000 entries at most."""
    client = Client(create_app())
    client.post(CREATE, data=b"a" * 200_000, headers=auth())
    assert len(client.get("/_mock/journal").json["requests"][0]["body"]) == 65536
    for _ in range(10_001):
        client.get("/x")
    journal = client.get("/_mock/journal").json
    assert (journal["count"], journal["requests"][0]["number"]) == (10_000, 3)


def add_entry(journal: Journal, **fields: Any) -> None:
    """Record a request of which only the given fields have a size."""
    texts = dict.fromkeys(("method", "path", "query", "operation", "caller"), "")
    empty: dict[str, Any] = {"headers": {}, "response_headers": {}, "body": b"", "response_body": b""}
    others: dict[str, Any] = {"status": 200, "violations": (), "milliseconds": 1.0}
    journal.add(moment=datetime.now(UTC), **{**texts, **empty, **others, **fields})


def test_the_journal_limits_its_size() -> None:
    """Beyond the limit, the oldest entries are dropped."""
    journal = Journal(Redactor(()), max_bytes=1000)
    for size in (300, 300, 300, 600):
        add_entry(journal, body=b"a" * (size - 100), response_body=b"b" * 100)
    assert [entry.number for entry in journal.select()] == [3, 4]


@pytest.mark.parametrize(
    "fields",
    [
        {"path": "/" + "a" * 600},
        {"query": "\u00e9" * 300},
        {"headers": {"X-A": "b" * 600}},
        {"headers": {"X-" + "A" * 600: ""}},
        {"response_headers": {"X-A": "b" * 600}},
    ],
    ids=["path", "query", "header", "header name", "response header"],
)
def test_everything_that_is_kept_counts(fields: dict[str, Any]) -> None:
    """Paths, queries and headers count in bytes, as bodies do."""
    journal = Journal(Redactor(()), max_bytes=1000)
    for _ in range(3):
        add_entry(journal, **fields)
    assert len(journal) == 1


def test_nothing_is_kept_that_nobody_can_read() -> None:
    """Without the control plane, a mock records no request."""
    app = create_app(control=False)
    Client(app).post(CREATE, json={}, headers=auth())
    state, _ = app.extensions["mock_server"]
    assert len(state.journal) == 0
