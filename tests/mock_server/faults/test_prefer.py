"""`Prefer`: a client chooses the status or the delay of its response (RFC 7240)."""

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.test import Client

from mock_server import create_app
from mock_server.faults.prefer import parse_preferences
from tests.support.api import BODY, CREATE, TOKENS, auth
from tests.support.fixture_player import load

SERVICE = f"{CREATE}/0192f0c1-9a8b-7c6d-9e5f-404142434445"
RULES = {rule["id"]: rule for rule in load("spec/rules.yaml")["rules"]}


@pytest.fixture(scope="module")
def client() -> Client:
    """Return a client of an empty mock."""
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
def test_the_header_is_parsed_as_in_the_rfc(header: str, expected: dict[str, str]) -> None:
    """Lists, parameters, quotes and case are those of RFC 7240; malformed parts are ignored."""
    assert parse_preferences(header) == expected


@given(st.text(alphabet='code=409,;" \\wait\x00é', max_size=60))
@settings(max_examples=200, deadline=None)
def test_any_header_can_be_parsed(header: str) -> None:
    """Random headers are parsed without an error."""
    assert all(name == name.lower() for name in parse_preferences(header))


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 415])
@pytest.mark.parametrize(("method", "path"), [("POST", CREATE), ("PUT", SERVICE)], ids=["create", "update"])
def test_a_declared_status_is_the_refusal_of_a_rule(
    client: Client, method: str, path: str, status: int
) -> None:
    """The rule has that status and is one of the operation; no token is needed."""
    response = client.open(path, method=method, json={}, headers={"Prefer": f"code={status}"})
    violations = response.json.pop("violations")
    rule = RULES[violations[0]["rule"]]
    operation = "createContainer" if method == "POST" else "updateContainer"
    assert (response.status_code, response.mimetype, len(violations)) == (
        status,
        "application/problem+json",
        1,
    )
    assert (status in rule["status"], operation in rule["operations"]) == (True, True)
    assert response.headers["Preference-Applied"] == f"code={status}"


def test_a_preferred_rule_is_refused(client: Client) -> None:
    """The response is the refusal of that rule, with another one of its statuses if that is asked for."""
    header = {"Prefer": "rule=team-member, code=404"}
    response = client.post(CREATE, json=BODY, headers={**auth(), **header})
    assert (response.status_code, response.json["violations"][0]["rule"]) == (404, "team-member")
    assert response.headers["Preference-Applied"] == "rule=team-member, code=404"


def test_a_preference_is_marked_as_injected(client: Client) -> None:
    """The journal says so for a status and a delay, and not for the refusal of an invalid preference."""
    client.delete("/_mock/journal")
    for header in ("code=409", "wait=0", "code=999"):
        client.post(CREATE, json={}, headers={"Prefer": header})
    entries = client.get("/_mock/journal").json["requests"]
    assert [entry["injected"] for entry in entries] == ["prefer", "prefer", None]
    assert entries[0]["rules"] == ["slug-unique"]


def test_a_preferred_success_stores_nothing(client: Client) -> None:
    """A 201 has the id of the example, and no service is stored."""
    response = client.post(CREATE, json=BODY, headers={**auth(), "Prefer": "code=201"})
    assert (response.status_code, response.json["id"][:8], response.mimetype) == (
        201,
        "0192f0c1",
        "application/json",
    )
    assert client.get("/_mock/services").json["count"] == 0


def test_a_preferred_401_has_its_challenge(client: Client) -> None:
    """The response has `WWW-Authenticate`, like any 401."""
    response = client.post(CREATE, json=BODY, headers={"Prefer": "code=401"})
    assert response.headers["WWW-Authenticate"] == "Bearer"


INVALID: dict[str, tuple[str, str]] = {
    "undeclared": ("code=418", "201, 400, 401, 403, 404, 409, 413, 415"),
    "of-the-other-operation": ("code=200", "201, 400, 401, 403, 404, 409, 413, 415"),
    "no-number": ("code=teapot", "201, 400"),
    "no-value": ("code", "got no value"),
    "a-token": (f"code={TOKENS['sk-red']}", "code: got another value, expected"),
    "a-token-of-another-deployment": ("rule=sk-live-secret", "rule: got another value, expected"),
    "a-token-of-the-request": ("rule=secret-word", "rule: got another value, expected"),
    "a-long-value": (f"rule={'a' * 41}", "rule: got another value, expected"),
    "markup": ('rule="<b>"', "rule: got another value, expected"),
    "digits-of-others": ('code="٤٠٩"', "201, 400"),
    "wait-too-long": ("wait=61", "seconds, from 0 to 60"),
    "wait-negative": ("wait=-1", "seconds, from 0 to 60"),
    "wait-nan": ("wait=nan", "seconds, from 0 to 60"),
    "rule-misspelt": (
        "rule=slug-uniqe",
        "rule: got 'slug-uniqe', expected the id of a rule; did you mean slug-unique?",
    ),
    "rule-of-the-other-operation": ("rule=not-while-busy", "that createContainer refuses requests with"),
    "rule-and-another-status": (
        "rule=slug-unique, code=400",
        "code: got '400', expected a status of slug-unique: 409",
    ),
    "wait-in-words": ("code=409, wait=long", "seconds, from 0 to 60"),
}


