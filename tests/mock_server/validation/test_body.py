"""Bodies and headers that cost a server more than their sender."""

import json
from typing import Any

import pytest
from werkzeug.test import Client, TestResponse

from mock_server import create_app
from mock_server.validation.schema import MAX_VIOLATIONS
from tests.support.api import BODY, CREATE, TOKENS, auth

#: Read twice for each of its characters, it takes longer than the time limit of a test.
LONG = 350_000


def create(body: str, **headers: str) -> TestResponse:
    """Send a create to a new mock."""
    content = {"Content-Type": "application/json", **headers}
    return Client(create_app()).post(CREATE, data=body, headers={**auth(), **content})


@pytest.mark.parametrize(
    ("name", "value", "status"),
    [
        ("Prefer", f"a{' ' * LONG}!x", 201),
        ("Prefer", f"a={' ' * LONG}!x", 201),
        ("Prefer", f"{'a' * LONG}(", 201),
        ("Content-Type", f'application/json; charset={" " * LONG}"a b', 201),
        ("Content-Type", f"application/json{'; ' * (LONG // 2)}charset", 201),
        ("Content-Type", f"{' ' * LONG};", 415),
    ],
)
def test_a_long_header_is_read_once(name: str, value: str, status: int) -> None:
    """However many blanks or words a header has, it is read in one go."""
    assert create(json.dumps(BODY), **{name: value}).status_code == status


def test_a_key_twice_among_many_is_found_at_once() -> None:
    """An object of a hundred thousand keys with one of them twice is refused, with the name of that key."""
    keys = "".join(f'"k{number}":0,' for number in range(80_000))
    response = create(f'{{{keys}"z":0,"z":1}}')
    assert (response.status_code, response.json and response.json["detail"]) == (
        400,
        'the body: got the key "z" twice, expected each key once',
    )


@pytest.mark.parametrize("levels", [101, 250, 300, 480, 700, 950, 2000, 100_000])
@pytest.mark.parametrize(("opening", "closing"), ["[]", ('{"a":', "}")])
def test_every_depth_beyond_the_limit_is_refused_alike(levels: int, opening: str, closing: str) -> None:
    """Whatever the parser, the check or the validator can hold, a deep body is a violation of body-depth."""
    inner = "" if closing == "]" else "1"
    response = create(f"{opening * levels}{inner}{closing * levels}")
    assert response.status_code == 400
    assert response.json is not None
    assert {violation["rule"] for violation in response.json["violations"]} == {"body-depth"}


def test_a_deep_body_is_served_without_its_rule() -> None:
    """Without body-depth, a depth that no validator holds causes no error."""
    client = Client(create_app(disabled_rules={"body-depth"}))
    for levels in (101, 250, 480, 700, 2000):
        body = f'{json.dumps(BODY)[:-1]}, "extra": {"[" * levels}{"]" * levels}}}'
        headers = {**auth(), "Content-Type": "application/json"}
        assert client.post(CREATE, data=body, headers=headers).status_code < 500


def test_a_refusal_has_a_bounded_number_of_violations() -> None:
    """A body of many bad items has a refusal of usual size, and so has its entry in the journal."""
    response = create(json.dumps({**BODY, "required_labels": [1] * 1_000}))
    assert response.json is not None
    assert len(response.json["violations"]) == MAX_VIOLATIONS
    assert len(response.data) < 50_000


def test_a_large_body_is_refused_for_its_first_violation() -> None:
    """The validator builds one error of a body of many bad items, not hundreds of thousands."""
    response = create(json.dumps({**BODY, "required_labels": [1] * 50_000, "env_config": [{}] * 50_000}))
    assert response.json is not None
    assert (response.status_code, len(response.json["violations"])) == (400, 1)


def test_unknown_properties_have_a_bounded_number_of_violations() -> None:
    """Without the permission of unknown properties, some hundred of them are listed."""
    client = Client(create_app(disabled_rules={"unknown-properties-ignored"}))
    extra = {f"extra-{number}": 1 for number in range(1_000)}
    response = client.post(CREATE, json={**BODY, **extra}, headers=auth())
    assert response.json is not None
    assert len(response.json["violations"]) == MAX_VIOLATIONS


HIDDEN = TOKENS["sk-blue"]
VALUES: dict[str, Any] = {
    "cut-by-length": {"exposed_port": f"ppp{HIDDEN}{'z' * 80}"},
    "in-an-array": {"env_config": [{"a" * 70: HIDDEN}]},
    "whole": {"exposed_port": HIDDEN},
    "in-a-hint": {"service_slug": f" {HIDDEN.upper()} {HIDDEN}"},
}


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize("escaped", [False, True])
def test_a_refusal_shows_no_part_of_a_token(name: str, *, escaped: bool) -> None:
    """A value is cut where it is shown; no beginning of a token that it holds stays."""
    text = json.dumps({**BODY, **VALUES[name]})
    text = (
        text.replace(HIDDEN, "".join(f"\\u{ord(character):04x}" for character in HIDDEN)) if escaped else text
    )
    response = create(text)
    assert response.status_code == 400
    assert HIDDEN[3:8].lower() not in response.get_data(as_text=True).lower()
    assert response.json is not None
    assert {violation["actual"] for violation in response.json["violations"]} == {"…"}


def test_a_token_in_another_header_is_told_where_it_belongs() -> None:
    """What is said of Authorization repeats no value, so it stays where the token is sent in the wrong header."""
    response = Client(create_app()).post(CREATE, json=BODY, headers={"X-Api-Key": HIDDEN})
    assert response.json is not None
    assert (
        response.json["detail"] == "Authorization: got no such header, expected Authorization: Bearer TOKEN"
    )


def test_a_body_in_single_quotes_is_no_json_with_the_place() -> None:
    """The message says first that the body is no JSON, then what the parser expected and where."""
    response = create("{'service_slug': 'mine'}")
    assert response.json is not None
    (violation,) = response.json["violations"]
    assert violation["actual"].startswith(
        "no JSON: Expecting property name enclosed in double quotes at line 1"
    )


def test_a_key_twice_shows_no_part_of_a_token() -> None:
    """A key that is sent twice is cut, too."""
    key = f"{'k' * 30}{HIDDEN}"
    response = create(f'{{"{key}": 1, "{key}": 2}}')
    assert HIDDEN[3:8] not in response.get_data(as_text=True)
