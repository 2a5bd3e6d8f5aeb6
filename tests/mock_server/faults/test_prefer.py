"""`Prefer`: who calls says how it is answered, in the form of RFC 7240."""

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.test import Client

from mock_server import create_app
from mock_server.faults.prefer import parse_preferences
from tests.mock_server.admin.test_api import BODY, CREATE, auth
from tests.support.fixture_player import load

SERVICE = f"{CREATE}/0192f0c1-9a8b-7c6d-9e5f-404142434445"
RESPONSES = load("spec/openapi.yaml")["components"]["responses"]


@pytest.fixture(scope="module")
def client() -> Client:
    """A mock that nothing is stored in."""
    return Client(create_app())


HEADERS: dict[str, tuple[str, dict[str, str]]] = {
    "one": ("code=409", {"code": "409"}),
    "several": ("code=409, wait=2", {"code": "409", "wait": "2"}),
    "the-first-counts": ("code=409,code=404", {"code": "409"}),
    "names-in-any-case": ("CoDe=409", {"code": "409"}),
    "values-keep-their-case": ("handling=Strict", {"handling": "Strict"}),
    "quoted": (r'code="409", foo="a\"b,c;d"', {"code": "409", "foo": 'a"b,c;d'}),
    "parameters": ('foo; code=404; x="a,code=1", code=409 ; y', {"foo": "", "code": "409"}),
    "space-about-the-sign": ("code = 409", {"code": "409"}),
    "empty-value": ('foo="", bar=', {"foo": "", "bar": ""}),
    "empty-parts": (",, ,code=409,", {"code": "409"}),
    "unreadable-parts": ('é=1, a b, code=409, "', {"code": "409"}),
}


@pytest.mark.parametrize(("header", "expected"), HEADERS.values(), ids=HEADERS)
def test_the_header_is_read_as_the_rfc_says(header: str, expected: dict[str, str]) -> None:
    """Lists, parameters, quotes and case are those of RFC 7240; what cannot be read is left out."""
    assert parse_preferences(header) == expected


@given(st.text(alphabet='code=409,;" \\wait\x00é', max_size=60))
@settings(max_examples=200, deadline=None)
def test_no_header_is_too_odd(header: str) -> None:
    """Whatever the header is, it is read."""
    assert all(name == name.lower() for name in parse_preferences(header))


NAMES = {400: "BadRequest", 401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 409: "Conflict"}


@pytest.mark.parametrize("status", NAMES)
@pytest.mark.parametrize(("method", "path"), [("POST", CREATE), ("PUT", SERVICE)], ids=["create", "update"])
def test_a_declared_status_is_answered_with_its_example(
    client: Client, method: str, path: str, status: int
) -> None:
    """The body and the media type are the contract's; no token is needed."""
    got = client.open(path, method=method, json={}, headers={"Prefer": f"code={status}"})
    content = RESPONSES[NAMES[status]]["content"]["application/problem+json"]
    examples = [example["value"] for example in content["examples"].values()]
    assert (got.status_code, got.json, got.mimetype) == (status, examples[0], "application/problem+json")
    assert got.headers["Preference-Applied"] == f"code={status}"


def test_a_preferred_success_stores_nothing(client: Client) -> None:
    """201 comes with the example's id, and the list of services stays empty."""
    got = client.post(CREATE, json=BODY, headers={**auth(), "Prefer": "code=201"})
    assert (got.status_code, got.json["id"][:8], got.mimetype) == (201, "0192f0c1", "application/json")
    assert client.get("/_mock/services").json["count"] == 0


def test_a_preferred_401_carries_its_challenge(client: Client) -> None:
    """As a real 401 does."""
    got = client.post(CREATE, json=BODY, headers={"Prefer": "code=401"})
    assert got.headers["WWW-Authenticate"] == "Bearer"


