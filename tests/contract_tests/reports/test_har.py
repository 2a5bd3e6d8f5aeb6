"""The traffic as an HTTP Archive."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from contract_tests.reports.har import write_har
from contract_tests.results.verdict import Report
from contract_tests.targets.base import Request, Response
from contract_tests.targets.exchange import Exchange, Redactor
from tests.support.reports import HOSTILE, build_faulty_report

_PAIRS = {
    "type": "array",
    "items": {
        "required": ["name", "value"],
        "properties": {"name": {"type": "string"}, "value": {"type": "string"}},
    },
}
_MESSAGE = {"httpVersion": {"type": "string"}, "headers": _PAIRS, "cookies": {"type": "array"},
            "headersSize": {"type": "integer"}, "bodySize": {"type": "integer"}}  # fmt: skip
# HAR 1.2's requirements for an entry, http://www.softwareishard.com/blog/har-12-spec/
_ENTRY: dict[str, Any] = {
    "required": ["startedDateTime", "time", "request", "response", "cache", "timings"],
    "properties": {
        "time": {"type": "number", "minimum": 0},
        "timings": {"required": ["send", "wait", "receive"]},
        "request": {
            "required": ["method", "url", "queryString", *_MESSAGE],
            "properties": {
                **_MESSAGE,
                "url": {"pattern": "^https?://"},
                "queryString": _PAIRS,
                "postData": {"required": ["mimeType", "text"]},
            },
        },
        "response": {
            "required": ["status", "statusText", "content", "redirectURL", *_MESSAGE],
            "properties": {
                **_MESSAGE,
                "status": {"type": "integer"},
                "content": {"required": ["size", "mimeType"]},
            },
        },
    },
}
_ODD = Exchange(
    "sk-red", "GET", "http://x/api?a=1&b=", (), None, 0, (), "", "time-out", "2026-01-31T10:00:00+00:00", 1.5
)


@pytest.fixture(scope="module")
def hostile_report() -> Report:
    """Return a report whose traffic ends with an unanswered request and a hostile body."""
    seen = build_faulty_report()
    body = replace(
        _ODD,
        method="POST",
        body=HOSTILE,
        status=299,
        response_body=HOSTILE,
        headers=(("Content-Type", "a/b"),),
    )
    return replace(seen, traffic=(*seen.traffic, _ODD, replace(body, body_cut=True)))


@pytest.fixture(scope="module")
def entries(hostile_report: Report, tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """Return the entries of the archive."""
    path = tmp_path_factory.mktemp("har") / "traffic.har"
    write_har(hostile_report, path)
    log = json.loads(path.read_text("utf-8"))["log"]
    assert (log["version"], log["creator"]) == ("1.2", {"name": "cyberun-contract-kit", "version": "0.1.0"})
    return log["entries"]  # type: ignore[no-any-return]


def test_archive_has_every_request(hostile_report: Report, entries: list[Any]) -> None:
    """Each exchange of the run is an entry, in the same order."""
    assert len(entries) == hostile_report.requests + 2
    assert [(e["request"]["url"], e["response"]["status"]) for e in entries] == [
        (exchange.url, exchange.status) for exchange in hostile_report.traffic
    ]


def test_entries_are_as_the_specification_says(entries: list[Any]) -> None:
    """Every entry has the fields that HAR 1.2 requires, with their types."""
    errors = [error.message for entry in entries for error in Draft202012Validator(_ENTRY).iter_errors(entry)]
    assert errors == []


def test_times_are_milliseconds_and_add_up(entries: list[Any]) -> None:
    """An entry's time is the sum of its timings, and its start has a time zone."""
    assert entries[-2]["time"] == 1500
    assert [e for e in entries if sum(t for t in e["timings"].values() if t > 0) != e["time"]] == []
    assert [e for e in entries if datetime.fromisoformat(e["startedDateTime"]).tzinfo is None] == []


def test_exchange_starts_when_its_request_is_sent() -> None:
    """An exchange that took an hour started an hour before its response."""
    reply = Response(200, (), b"", seconds=3600.0)
    slow = Redactor(()).record_exchange("sk-red", "http://x", Request("GET", "/"), reply)
    ago = datetime.now(UTC) - datetime.fromisoformat(slow.started)
    assert timedelta(hours=1) <= ago < timedelta(hours=1, minutes=1)


def test_unanswered_request_says_why(entries: list[Any]) -> None:
    """A request without a response has status 0, the reason as its comment, and its query as pairs."""
    assert (entries[-2]["response"]["status"], entries[-2]["response"]["comment"]) == (0, "time-out")
    assert entries[-2]["request"]["queryString"] == [{"name": "a", "value": "1"}, {"name": "b", "value": ""}]


def test_bodies_have_a_media_type(entries: list[Any]) -> None:
    """A body is complete and has its media type; a cut body has an unknown size."""
    request = entries[-1]["request"]
    assert (request["postData"], request["bodySize"]) == ({"mimeType": "a/b", "text": HOSTILE}, -1)
    assert entries[0]["response"]["content"]["mimeType"] == "application/json"
    assert entries[0]["response"]["bodySize"] == len(entries[0]["response"]["content"]["text"])


@pytest.mark.parametrize(
    ("length", "size"), [("12", 12), ("9" * 5000, -1), ("-1", -1), ("²", -1), ("", -1), ("1, 1", -1)]
)
def test_an_unreadable_length_is_unknown(length: str, size: int, tmp_path: Path) -> None:
    """A Content-Length that is no usable number is an unknown size, and the archive is whole."""
    odd = replace(_ODD, response_headers=(("Content-Length", length),))
    write_har(replace(build_faulty_report(), traffic=(odd,)), tmp_path / "traffic.har")
    log = json.loads((tmp_path / "traffic.har").read_text("utf-8"))["log"]
    assert [entry["response"]["bodySize"] for entry in log["entries"]] == [size]
