"""The API reference and its document, as the server sends them."""

import html
import json
import re
from datetime import date
from typing import Any

import pytest
from werkzeug.test import Client

from mock_server.app.factory import create_app
from mock_server.contract import resources
from tests.support.api import TOKENS
from tests.support.fixture_player import CALLERS, RULES
from tests.support.pages import create


@pytest.fixture
def client() -> Client:
    """Return a client of a mock."""
    return create_app().test_client()


def read_operation(client: Client, operation: str, query: str = "") -> str:
    """Return the part of the reference about one operation."""
    text = client.get(f"/_mock/reference{query}").text
    (article,) = re.findall(f'<article class="operation" id="{operation}".*?</article>', text, re.DOTALL)
    return str(article)


def read_text(markup: str) -> str:
    """Return the text of some markup, with single spaces."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", "", markup)).split())


def test_the_reference_shows_each_property(client: Client) -> None:
    """A property has its type, whether it is required, its bounds, its default and its description."""
    text = read_text(read_operation(client, "createContainer"))
    for part in (
        "service_slug required string The name of the service in URLs, unique within the team.",
        "3 to 100 characters; matches ^[a-z0-9][a-z0-9-]{1,98}[a-z0-9]$",
        "service_type string How the service is hosted; it never changes after creation.",
        "one of deployed, external; default deployed",
        "exposed_port integer The port on which the container listens. 1 to 65535; default 8080",
        "env_config array of object The environment variables of the container.",
        "env_config[].env_name required string Its name.",
        "gpu_count integer -1 for all GPUs, 0 for none, N for that many. at least -1; default 0",
        "X-Team-ID header, string (uuid) The team of the request.",
    ):
        assert part in text
    update = read_text(read_operation(client, "updateContainer"))
    assert "external_auth_credential_id string (uuid) or null A new credential; null means" in update


def test_the_reference_shows_rules_responses_and_examples(client: Client) -> None:
    """An operation has each of its rules with its statement, and each declared response with its example."""
    text = read_text(read_operation(client, "createContainer"))
    for rule in RULES.values():
        shown = f"{rule['id']} {rule['grade']} {rule['statement']}".replace("`", "")
        assert (shown in text) == ("createContainer" in rule["operations"]), rule["id"]
    for status in ("201 Created", "400 Bad Request", "409 Conflict", "415 Unsupported Media Type"):
        assert status in text
    assert '"id": "0192f0c1-9a8b-7c6d-9e5f-404142434445"' in text
    assert "An external service with a stored credential" in text


def test_disabled_rules_are_left_out() -> None:
    """A constraint whose rule is disabled is not shown."""
    client = create_app(disabled_rules={"exposed-port-range"}).test_client()
    text = read_text(read_operation(client, "createContainer"))
    assert ("1 to 65535" in text, "exposed_port integer" in text) == (False, True)


def find_form_value(client: Client, name: str, operation: str = "updateContainer", query: str = "") -> str:
    """Return what a field of the form of an operation is filled with."""
    markup = read_operation(client, operation, query)
    (value,) = re.findall(f'name="{name}" value="([^"]*)"', markup)
    return str(value)


def test_the_update_is_filled_with_a_stored_id(client: Client) -> None:
    """The form has the newest service, or the one of the query; without services, the example."""
    assert find_form_value(client, "serviceId").startswith("0192f0c1-9a8b")
    first, second = (create(client, slug).json["id"] for slug in ("a-service", "b-service"))
    assert find_form_value(client, "serviceId") == second
    assert find_form_value(client, "serviceId", query=f"?service={first}") == first
    assert find_form_value(client, "serviceSlug", "readContainer", f"?service={first}") == "a-service"
    assert find_form_value(client, "serviceId", query="?service=unknown") == second


def test_the_token_is_one_of_the_team(client: Client) -> None:
    """The token of the forms belongs to the team of the service."""
    assert find_form_value(client, "token") == TOKENS["sk-red"]
    body = {"service_slug": "abc", "display_name": "d", "docker_image": "n", "team": "blue"}
    client.post("/_mock/services", json=body)
    assert find_form_value(client, "token") == TOKENS["sk-blue"]


def test_own_callers_have_no_token_in_the_forms() -> None:
    """Without packaged callers the token is left empty, and the teams are offered."""
    caller = {"name": "me", "kind": "sk", "teams": ["red"], "token": "sk-mine-0123456789"}
    client = create_app(callers={"teams": CALLERS["teams"], "callers": [caller]}).test_client()
    text = client.get("/_mock/reference").text
    assert (find_form_value(client, "token"), caller["token"] in text) == ("", False)
    assert f'<option value="{CALLERS["teams"]["red"]}">red</option>' in text


def _body(media_type: Any) -> dict[str, Any]:
    return {"requestBody": {"content": {"application/json": media_type}}}


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        ({"summary": None, "description": 7}, "createContainer. 7"),
        ({"responses": {"default": {"description": ["x"]}, "2XX": None}}, "2XX"),
        ({"responses": {"204": {"content": {"a/b": None}}}}, "204 No Content a/b"),
        (
            _body({"schema": {"properties": {"a": {"anyOf": [True]}, "b": {"items": True}}}}),
            "a any value",
        ),
        (
            _body({"schema": {"properties": {"a": {"multipleOf": 3, "const": [1]}}}}),
            "multipleOf 3; always [1]",
        ),
        (_body({"examples": {"a": 1, "b": {"value": "\ud800"}}}), r"\ud800"),
        ({"parameters": [{"name": "token", "in": "query", "example": {"a": [1]}}]}, "token query, any value"),
    ],
    ids=str,
)
def test_an_odd_document_is_shown(change: dict[str, Any], shown: str) -> None:
    """What another contract leaves out or writes otherwise is left out or shown as it is."""
    spec = resources.read_yaml(resources.find_resource("spec/openapi.yaml"))
    assert isinstance(spec, dict)
    post = {**spec["paths"]["/containers"]["post"], **change}
    client = create_app(spec={**spec, "info": {}, "paths": {"/containers": {"post": post}}}).test_client()
    assert shown in read_text(read_operation(client, "createContainer"))


def test_the_document_has_the_contract_and_the_read_back(client: Client) -> None:
    """The only server of the document is the mock itself."""
    document = client.get("/_mock/openapi.json").json
    assert document["servers"] == [{"url": "/api/v1"}]
    assert set(document["paths"]) == {"/containers", "/containers/{serviceId}", "/r/containers/{serviceSlug}"}
    assert document["components"]["schemas"]["ServiceCreate"]["properties"]["service_slug"]


def test_a_document_with_dates_is_served_as_json() -> None:
    """Dates become text, and keys of other types are omitted."""
    spec = resources.read_yaml(resources.find_resource("spec/openapi.yaml"))
    assert isinstance(spec, dict)
    day = date(2026, 1, 2)
    client = create_app(spec={**spec, "x-day": day, "x-odd": {day: 1, 2: "\ud800"}}).test_client()
    document = json.loads(client.get("/_mock/openapi.json").data)
    assert (document["x-day"], document["x-odd"]) == ("2026-01-02", {"2": "\ud800"})
