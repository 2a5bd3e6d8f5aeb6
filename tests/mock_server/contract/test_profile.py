"""Profiles: the mock behaves as the deployment that chose so; the file can change no rule."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from mock_server import create_app
from mock_server.app.factory import reload_app
from mock_server.cli.main import main
from mock_server.contract.resources import UnusableFileError, find_resource
from mock_server.testing.plugin import ContainersMock
from mock_server.validation.callers import load_callers
from tests.support.api import BODY, auth

PATH = "/api/v1/containers"
HEADERS = auth()
OPERATIONS = (("/containers", "post"), ("/containers/{serviceId}", "put"))


def client(**choices: Any) -> Any:
    """Return a client of a mock with these options."""
    named = {name.replace("_", "-"): option for name, option in choices.items()}
    return create_app(profile={"choices": named}).test_client()


def test_a_choice_that_is_left_out_keeps_its_usual_option() -> None:
    """With one choice in the profile, every other one is as without a profile."""
    mock = client(invalid_body_status=422)
    assert mock.post(PATH, json={}, headers=HEADERS).status_code == 422
    assert mock.post(PATH, json={**BODY, "more": 1}, headers=HEADERS).status_code == 201
    assert mock.post(PATH, json=BODY).status_code == 401


def test_a_profile_is_read_from_a_file(tmp_path: Path) -> None:
    """A path names a file of YAML, in which an option may stand with what is known about it."""
    file = tmp_path / "staging.yaml"
    file.write_text("choices:\n  created-status: {option: 200, confidence: 0.99, evidence: [c-1]}\n")
    mock = create_app(profile=str(file)).test_client()
    assert mock.post(PATH, json=BODY, headers=HEADERS).status_code == 200


@pytest.mark.parametrize(
    ("profile", "message"),
    [
        ({"choices": {"slug-unique": "refused"}}, "profile: slug-unique is a rule (provider), and no choice"),
        ({"choices": {"exposed-port-range": 4}}, "exposed-port-range is a rule (documented)"),
        ({"choices": {"chek-order": "state-first"}}, "did you mean check-order?"),
        ({"choices": {"check-order": "last"}}, "'last', expected one of shape-first, state-first"),
        ({"choices": {"created-status": 404}}, "created-status: got 404, expected a status from 200 to 299"),
        ({"choices": {"busy-status": "409"}}, "busy-status: got '409', expected a status from 400 to 499"),
        ({"choices": {"absent-values": None}}, 'absent-values: got null (write "null" in quotes)'),
        ({"choices": []}, "profile: no mapping of choices"),
        ({}, "profile: no mapping of choices"),
        (
            {"choices": {}, "choises": {}},
            "unknown key 'choises', expected choices or not_seen; did you mean choices?",
        ),
    ],
)
def test_a_wrong_profile_is_refused(profile: dict[str, Any], message: str) -> None:
    """A profile that names a rule, an unknown choice or another option is refused with one line."""
    with pytest.raises(UnusableFileError) as error:
        create_app(profile=profile)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_wrong_file_ends_the_command_with_one_line(tmp_path: Path) -> None:
    """`mock-server --profile` with a wrong file exits with 2 and one line that names it."""
    file = tmp_path / "staging.yaml"
    file.write_text("choices: {slug-unique: refused}\n")
    result = CliRunner().invoke(main, ["--profile", str(file)])
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert f"{file}: slug-unique is a rule (provider)" in result.stderr


def test_the_order_of_the_checks() -> None:
    """Where the state is checked first, an unknown service is told before an invalid body; without, after it."""
    path = f"{PATH}/0192f0c1-9a8b-7c6d-9e5f-404142434445"
    for order, status in (("shape-first", 400), ("state-first", 404)):
        mock = client(check_order=order)
        assert mock.put(path, json={"exposed_port": 0}, headers=HEADERS).status_code == status
    for order, status in (("path-first", 401), ("body-first", 400)):
        mock = client(check_order=order)
        assert mock.post(PATH, json={}).status_code == status


def test_the_limit_of_the_body() -> None:
    """A body over the profile's limit is refused with the profile's status; `max_body` goes before it."""
    profile = {"choices": {"largest-body": 20_000, "too-large-status": 400}}
    body = {**BODY, "service_desc": "a" * 20_000}
    mock = create_app(profile=profile).test_client()
    assert mock.post(PATH, json=body, headers=HEADERS).status_code == 400
    mock = create_app(profile=profile, max_body=50_000).test_client()
    assert mock.post(PATH, json=body, headers=HEADERS).status_code == 201


@pytest.mark.parametrize(
    ("error_body", "media_type", "text"),
    [
        ("problem", "application/problem+json", '"violations"'),
        ("json", "application/json", '{"errors":["service_slug: got nothing'),
        ("text", "text/plain; charset=utf-8", "service_slug: got nothing"),
        ("empty", "text/plain; charset=utf-8", ""),
    ],
)
def test_the_body_of_a_refusal(error_body: str, media_type: str, text: str) -> None:
    """A refusal has the form of the profile; the journal knows its violations in each form."""
    mock = client(error_body=error_body)
    response = mock.post(PATH, json={}, headers=HEADERS)
    assert (response.content_type, response.text.startswith(text) or text in response.text) == (
        media_type,
        True,
    )
    assert mock.get("/_mock/journal?rule=service-slug-required").json["count"] == 1


def test_one_violation_is_told() -> None:
    """With `reported-violations: first` a refusal has one violation of several."""
    mock = client(reported_violations="first")
    assert len(mock.post(PATH, json={}, headers=HEADERS).json["violations"]) == 1


@pytest.mark.parametrize(("option", "status"), [("invalid", 422), ("malformed", 418)])
def test_half_a_surrogate_pair(option: str, status: int) -> None:
    """It breaks the rule about texts, with the status of an invalid or of a malformed body."""
    mock = client(invalid_body_status=422, malformed_body_status=418, half_surrogates=option)
    response = mock.post(
        PATH, data=r'{"service_desc": "a\ud800"}', content_type="application/json", headers=HEADERS
    )
    assert response.status_code == status
    assert [violation["rule"] for violation in response.json["violations"]] == ["body-text"]


def test_repeated_items() -> None:
    """An item that an array holds twice is kept, merged or refused; `true` and 1 are different items."""
    body = {**BODY, "required_labels": ["a", "b", "a"]}
    for option, stored in (("kept", ["a", "b", "a"]), ("merged", ["a", "b"])):
        mock = client(repeated_items=option)
        mock.post(PATH, json=body, headers=HEADERS)
        shown = mock.get(f"/api/v1/r/containers/{BODY['service_slug']}", headers=HEADERS)
        assert shown.json["required_labels"] == stored
    response = client(repeated_items="refused").post(PATH, json=body, headers=HEADERS)
    assert (response.status_code, response.json["violations"][0]["rule"]) == (400, "repeated-items")


def test_the_reloaded_contract_keeps_the_profile() -> None:
    """`--watch` replaces the contract, and not the profile."""
    app = create_app(profile={"choices": {"created-status": 202}})
    reloaded = reload_app(app, find_resource("spec/openapi.yaml"))
    assert reloaded.test_client().post(PATH, json=BODY, headers=HEADERS).status_code == 202


def test_a_preferred_status_of_the_profile_is_known() -> None:
    """`Prefer` may name a status that the profile adds; without the profile it names what is declared."""
    preferred = {**HEADERS, "Prefer": "code=418"}
    response = client(invalid_body_status=418).post(PATH, json=BODY, headers=preferred)
    assert (response.status_code, response.headers.get("Preference-Applied")) == (418, "code=418")
    assert client().post(PATH, json=BODY, headers=preferred).status_code == 400


def test_the_page_shows_what_the_profile_chose() -> None:
    """The page lists the unusual options; without a profile it has no such line."""
    page = client(created_status=202, private_hosts="refused").get("/_mock/").text
    assert "<code>created-status: 202</code>" in page
    assert "<code>private-hosts: refused</code>" in page
    assert "Profile:" not in client().get("/_mock/").text


def test_an_unknown_property_that_the_profile_refuses_is_told_as_its_choice() -> None:
    """The refusal names the choice, and the property that was meant."""
    response = client(unknown_properties="refused").post(
        PATH, json={**BODY, "exposd_port": 1}, headers=HEADERS
    )
    (violation,) = response.json["violations"]
    assert (response.status_code, violation["rule"]) == (400, "unknown-properties")
    assert "did you mean exposed_port?" in violation["expected"]


def test_requests_that_a_choice_refuses_are_found_by_it() -> None:
    """Journal, page and the fixture's counts filter by a choice of the profile; any other choice is refused."""
    app = create_app(profile={"choices": {"unknown-properties": "refused"}})
    strict = app.test_client()
    strict.post(PATH, json={**BODY, "other": 1}, headers=HEADERS)
    assert strict.get("/_mock/journal?rule=unknown-properties").json["count"] == 1
    assert ">unknown-properties</option>" in strict.get("/_mock/").text
    requests = ContainersMock(
        app, "http://localhost", load_callers(find_resource("fixtures/callers.yaml"))
    ).requests
    assert requests.count(rule="unknown-properties") == 1
    assert strict.get("/_mock/journal?rule=private-hosts").status_code == 400


