"""Recorded exchanges."""

import json
import random
import shlex
from collections.abc import Callable

import pytest

from contract_tests.results.reproduction.curl import build_curl
from contract_tests.targets.base import NoResponse, Request, Response
from contract_tests.targets.exchange import Exchange, Redactor, exchange_from_json
from tests.support.encodings import ENCODINGS


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
    assert "Authorization: Bearer $TOKEN_ME" in words
    assert words[-1] == '{"a": "$TOKEN_ME\'"}'


@pytest.mark.parametrize("before", ["", "a", "ab", "Bearer ", "to: "])
@pytest.mark.parametrize("encode", ENCODINGS.values(), ids=ENCODINGS)
def test_an_encoded_token_is_redacted(before: str, encode: Callable[[bytes], bytes | str]) -> None:
    """A token is found in Base64, in Base32 and as a list of bytes, wherever it begins; one character may remain."""
    token = "sk-secret?>~0123456789"
    encoded = encode(f"{before}{token}:c".encode())
    text = encoded if isinstance(encoded, str) else encoded.decode()
    redactor = Redactor([token])
    shown = {redactor.redact_text(f'"{text}"'), redactor.redact_bytes(f'"{text}"'.encode()).decode()}
    assert len(shown) == 1
    assert "$TOKEN" in shown.pop()


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
    ("packed", "problem"),
    [("!!!!", "no compressed body"), ("AAAA", "no compressed body"), ("A" * 2**17, "longer than 64 KiB")],
)
def test_a_body_that_no_run_packed_is_refused(packed: str, problem: str) -> None:
    """What is not compressed, or could be huge, is refused when its exchange is read."""
    exchange = Redactor([]).record_exchange(
        "a", "http://h", Request("POST", "/containers", (), b"\xff"), Response(400, (), b"", 0.0)
    )
    with pytest.raises(ValueError, match=problem):
        exchange_from_json({**exchange.to_json(), "raw_body": packed})


@pytest.mark.parametrize(
    ("body", "needed"),
    [
        (None, False),
        (b'{"a": "\xc3\xa9"}', False),
        (b"a\x1bb", True),
        (b"\xff", True),
        (b"a" * 1001, True),
        (("\U0001f600" * 251).encode(), True),
        ("a\u202eb".encode(), True),
    ],
)
def test_bodies_that_cannot_be_pasted_need_a_file(body: bytes | None, needed: bool) -> None:
    """A body that is long, binary or has invisible characters is sent from a file."""
    assert record_body(body).needs_body_file == needed


def record_response(response: Response | NoResponse, path: str = "/x") -> Exchange:
    """Record a request of this path and its response."""
    return Redactor(["sk-secret"]).record_exchange("me", "http://h", Request("GET", path), response)


def test_headers_that_are_too_long_are_cut() -> None:
    """Of 90 headers of 65 KB each a share is kept, and the short ones are whole; few headers stay."""
    long = [(f"X-{number}", "a" * 65_000) for number in range(90)]
    kept = record_response(Response(200, (("Content-Type", "a/b"), *long), b"", 0.1)).response_headers
    assert kept[0] == ("Content-Type", "a/b")
    assert [name for name, _ in kept[1:]] == [name for name, _ in long]
    assert {value for _, value in kept[1:]} == {"a" * 359 + "…"}
    short = (("X-A", "a" * 60_000),)
    assert record_response(Response(200, short, b"", 0.1)).response_headers == short


def test_a_url_and_a_reason_that_are_too_long_are_cut() -> None:
    """A URL and a reason of a megabyte are kept to 8 KiB, marked with an ellipsis, and tokens leave no part."""
    path = "/" + "a" * (8 * 1024 - 16) + "sk-secret" + "b" * 1_000_000
    exchange = record_response(NoResponse("c" * 1_000_000, 0.1), path)
    assert (len(exchange.url), exchange.url[-8:]) == (8 * 1024, "a$TOKEN…")
    assert exchange.reason == "c" * (8 * 1024 - 1) + "…"


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
