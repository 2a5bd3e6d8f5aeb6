"""Escaped spellings of a token are found, however its characters are escaped."""

import html
import json
import time
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract_tests.targets.spellings import Spellings

TOKENS = ["sk-red-5f0c7c1e9a", "eyJh.bGci.Oi_JU-z", "t+o/k=en<&\"1'é"]


def escape_for_url(character: str) -> str:
    """Return each byte with a percent sign, whether or not it needs one."""
    return "".join(f"%{byte:02x}" for byte in character.encode())


FORMS = {
    "plain": str,
    "quoted": lambda character: quote(character, safe=""),
    "percent": escape_for_url,
    "capitals": lambda character: escape_for_url(character).upper().replace("%X", "%x"),
    "twice": lambda character: escape_for_url(character).replace("%", "%25"),
    "json": lambda character: f"\\u{ord(character):04x}",
    "json-twice": lambda character: f"\\\\u{ord(character):04X}",
    "python": lambda character: f"\\x{ord(character):02x}",
    "python-long": lambda character: f"\\U{ord(character):08x}",
    "javascript": lambda character: f"\\u{{{ord(character):X}}}",
    "octal": lambda character: f"\\{ord(character):03o}",
    "utf-16": lambda character: f"{character}\0",
    "slash": lambda character: "\\/" if character == "/" else character,
    "quote": lambda character: f"\\{character}" if character in "\"'" else character,
    "html": html.escape,
    "html-number": lambda character: f"&#{ord(character)};",
    "html-hex": lambda character: f"&#x{ord(character):X};",
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("token", TOKENS)
def test_a_form_of_every_character_is_found(token: str, form: str) -> None:
    """A token in one form, and with each of its characters in turn in that form, does not stay.

    A token without an escape is not the matter of this module.
    """
    spellings, write = Spellings(TOKENS), FORMS[form]
    mixed = [token[:n] + write(token[n]) + token[n + 1 :] for n in range(len(token))]
    for spelling in ("".join(map(write, token)), *mixed):
        if spelling != token:
            assert spellings.replace_text(f"a {spelling} b", "X") == "a X b"
            assert spellings.replace_bytes(f"a {spelling} b".encode(), "X") == b"a X b"


@given(st.data())
def test_any_mixture_of_forms_is_found(data: st.DataObject) -> None:
    """Each character in a form of its own: the token does not stay."""
    token = data.draw(st.sampled_from(TOKENS))
    spelling = "".join(data.draw(st.sampled_from([*FORMS.values()]))(character) for character in token)
    assert Spellings(TOKENS).replace_text(f"%41{spelling}", "X") == "%41X"


@pytest.mark.parametrize("form", FORMS)
def test_the_beginning_of_a_long_token_is_no_trap(form: str) -> None:
    """A search does not try each combination of forms: a text that is nearly a long token is found out at once."""
    token = "aB1-._/&" * 20
    nearly = "".join(map(FORMS[form], token[:-2])) + "!%"
    assert Spellings([token]).replace_text(nearly, "X") == nearly


@pytest.mark.parametrize(
    "unit", ["\\", "\\\\u", "%25", "25", "&amp;", "amp;", "0", "s", "sk-", "s\0", TOKENS[0][:-2]]
)
@pytest.mark.parametrize("start", ["%", "\\x", "&", "&#"])
def test_a_repeated_part_of_an_escape_is_no_trap(unit: str, start: str) -> None:
    """The time of a search grows with the text, not with its square."""
    spellings, text = Spellings(TOKENS), start + unit * (2**16 // len(unit))
    started = time.process_time()
    assert spellings.replace_text(text, "X") == text
    assert spellings.replace_bytes(text.encode(), "X") == text.encode()
    assert time.process_time() - started < 2


NESTED = {
    "html-name": TOKENS[0].replace("-", "&hyphen;"),
    "html-without-end": TOKENS[1].replace(".", "&#46"),
    "html-of-many-digits": TOKENS[0].replace("-", "&#000000000045;"),
    "html-in-json": TOKENS[0].replace("-", "\\u0026#45;"),
    "html-in-url": TOKENS[0].replace("-", "%26%2345%3B"),
    "json-in-url": TOKENS[0].replace("-", "%5Cu002d"),
    "url-in-json": TOKENS[0].replace("-", "\\u00252d"),
    "html-in-html": TOKENS[0].replace("-", "&#38;#45;"),
    "name-in-html": TOKENS[0].replace("-", "&amp;amp;amp;hyphen;"),
    "percent-u": TOKENS[0].replace("-", "%u002d"),
    "without-its-end": TOKENS[0][:-1].replace("-", "%2d"),
    "title-case": TOKENS[0].title(),
    "json-in-url-in-html-in-url": TOKENS[0].replace("-", "%2526%252337%253B5Cu002d"),
}


@pytest.mark.parametrize("spelling", NESTED.values(), ids=NESTED)
def test_escapes_within_escapes_hide_no_token(spelling: str) -> None:
    """Escapes of several kinds within each other are undone until there is none left."""
    spellings = Spellings(TOKENS)
    assert spelling not in spellings.replace_text(f"a {spelling} b", "X")
    assert spelling.encode() not in spellings.replace_bytes(f"a {spelling} b".encode(), "X")


def test_a_text_of_endless_escapes_is_hidden() -> None:
    """Where the escapes have no end within bounds, nothing of the text is shown."""
    text = "%2d"
    for _ in range(100):
        text = f"&#37;{text[1:]}" if text[0] == "%" else f"%26{text[1:]}"
    assert Spellings(TOKENS).replace_text(text, "X") == "X"


@pytest.mark.parametrize("times", [1, 2, 3])
@pytest.mark.parametrize("token", ['sk-a"b\\cd\\\\efgh', "sk\\d", "\\\\"])
def test_a_token_with_backslashes_is_found_in_json(token: str, times: int) -> None:
    """A text is hidden that has such a token in JSON, also in JSON within JSON; other texts with backslashes stay."""
    text = f"is: {token}"
    for _ in range(times):
        text = json.dumps(text)
    assert token not in Spellings([token]).replace_text(text, "X") != text
    assert Spellings([token]).replace_text('{"a": "b\\n"}', "X") == '{"a": "b\\n"}'


def test_utf_16_is_found() -> None:
    """A token in UTF-16 does not stay, with its high or its low bytes first."""
    spellings = Spellings(TOKENS)
    for encoding in ("utf-16-le", "utf-16-be", "utf-16"):
        assert b"r\0e\0d" not in spellings.replace_bytes(f"a {TOKENS[0]} b".encode(encoding), "X")


def test_other_texts_stay() -> None:
    """A text without a token is unchanged, also without any tokens."""
    text = '{"detail": "100 % \\"sk-red\\" &amp; more"}'
    for tokens in (TOKENS, []):
        assert Spellings(tokens).replace_text(text, "X") == text
        assert Spellings(tokens).replace_bytes(text.encode(), "X") == text.encode()
