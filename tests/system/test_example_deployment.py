"""The example deployment keeps every documented fact, whatever it chooses elsewhere."""

from __future__ import annotations

import uuid
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from werkzeug.test import Client

from examples.deployment.app import create_wsgi_app
from examples.deployment.choices import DEFAULT, VARIANTS, Choices
from tests.support.gate.example_deployment import (
    BODILESS,
    CONTAINERS,
    CREDENTIAL,
    DEPLOYED,
    EXTERNAL,
    SETS,
    TEAMS,
    Deployed,
    accepted,
    deployed,
    refused,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(params=SETS)
def it(request: pytest.FixtureRequest) -> Iterator[Deployed]:
    """Serve each of the sets of choices in turn."""
    with deployed(SETS[request.param]) as deployment:
        yield deployment


@pytest.fixture(params=[name for name in SETS if not name.startswith(BODILESS)])
def it_reading_bodies(request: pytest.FixtureRequest) -> Iterator[Deployed]:
    """Serve the sets of choices that affect bodies."""
    with deployed(SETS[request.param]) as deployment:
        yield deployment


def test_variants_change_one_choice() -> None:
    """There are at least twelve variants, and each differs from the default in one field."""
    assert len(VARIANTS) >= 12
    for choices in VARIANTS.values():
        assert sum(getattr(choices, f.name) != getattr(DEFAULT, f.name) for f in fields(Choices)) == 1
    names = {
        f.name
        for choices in VARIANTS.values()
        for f in fields(Choices)
        if getattr(choices, f.name) != getattr(DEFAULT, f.name)
    }
    assert names == {f.name for f in fields(Choices)}


def test_callers_file_by_environment(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment names the callers file."""
    team = str(uuid.uuid4())
    rows = [{"name": "only", "kind": "dk", "teams": ["t"], "token": "dk-only"}]
    (tmp_path / "callers.yaml").write_text(yaml.safe_dump({"teams": {"t": team}, "callers": rows}))
    monkeypatch.setenv("DEPLOYMENT_CALLERS", str(tmp_path / "callers.yaml"))
    response = Client(create_wsgi_app()).post(
        CONTAINERS, json=DEPLOYED, headers={"Authorization": "Bearer dk-only"}
    )
    assert response.status_code == 200


def test_authorization_is_required(it: Deployed) -> None:
    """A request needs a Bearer token that is not empty."""
    for header in [None, "", "Bearer", "Bearer ", "Basic dXNlcg==", "Token x", "Bearerx y"]:
        refused(it.create(DEPLOYED, Authorization=header), it.choices.auth_status)


def test_unknown_and_agent_tokens_are_refused(it: Deployed) -> None:
    """Unknown tokens and agent keys are refused."""
    for token in ("sk-never", "dk-never", "eyJhbGciOiJub25lIn0.e30.", "x"):
        refused(it.create(DEPLOYED, Authorization=f"Bearer {token}", X_Team_ID=TEAMS["red"]))
    refused(it.create(DEPLOYED, "ak-red"), 401, 403)
    refused(it.update(it.made(DEPLOYED), {}, "ak-red"), 401, 403)


def test_jwt_needs_team(it: Deployed) -> None:
    """A JWT caller without X-Team-ID gets a 400, and otherwise acts for the team."""
    refused(it.create(DEPLOYED, "jwt-red", X_Team_ID=None), 400)
    service_id = accepted(it.create(DEPLOYED, "jwt-red"))
    refused(it.update(service_id, {}, "jwt-red", X_Team_ID=None), 400)
    accepted(it.update(service_id, {}, "jwt-both"))


def test_jwt_team_is_a_uuid(it: Deployed) -> None:
    """For a JWT caller X-Team-ID must be a UUID."""
    for team in ["", "red", "0192f0c011117aaa8bbb0123456789ab", "{" + TEAMS["red"] + "}"]:
        refused(it.create(DEPLOYED, "jwt-red", X_Team_ID=team))


def test_jwt_team_is_ones_own(it: Deployed) -> None:
    """A JWT caller must belong to the team it names."""
    refused(it.create(DEPLOYED, "jwt-red", X_Team_ID=TEAMS["blue"]))
    accepted(it.create(DEPLOYED, "jwt-both", X_Team_ID=TEAMS["blue"].upper()))


@pytest.mark.parametrize("caller", ["dk-red", "sk-red"])
def test_credentials_bring_their_team(it: Deployed, caller: str) -> None:
    """The team of a credential caller is that of the credential, whatever X-Team-ID it sends."""
    teams = [None, TEAMS["blue"], "", "no uuid", str(uuid.UUID(int=0)), b"\xff"]
    for number, team in enumerate(teams):
        response = it.create({**DEPLOYED, "service_slug": f"one-{number}"}, caller, X_Team_ID=team)
        if caller == "sk-red" and it.choices.sk_refused_status:
            refused(response, it.choices.sk_refused_status)
            continue
        service_id = accepted(response)
        accepted(it.update(service_id, {}, caller, X_Team_ID=team))
        accepted(it.update(service_id, {}, "jwt-red"))
        refused(it.update(service_id, {}, "jwt-both", X_Team_ID=TEAMS["blue"]))


def test_slug_is_unique_in_a_team(it: Deployed) -> None:
    """A slug can be taken once in a team, and once in another."""
    it.made(DEPLOYED)
    refused(it.create(DEPLOYED))
    accepted(it.create(DEPLOYED, "jwt-both", X_Team_ID=TEAMS["blue"]))


def test_slugs_that_match(it: Deployed) -> None:
    """Three to a hundred lower-case letters, digits and inner hyphens are a slug."""
    for slug in ["abc", "0-9", "a--b", "a" * 100]:
        it.made(DEPLOYED, service_slug=slug)


@pytest.mark.parametrize(
    "slug", ["ab", "a" * 101, "Abc", "-ab", "ab-", "a_b", "abc\n", "\nabc", "a٣c", "", 123]
)
def test_slugs_that_do_not_match(it: Deployed, slug: Any) -> None:
    """The pattern holds for the whole string."""
    refused(it.create({**DEPLOYED, "service_slug": slug}))


@pytest.mark.parametrize("name", ["service_slug", "display_name", "docker_image"])
def test_required_on_create(it: Deployed, name: str) -> None:
    """A deployed service needs a slug, a display name and an image, with or without a type."""
    body = {key: value for key, value in DEPLOYED.items() if key != name}
    refused(it.create(body))
    refused(it.create({**body, "service_type": "deployed"}))
    refused(it.create({**body, name: None}))


def test_external_needs_url_only(it: Deployed) -> None:
    """An external service needs its URL and no image."""
    refused(it.create({key: value for key, value in EXTERNAL.items() if key != "external_url"}))
    it.made(EXTERNAL)


GOOD = {
    "display_name": ["", "x" * 255, "\U0001f600" * 255],
    "service_desc": ["", "x" * 5000],
    "exposed_port": [1, 65535],
    "health_path": ["", "/health"],
    "env_config": [[], [{"env_name": "A", "env_value": ""}]],
    "volume_config": [[], [{"host_path": "/a", "container_path": "/b"}]],
    "required_labels": [[], ["gpu", ""]],
    "gpu_count": [-1, 0, 8],
    "replica_count": [1, 10],
    "usage_prompt": ["", "Ask."],
    "openapi_url": ["", "/openapi.json", "\U0001f600" * 500],
}
BAD = {
    "display_name": ["x" * 256, 1, True, [], {}],
    "service_desc": [1, False, []],
    "docker_image": [1, ["a"]],
    "exposed_port": [0, 65536, -1, 1.5, "8080", True, 10**30, 10**5, [80]],
    "health_path": [1, {}],
    "env_config": [{}, "A=1", ["A"], [[]], [{"env_name": 1, "env_value": "x"}], [None]],
    "volume_config": [{}, "a:b", [1], [{"host_path": "/a", "container_path": False}]],
    "required_labels": ["gpu", [1], [None], {"a": "b"}],
    "gpu_count": ["1", 0.5, True, [1]],
    "replica_count": [0, 11, "1", True, 1.5],
    "usage_prompt": [0, ["x"]],
    "openapi_url": ["x" * 501, 5],
    "external_url": [
        "http://two.example.com",
        "HTTPS://two.example.com",
        " https://two.example.com",
        "https://two.example.com\n",
        "https://two.example.com/a b",
        "https://two.example.com/ü",
        "https://two.example.com/%zz",
        "two.example.com",
        "https://two.example.com/" + "x" * 2025,
        "",
        7,
    ],
    "external_auth_credential_id": ["", "x", 1, CREDENTIAL[:-1], CREDENTIAL.replace("-", ""), [CREDENTIAL]],
}


def test_values_within_bounds(it_reading_bodies: Deployed) -> None:
    """Values within the documented bounds are accepted on create and on update; lengths are code points."""
    it = it_reading_bodies
    pairs = [(name, value) for name, values in GOOD.items() for value in values]
    for number, (name, value) in enumerate(pairs):
        service_id = it.made(DEPLOYED, **{"service_slug": f"one-{number}", name: value})
        accepted(it.update(service_id, {name: value}))


def test_values_out_of_bounds(it_reading_bodies: Deployed) -> None:
    """Values of another type, range, length or pattern are refused on create and on update."""
    it = it_reading_bodies
    service_id = it.made(EXTERNAL)
    for name, values in BAD.items():
        base = EXTERNAL if name.startswith("external") else DEPLOYED
        for value in values:
            refused(it.create({**base, "service_slug": "bad", name: value}))
            refused(it.update(service_id, {name: value}))


def test_service_type_is_one_of_two(it: Deployed) -> None:
    """The type is deployed or external, in these letters."""
    for value in ("Deployed", "EXTERNAL", "", "other", 1, []):
        refused(it.create({**DEPLOYED, **EXTERNAL, "service_type": value}))


def test_long_urls(it: Deployed) -> None:
    """A URL may be 2048 characters long."""
    start = "https://two.example.com/?q=a%20b#"
    service_id = it.made(EXTERNAL, external_url=start + "x" * (2048 - len(start)))
    accepted(it.update(service_id, {"external_url": "https://user@two.example.com:8443/a"}))


def test_defaults(it: Deployed) -> None:
    """A property that a create omits gets the documented default."""
    it.made(DEPLOYED)
    stored = it.stored("one")
    expected = {"service_type": "deployed", "exposed_port": 8080, "health_path": "/health"}
    expected |= {"gpu_count": 0, "replica_count": 1, "service_status": "created"}
    assert {name: stored[name] for name in expected} == expected


def test_update_is_partial(it: Deployed) -> None:
    """An update requires nothing, and keeps the properties that it omits."""
    service_id = it.made(DEPLOYED, service_desc="first", required_labels=["a"])
    assert accepted(it.update(service_id, {})) == service_id
    assert accepted(it.update(service_id.lower(), {"service_desc": "second"})) == service_id
    stored = it.stored("one")
    assert stored["service_desc"] == "second"
    assert stored["required_labels"] == ["a"]
    assert stored["docker_image"] == DEPLOYED["docker_image"]


def test_refused_update_changes_nothing(it: Deployed) -> None:
    """A refused update keeps every property."""
    service_id = it.made(DEPLOYED, service_desc="first")
    refused(it.update(service_id, {"service_desc": "second", "replica_count": 11}))
    refused(it.update(service_id, {"service_desc": "second", "external_url": "https://two.example.com"}))
    assert it.stored("one")["service_desc"] == "first"


def test_update_needs_an_own_service(it: Deployed) -> None:
    """The id is the UUID of a service of the caller's team."""
    service_id = it.made(DEPLOYED)
    for other in ("x", str(uuid.uuid4()), service_id.replace("-", ""), service_id + "%0A", "%00", "%FF"):
        refused(it.update(other, {}))
    refused(it.update(service_id, {}, "jwt-both", X_Team_ID=TEAMS["blue"]))


def test_external_properties_on_external_only(it: Deployed) -> None:
    """An update may have a URL or credential only if the stored type is external."""
    service_id = it.made(DEPLOYED)
    refused(it.update(service_id, {"external_url": "https://two.example.com"}))
    refused(it.update(service_id, {"external_auth_credential_id": CREDENTIAL}))
    refused(it.update(service_id, {"service_type": "external", "external_url": "https://two.example.com"}))
    accepted(it.update(it.made(EXTERNAL), {"external_url": "https://three.example.com"}))


def test_null_credential_keeps(it: Deployed) -> None:
    """A null credential is accepted on update, and keeps the stored one."""
    accepted(it.update(it.made(DEPLOYED), {"external_auth_credential_id": None}))
    if it.choices.known_credentials is not None:
        refused(it.create({**EXTERNAL, "external_auth_credential_id": CREDENTIAL}))
        return
    service_id = it.made(EXTERNAL, external_auth_credential_id=CREDENTIAL)
    accepted(it.update(service_id, {"external_auth_credential_id": None, "display_name": "New"}))
    stored = it.stored("two")
    assert (stored["external_auth_credential_id"], stored["display_name"]) == (CREDENTIAL, "New")


def test_type_and_slug_never_change(it: Deployed) -> None:
    """A type or slug sent on update never takes effect."""
    service_id = it.made(DEPLOYED)
    it.update(service_id, {"service_type": "external"})
    it.update(service_id, {"service_slug": "other"})
    refused(it.update(service_id, {"external_url": "https://two.example.com"}))
    refused(it.create(DEPLOYED))
    it.made(DEPLOYED, service_slug="other")
    assert it.stored("one")["service_type"] == "deployed"


def test_no_update_while_busy(it: Deployed) -> None:
    """An update is refused while deploying or stopping, and accepted in any other status."""
    service_id = it.made(DEPLOYED)
    for status in ("deploying", "running", "stopping", "stopped", "failed", "created"):
        it.set_status(service_id, status)
        response = it.update(service_id, {"service_desc": status})
        (refused if status in {"deploying", "stopping"} else accepted)(response)
