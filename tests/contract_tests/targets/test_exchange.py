"""Recorded exchanges."""

import json
import random
import shlex

import pytest

from contract_tests.results.curl import build_curl
from contract_tests.targets.base import Request, Response
from contract_tests.targets.exchange import Exchange, Redactor, exchange_from_json


def test_tokens_are_redacted_before_storing() -> None:
    """Tokens in headers, bodies, paths and responses become $TOKEN, quoted correctly in the command."""
    redactor = Redactor(["sk-secret", "sk-secret-longer"])
    request = Request(
        "POST", "/x?t=sk-secret", (("Authorization", "Bearer sk-secret-longer"),), b'{"a": "sk-secret\'"}'
    )
    answer = Response(400, (("X-Echo", "sk-secret"), ("Set-Cookie", "s=1")), b"no sk-secret-longer", 0.1)
    exchange = redactor.record_exchange("me", "http://h", request, redactor.redact_response(answer))
    shown = json.dumps(exchange.to_json()) + build_curl(exchange)
    assert "sk-secret" not in shown
    assert "s=1" not in shown
    words = shlex.split(build_curl(exchange))
    assert "Authorization: Bearer $TOKEN" in words
    assert words[-1] == '{"a": "$TOKEN\'"}'


def record_body(body: bytes | None, headers: tuple[tuple[str, str], ...] = ()) -> Exchange:
    """Record a request with this body."""
    request = Request("POST", "/x", headers, body)
    return Redactor(["sk-secret"]).record_exchange("me", "http://h", request, Response(201, (), b"ab", 0.1))


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b'{"a": 1}', id="text"),
        pytest.param(b"caf\xe9 sk-secret", id="binary"),
        pytest.param(b"a" * 70_000 + b"sk-secret", id="long"),
    ],
)
def test_whole_body_is_kept(body: bytes) -> None:
    """Bodies that text cannot hold are kept whole, without tokens, also through JSON."""
    exchange = exchange_from_json(json.loads(json.dumps(record_body(body).to_json())))
    assert exchange.body_bytes == body.replace(b"sk-secret", b"$TOKEN")


def test_body_that_is_too_long_is_cut() -> None:
    """A body that is too long even when it is compressed is marked as cut, and its command says so."""
    exchange = record_body(random.Random(0).randbytes(100_000))
    assert (exchange.body_cut, exchange.body_bytes, exchange.raw_body) == (True, None, "")
    assert build_curl(exchange).endswith("# the body is cut here; contract-tests replay sends all of it")


@pytest.mark.parametrize(
    ("body", "needed"),
    [
        (None, False),
        (b'{"a": "\xc3\xa9"}', False),
        (b"a\x1bb", True),
        (b"\xff", True),
        (b"a" * 1001, True),
        ("a\u202eb".encode(), True),
    ],
)
def test_bodies_that_cannot_be_pasted_need_a_file(body: bytes | None, needed: bool) -> None:
    """A body that is long, binary or has invisible characters is sent from a file."""
    assert record_body(body).needs_body_file == needed


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("Bearer sk-1", "sk"),
        ("dk-1", "dk"),
        ("Bearer ak-1", "ak"),
        ("Bearer aa.bb.cc", "jwt"),
        ("Bearer x", ""),
    ],
)
def test_kind_of_the_caller_is_kept(value: str, kind: str) -> None:
    """The kind of a token stays known after the token is replaced."""
    assert record_body(b"", (("authorization", value),)).caller_kind == kind


@pytest.mark.parametrize(
    "spelling",
    ["t+o/k=en<&1", "t%2Bo%2Fk%3Den%3C%261", "t%2bo%2fk%3den%3c%261", "t+o\\/k=en<&1", "t+o/k=en&lt;&amp;1",
     "T+O/K=EN<&1"],
)  # fmt: skip
def test_tokens_are_redacted_in_every_spelling(spelling: str) -> None:
    """A response that repeats a token escaped for a URL, JSON or HTML, or in capitals, does not give it away."""
    redactor = Redactor(["t+o/k=en<&1"])
    answer = Response(400, ((f"X-{spelling}", spelling),), spelling.encode(), 0.1)
    exchange = redactor.record_exchange(
        "me", "http://h", Request("GET", "/"), redactor.redact_response(answer)
    )
    assert spelling not in json.dumps(exchange.to_json(), ensure_ascii=False).replace("\\\\", "\\")
