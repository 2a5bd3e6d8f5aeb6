"""Remarks about properties without effect: in the header, the log, the journal and on the page."""

import string
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.test import Client

from mock_server import create_app
from mock_server.validation.ignored import MAX_REMARKS, format_place
from tests.support.api import BODY, CREATE, TOKENS, auth

EXTERNAL = {
    "service_slug": "outside",
    "display_name": "d",
    "service_type": "external",
    "external_url": "https://a.example",
}
BODIES: dict[str, tuple[dict[str, Any], int, str]] = {
    "nothing": (BODY, 201, ""),
    "misspelt": ({**BODY, "serviceDesc": 1}, 201, "serviceDesc (did you mean service_desc?)"),
    "unknown": ({**BODY, "zzz": 1}, 201, "zzz (the contract has no such property)"),
    "nested": (
        {**BODY, "env_config": [{"env_name": "A", "env_value": "b", "valeu": 1}]},
        201,
        "env_config/0/valeu (did you mean env_value?)",
    ),
    "unused": (
        {**BODY, "external_url": "https://a.example"},
        201,
        "external_url (a service of the type deployed does not use it)",
    ),
    "unused-by-external": (
        {**EXTERNAL, "docker_image": "n"},
        201,
        "docker_image (a service of the type external does not use it)",
    ),
    "refused": (
        {"service_slug": "abc", "displayname": "d", "docker_image": "n"},
        400,
        "displayname (did you mean display_name?)",
    ),
}


@pytest.mark.parametrize(("body", "status", "remark"), BODIES.values(), ids=BODIES)
def test_a_create_is_remarked(body: dict[str, Any], status: int, remark: str) -> None:
    """The header has what the mock ignores of an accepted or a refused body, and is absent without it."""
    response = Client(create_app()).post(CREATE, json=body, headers=auth())
    assert (response.status_code, response.headers.get("Mock-Ignored", "")) == (status, remark)


def test_an_update_remarks_what_it_never_changes() -> None:
    """A slug and a type are ignored; with the rule disabled the slug is obeyed, and not remarked."""
    for disabled, remark in ((set(), "service_slug (no update changes it)"), ({"slug-immutable"}, "")):
        client = Client(create_app(disabled_rules=disabled))
        service_id = client.post("/_mock/services", json=BODY).json["id"]
        response = client.put(f"{CREATE}/{service_id}", json={"service_slug": "other"}, headers=auth())
        assert (response.status_code, response.headers.get("Mock-Ignored", "")) == (200, remark)


def test_a_remark_is_in_the_log_the_journal_and_on_the_page() -> None:
    """All four say the same."""
    lines: list[str] = []
    client, remark = Client(create_app(log=lines.append)), "displayname (did you mean display_name?)"
    client.post(CREATE, json={**BODY, "displayname": "d"}, headers=auth())
    assert lines[0].endswith(f" ms; ignored: {remark}")
    assert client.get("/_mock/journal").json["requests"][0]["ignored"] == [remark]
    assert f"ignored: {remark}" in client.get("/_mock/").text
    assert f"Ignored: {remark}" in client.get("/_mock/requests/1").text


def test_an_ignored_property_is_not_stored() -> None:
    """The stored service has neither an unknown property nor an unknown one of an item."""
    client, env = Client(create_app()), {"env_name": "A", "env_value": "b"}
    client.post(CREATE, json={**BODY, "lost": 1, "env_config": [{**env, "lost": 1}]}, headers=auth())
    stored = client.get("/_mock/services").json["services"][0]
    assert (stored["env_config"], "lost" in stored) == ([env], False)


def test_many_remarks_are_counted() -> None:
    """A body of ten thousand unknown properties has a header of a few, and the number of the others."""
    body = {**BODY, **{f"zzz{number}": 1 for number in range(10_000)}}
    response = Client(create_app()).post(CREATE, json=body, headers=auth())
    assert response.headers["Mock-Ignored"].endswith(f", and {10_000 - MAX_REMARKS} more")
    assert (response.status_code, len(response.headers["Mock-Ignored"]) < 1000) == (201, True)


@given(st.text())
@settings(max_examples=200, deadline=None)
def test_any_name_is_safe_in_a_header(name: str) -> None:
    """A place is short printable ASCII, whatever the body has."""
    shown = format_place(name)
    assert set(shown) <= {*string.ascii_letters, *string.digits, *string.punctuation, " "}
    assert len(shown) <= 80


def test_a_remark_repeats_no_token() -> None:
    """A property that is named after the token of the request is redacted, also if it is cut."""
    lines: list[str] = []
    client, token = Client(create_app(log=lines.append)), TOKENS["sk-red"]
    response = client.post(CREATE, json={**BODY, "x" * 75 + token: 1, token: 1}, headers=auth())
    texts = response.headers["Mock-Ignored"] + lines[0] + client.get("/_mock/requests/1").text
    assert token[:10] not in texts


def test_each_remark_of_several_is_one_clause() -> None:
    """The reason stands in brackets after its property, so a list of remarks reads as a list of properties."""
    response = Client(create_app()).post(CREATE, json={**BODY, "displayname": "d", "zzz": 1}, headers=auth())
    clauses = "displayname (did you mean display_name?), zzz (the contract has no such property)"
    assert response.headers["Mock-Ignored"] == clauses