WISHES: dict[str, tuple[str, str]] = {
    "undeclared": ("code=418", "201, 400, 401, 403, 404, 409, 413, 415"),
    "of-the-other-operation": ("code=200", "201, 400, 401, 403, 404, 409, 413, 415"),
    "no-number": ("code=teapot", "201, 400"),
    "no-value": ("code", "got no value"),
    "digits-of-others": ('code="٤٠٩"', "201, 400"),
    "wait-too-long": ("wait=61", "seconds, from 0 to 60"),
    "wait-negative": ("wait=-1", "seconds, from 0 to 60"),
    "wait-nan": ("wait=nan", "seconds, from 0 to 60"),
    "wait-in-words": ("code=409, wait=long", "seconds, from 0 to 60"),
}


@pytest.mark.parametrize(("wish", "told"), WISHES.values(), ids=WISHES)
def test_a_wish_that_cannot_be_granted_says_what_can(client: Client, wish: str, told: str) -> None:
    """It is a 400 problem, at once, and no preference is said to be applied."""
    got = client.post(CREATE, json=BODY, headers={"Prefer": wish.encode().decode("latin-1")})
    assert (got.status_code, got.mimetype, told in got.json["detail"]) == (
        400,
        "application/problem+json",
        True,
    )
    assert "Preference-Applied" not in got.headers


def test_other_preferences_change_nothing(client: Client) -> None:
    """Unknown ones are ignored: the call is carried out."""
    headers = {**auth("sk-blue"), "Prefer": "return=minimal, respond-async"}
    got = client.post(CREATE, json={}, headers=headers)
    assert (got.status_code, "Preference-Applied" in got.headers) == (400, False)
    assert [violation["rule"] for violation in got.json["violations"]]


def test_wait_holds_the_real_answer_back(client: Client) -> None:
    """The call is carried out, and answered after that time."""
    started = time.perf_counter()
    got = client.post(CREATE, json={}, headers={**auth(), "Prefer": "wait=0.2"})
    assert (got.status_code, got.headers["Preference-Applied"]) == (400, "wait=0.2")
    assert time.perf_counter() - started >= 0.2


def test_a_status_may_be_late(client: Client) -> None:
    """Both preferences are applied, and both are told."""
    got = client.post(CREATE, headers=[("Prefer", "wait=0.1"), ("Prefer", "code=409")])
    assert (got.status_code, got.headers["Preference-Applied"]) == (409, "code=409, wait=0.1")


def test_the_examples_of_a_document_of_ones_own_are_answered() -> None:
    """Text is sent as text; a status without a body has none; a range of statuses is not available."""
    responses = {
        "201": {"description": "d", "content": {"text/plain": {"example": "made"}}},
        "204": {"description": "d"},
        "422": {"description": "Not so.", "content": {"application/problem+json": {}}},
        "5XX": {"description": "d"},
    }
    paths = {"/containers": {"post": {"operationId": "createContainer", "responses": responses}}}
    client = Client(create_app(spec={"openapi": "3.1.0", "info": {}, "paths": paths}))
    told = {code: client.post(CREATE, headers={"Prefer": f"code={code}"}) for code in (201, 204, 422, 500)}
    assert [(got.status_code, got.mimetype) for got in told.values()][:3] == [
        (201, "text/plain"),
        (204, "application/json"),
        (422, "application/problem+json"),
    ]
    assert (told[201].text, told[422].json["detail"], told[500].json["detail"][-13:]) == (
        "made",
        "Not so.",
        "201, 204, 422",
    )


def test_the_journal_knows_who_preferred(client: Client) -> None:
    """The caller of a known token is noted, as is the operation."""
    client.post(CREATE, headers={**auth("dk-red"), "Prefer": "code=413"})
    seen = client.get("/_mock/journal?status=413").json["requests"][-1]
    assert (seen["caller"], seen["operation"]) == ("dk-red", "createContainer")


@pytest.mark.parametrize(
    ("options", "path"), [({"control": False}, CREATE), ({}, "/api/v1/r/containers/x")], ids=["off", "read"]
)
def test_preferences_are_for_the_two_operations_and_part_of_the_control(
    options: dict[str, Any], path: str
) -> None:
    """Without the control plane, and for the read-back, the header has no effect."""
    got = Client(create_app(**options)).open(
        path, method="POST" if path == CREATE else "GET", headers={"Prefer": "code=409"}
    )
    assert got.status_code == 401
