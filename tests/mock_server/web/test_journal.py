"""The limits of the journal."""

from datetime import UTC, datetime
from typing import Any

from werkzeug.test import Client

from mock_server import create_app
from mock_server.web.journal import Journal
from mock_server.web.redaction import Redactor
from tests.support.api import CREATE, auth


def test_the_journal_limits_bodies_and_entries() -> None:
    """A body is stored up to 64 KiB, and the journal has 10,000 entries at most."""
    client = Client(create_app())
    client.post(CREATE, data=b"a" * 200_000, headers=auth())
    assert len(client.get("/_mock/journal").json["requests"][0]["body"]) == 65536
    for _ in range(10_001):
        client.get("/x")
    journal = client.get("/_mock/journal").json
    assert (journal["count"], journal["requests"][0]["number"]) == (10_000, 3)


def test_the_journal_limits_the_size_of_all_bodies() -> None:
    """Beyond the limit of all bodies, the oldest entries are dropped."""
    journal = Journal(Redactor(()), max_bytes=1000)
    texts = dict.fromkeys(("method", "path", "query", "operation", "caller"), "")
    other_fields: dict[str, Any] = {
        "headers": {},
        "response_headers": {},
        "violations": (),
        "milliseconds": 1.0,
    }
    now = datetime.now(UTC)
    for size in (300, 300, 300, 600):
        journal.add(
            moment=now,
            **texts,
            **other_fields,
            status=200,
            body=b"a" * (size - 100),
            response_body=b"b" * 100,
        )
    assert [entry.number for entry in journal.select()] == [3, 4]