def read_specs(file: Path, **choices: Any) -> list[dict[str, Any]]:
    """Return the document that a mock with a profile serves, and the one that `spec --profile` prints."""
    named = {name.replace("_", "-"): option for name, option in choices.items()}
    file.write_text(json.dumps({"choices": named}), "utf-8")
    printed = CliRunner().invoke(main, ["spec", "--profile", str(file)])
    assert printed.exit_code == 0, printed.output
    return [client(**choices).get("/_mock/openapi.json").json, yaml.safe_load(printed.output)]


def test_the_document_follows_the_profile(tmp_path: Path) -> None:
    """Both documents have the statuses of the profile, and no keyword of a rule that it disables."""
    chosen = {
        "created_status": 200,
        "slug_taken_status": 422,
        "env_name": "optional",
        "unknown_properties": "refused",
    }
    for document in read_specs(tmp_path / "profile.yaml", **chosen):
        create, update = (document["paths"][path][method]["responses"] for path, method in OPERATIONS)
        assert {*create, *update} == {"200", "400", "401", "403", "404", "409", "413", "415", "422"}
        assert ({"201", "409"} & create.keys(), "409" in update, "422" in update) == (set(), True, False)
        schemas = document["components"]["schemas"]
        assert schemas["EnvConfig"]["items"]["required"] == ["env_value"]
        assert schemas["ServiceUpdate"]["additionalProperties"] is False
        assert document["x-profile"]["slug-taken-status"] == 422


def test_the_document_of_a_mock_without_a_profile_is_the_contract(tmp_path: Path) -> None:
    """A profile of usual options changes nothing."""
    contract = yaml.safe_load(find_resource("spec/openapi.yaml").read_text("utf-8"))
    served, printed = read_specs(tmp_path / "profile.yaml", created_status=201)
    assert printed == contract
    assert (served["components"], served.get("x-profile")) == (contract["components"], None)