@pytest.mark.parametrize(("header", "expected"), INVALID.values(), ids=INVALID)
def test_an_invalid_preference_is_refused(client: Client, header: str, expected: str) -> None:
    """The response is a 400 with the expected value, without `Preference-Applied`."""
    headers = {"Authorization": "Bearer secret-word", "Prefer": header.encode().decode("latin-1")}
    response = client.post(CREATE, json=BODY, headers=headers)
    assert (response.status_code, response.mimetype, expected in response.json["detail"]) == (
        400,
        "application/problem+json",
        True,
    )
    assert "Preference-Applied" not in response.headers


def test_other_preferences_change_nothing(client: Client) -> None:
    """Unknown preferences are ignored."""
    headers = {**auth("sk-blue"), "Prefer": "return=minimal, respond-async"}
    response = client.post(CREATE, json={}, headers=headers)
    assert (response.status_code, "Preference-Applied" in response.headers) == (400, False)
    assert [violation["rule"] for violation in response.json["violations"]]


def test_wait_delays_the_response(client: Client) -> None:
    """The request is carried out, and its response is delayed."""
    start = time.perf_counter()
    response = client.post(CREATE, json={}, headers={**auth(), "Prefer": "wait=0.2"})
    assert (response.status_code, response.headers["Preference-Applied"]) == (400, "wait=0.2")
    assert time.perf_counter() - start >= 0.2


def test_status_and_wait_combine(client: Client) -> None:
    """Both preferences are applied and reported."""
    response = client.post(CREATE, headers=[("Prefer", "wait=0.1"), ("Prefer", "code=409")])
    assert (response.status_code, response.headers["Preference-Applied"]) == (409, "code=409, wait=0.1")


def test_the_examples_of_another_document_are_used() -> None:
    """Text is sent as text, a status without content has no body, and a range of statuses is not available."""
    responses = {
        "201": {"description": "d", "content": {"text/plain": {"example": "made"}}},
        "204": {"description": "d"},
        "422": {"description": "Not so.", "content": {"application/problem+json": {}}},
        "5XX": {"description": "d"},
    }
    paths = {"/containers": {"post": {"operationId": "createContainer", "responses": responses}}}
    client = Client(create_app(spec={"openapi": "3.1.0", "info": {}, "paths": paths}))
    responses_by_code = {
        code: client.post(CREATE, headers={"Prefer": f"code={code}"}) for code in (201, 204, 422, 500)
    }
    assert [(response.status_code, response.mimetype) for response in responses_by_code.values()][:3] == [
        (201, "text/plain"),
        (204, "application/json"),
        (422, "application/problem+json"),
    ]
    assert (
        responses_by_code[201].text,
        responses_by_code[422].json["detail"],
        responses_by_code[500].json["detail"][-13:],
    ) == (
        "made",
        "Not so.",
        "201, 204, 422",
    )


def test_the_journal_has_the_caller_of_a_preference(client: Client) -> None:
    """The entry has the caller of a known token, and the operation."""
    client.post(CREATE, headers={**auth("dk-red"), "Prefer": "code=413"})
    entry = client.get("/_mock/journal?status=413").json["requests"][-1]
    assert (entry["caller"], entry["operation"]) == ("dk-red", "createContainer")


@pytest.mark.parametrize(
    ("options", "path"), [({"control": False}, CREATE), ({}, "/api/v1/r/containers/x")], ids=["off", "read"]
)
def test_preferences_need_the_control_plane_and_an_operation(options: dict[str, Any], path: str) -> None:
    """Without the control plane, and for the read-back, the header has no effect."""
    response = Client(create_app(**options)).open(
        path, method="POST" if path == CREATE else "GET", headers={"Prefer": "code=409"}
    )
    assert response.status_code == 401


@pytest.mark.parametrize(
    ("header", "remark"),
    [
        ("cod=409", "Prefer: cod (did you mean code?)"),
        ("return=minimal, Rules=slug-unique", "Prefer: rules (did you mean rule?)"),
        ("respond-async, wait=0, vendor=1", None),
    ],
)
def test_a_misspelt_preference_is_remarked(header: str, remark: str | None) -> None:
    """A preference close to one of the mock's own is named in the header of remarks; others are none of its own."""
    client = Client(create_app())
    response = client.post(CREATE, json=BODY, headers={**auth(), "Prefer": header})
    assert (response.status_code, response.headers.get("Mock-Ignored")) == (201, remark)
    assert client.get("/_mock/journal").json["requests"][0]["ignored"] == ([remark] if remark else [])
