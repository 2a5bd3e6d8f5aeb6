"""No spelling of a token is shown."""

from collections.abc import Callable
from urllib.parse import quote

import pytest
from werkzeug.test import Client

from mock_server import create_app
from mock_server.web.redaction import REDACTED, Redactor, redact_authorization
from tests.support.api import BODY, CREATE
from tests.support.encodings import ENCODINGS

TOKEN = "sk-secret/part+0123456789=="
AUTHORIZATION = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
SPELLINGS = {
    "json": "".join(f"\\u{ord(character):04X}" for character in TOKEN),
    "json-of-one-character": f"\\u0073{TOKEN[1:]}",
    "json-of-slashes": TOKEN.replace("/", "\\/"),
    "url": quote(TOKEN, safe=""),
    "url-of-each-character": "".join(f"%{ord(character):02x}" for character in TOKEN),
    "url-twice": quote(quote(TOKEN, safe=""), safe=""),
    "html": TOKEN.replace("/", "&#x2F;").replace("+", "&#43;"),
    "html-without-end": TOKEN.replace("/", "&#47").replace("+", "&#43;"),
    "html-name": TOKEN.replace("-", "&hyphen;").replace("/", "&sol;").replace("+", "&plus;"),
    "url-five-times": TOKEN.replace("/", "%252525252f"),
    "html-in-url": TOKEN.replace("/", "%26%2347%3B"),
    "json-in-a-url": quote(TOKEN.replace("/", "\\/"), safe=""),
}


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS)
@pytest.mark.parametrize("known", [True, False])
def test_a_text_with_an_escaped_token_is_replaced(spelling: str, *, known: bool) -> None:
    """The token of a caller and that of the request are found with escapes."""
    redactor = Redactor([TOKEN] if known else [])
    header = None if known else AUTHORIZATION["Authorization"]
    assert redactor.redact(f'{{"a": "b{spelling}c"}}', header) == REDACTED


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"a {TOKEN.upper()}", "a …"),
        (f"a {TOKEN[:-1]}", "a …"),
        (f'a {TOKEN[:-1]}"', 'a …"'),
        (f"a {TOKEN[:-1].title()}8", "a …"),
        (f"%2F{TOKEN.upper()}", "%2F…"),
    ],
    ids=["capitals", "without-its-end", "before-a-quote", "with-another-end", "beside-an-escape"],
)
def test_a_token_that_was_changed_is_replaced(text: str, shown: str) -> None:
    """Letter case and the last character do not matter."""
    assert Redactor([TOKEN]).redact(text) == shown


@pytest.mark.parametrize("before", ["", "a", "ab", "Bearer ", "to: "])
@pytest.mark.parametrize("encode", ENCODINGS.values(), ids=ENCODINGS)
def test_an_encoded_token_is_replaced(before: str, encode: Callable[[bytes], bytes | str]) -> None:
    """A token is found in Base64, in Base32 and as a list of bytes, wherever it begins; one character may remain."""
    token = "sk-secret?>~0123456789"
    encoded = encode(f"{before}{token}:c".encode())
    text = encoded if isinstance(encoded, str) else encoded.decode()
    assert REDACTED in Redactor([token]).redact(text)
    assert REDACTED in Redactor([]).redact(text, f"Bearer {token}")


def test_a_name_is_no_place_for_a_token() -> None:
    """Journal and log hide a token that is the method or the name of a header field."""
    lines: list[str] = []
    client = Client(create_app(log=lines.append))
    token = "sk-secret-0123456789"
    headers = {"Authorization": f"Bearer {token}", token: "1"}
    client.open(CREATE, method=token.upper(), headers=headers)
    assert (
        "0123456789"
        not in client.get("/_mock/journal").text + client.get("/_mock/requests/1").text + lines[0]
    )


@pytest.mark.parametrize("text", ["100%25 of \\u00e9\\/", "\\ud800 &#x110000; %ff%zz", "a\\"])
def test_other_escapes_stay(text: str) -> None:
    """A text without a token is unchanged, whatever its escapes mean."""
    assert Redactor([TOKEN]).redact(text, AUTHORIZATION["Authorization"]) == text


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS)
def test_no_escaped_token_is_shown(spelling: str) -> None:
    """Neither journal nor page nor log shows a part of the token of a body, a path or a header."""
    lines: list[str] = []
    client = Client(create_app(log=lines.append))
    responses = [
        client.post(CREATE, data=f'{{"service_slug": 1, "a": "{spelling}"}}', headers=AUTHORIZATION),
        client.get(f"/{quote(spelling)}?a={quote(spelling)}", headers=AUTHORIZATION),
        client.post(CREATE, json=BODY, headers={**AUTHORIZATION, "Referer": f"http://h/?a={spelling}"}),
        client.post(CREATE, json=BODY, headers={**AUTHORIZATION, "Prefer": f'code="{spelling}"'}),
    ]
    pages = [client.get(f"/_mock/{page}") for page in ("journal", "requests/1", "requests/2", "requests/3")]
    texts = "".join([*(response.text for response in (*responses, *pages)), *lines])
    assert [part for part in (spelling[6:20], TOKEN[6:14]) if part in texts] == []


SCHEMES = {
    "Basic dTpzZWNyZXQ=": "Basic …",
    "bearer\tsecret": "bearer …",
    'Digest username="u", response="secret"': "Digest …",
    "secret": "…",
    "secret secret": "…",
    "Basic,secret": "…",
    "Basicsecret secret": "…",
    "Ｂasic secret": "…",
    "": "…",
}


@pytest.mark.parametrize(("header", "shown"), SCHEMES.items(), ids=[*map(repr, SCHEMES)])
def test_only_a_known_scheme_is_shown(header: str, shown: str) -> None:
    """Of `Authorization` nothing but the word of a well-known scheme stays."""
    assert redact_authorization(header) == shown


@pytest.mark.parametrize(
    ("header", "again"),
    [("Basic dTpzZWNyZXQ=", "Basic $TOKEN"), ("dTpzZWNyZXQ= dTpzZWNyZXQ=", "$TOKEN")],
    ids=["known", "unknown"],
)
def test_journal_and_page_keep_the_scheme(header: str, again: str) -> None:
    """The journal shows the scheme, "Send it again" sends it, and neither shows the credential."""
    client = Client(create_app())
    client.post(CREATE, json=BODY, headers={"Authorization": header})
    (entry,) = client.get("/_mock/journal").json["requests"]
    assert entry["headers"]["Authorization"] == again.replace("$TOKEN", "… (unknown)")
    page = client.get("/_mock/requests/1").text
    assert f"Authorization: {again}" in page
    assert "dTpzZWNyZXQ" not in page
