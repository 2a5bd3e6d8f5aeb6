"""The example deployment keeps every documented fact, whatever it chooses elsewhere."""

from __future__ import annotations

import subprocess
import sys
import uuid
from dataclasses import fields
from typing import Any

import pytest
import yaml
from werkzeug.test import Client

from examples.deployment.app import create_wsgi_app
from examples.deployment.choices import DEFAULT, VARIANTS, Choices
from tests.support.fixture_player import ROOT
from tests.support.gate.example_deployment import (
    CONTAINERS,
    CREDENTIAL,
    DEPLOYED,
    EXTERNAL,
    TEAMS,
    DeployedApp,
    assert_refused,
    read_accepted_id,
)

pytestmark = pytest.mark.slow


def test_a_missing_package_is_one_line() -> None:
    """Without the packages of the developers, the command names what installs them, and exits with code 2."""
    hidden = (
        "import runpy, sys; sys.modules['uvicorn'] = None; "
        "runpy.run_module('examples.deployment', run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", hidden], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.startswith("uvicorn is missing: run `make .venv/dev`")


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


def test_authorization_is_required(it: DeployedApp) -> None:
    """A request needs a Bearer token that is not empty."""
    for header in [None, "", "Bearer", "Bearer ", "Basic dXNlcg==", "Token x", "Bearerx y"]:
        assert_refused(it.create(DEPLOYED, Authorization=header), it.choices.auth_status)


def test_unknown_and_agent_tokens_are_refused(it: DeployedApp) -> None:
    """Unknown tokens and agent keys are assert_refused."""
    for token in ("sk-never", "dk-never", "eyJhbGciOiJub25lIn0.e30.", "x"):
        assert_refused(it.create(DEPLOYED, Authorization=f"Bearer {token}", X_Team_ID=TEAMS["red"]))
    assert_refused(it.create(DEPLOYED, "ak-red"), 401, 403)
    assert_refused(it.update(it.create_service(DEPLOYED), {}, "ak-red"), 401, 403)


def test_jwt_needs_team(it: DeployedApp) -> None:
    """A JWT caller without X-Team-ID gets a 400, and otherwise acts for the team."""
    assert_refused(it.create(DEPLOYED, "jwt-red", X_Team_ID=None), 400)
    service_id = read_accepted_id(it.create(DEPLOYED, "jwt-red"))
    assert_refused(it.update(service_id, {}, "jwt-red", X_Team_ID=None), 400)
    read_accepted_id(it.update(service_id, {}, "jwt-both"))


def test_jwt_team_is_a_uuid(it: DeployedApp) -> None:
    """For a JWT caller X-Team-ID must be a UUID."""
    for team in ["", "red", TEAMS["red"][:-1], TEAMS["red"] + "0"]:
        assert_refused(it.create(DEPLOYED, "jwt-red", X_Team_ID=team))


def test_jwt_team_is_ones_own(it: DeployedApp) -> None:
    """A JWT caller must belong to the team it names."""
    assert_refused(it.create(DEPLOYED, "jwt-red", X_Team_ID=TEAMS["blue"]))
    read_accepted_id(it.create(DEPLOYED, "jwt-both", X_Team_ID=TEAMS["blue"].upper()))


@pytest.mark.parametrize("caller", ["dk-red", "sk-red"])
def test_credentials_bring_their_team(it: DeployedApp, caller: str) -> None:
    """The team of a credential caller is that of the credential, whatever X-Team-ID it sends."""
    teams = [None, TEAMS["blue"], "", "no uuid", str(uuid.UUID(int=0)), b"\xff"]
    for number, team in enumerate(teams):
        response = it.create({**DEPLOYED, "service_slug": f"one-{number}"}, caller, X_Team_ID=team)
        if caller == "sk-red" and it.choices.sk_refused_status:
            assert_refused(response, it.choices.sk_refused_status)
            continue
        service_id = read_accepted_id(response)
        read_accepted_id(it.update(service_id, {}, caller, X_Team_ID=team))
        read_accepted_id(it.update(service_id, {}, "jwt-red"))
        assert_refused(it.update(service_id, {}, "jwt-both", X_Team_ID=TEAMS["blue"]))


def test_slug_is_unique_in_a_team(it: DeployedApp) -> None:
    """A slug can be taken once in a team, and once in another."""
    it.create_service(DEPLOYED)
    assert_refused(it.create(DEPLOYED))
    read_accepted_id(it.create(DEPLOYED, "jwt-both", X_Team_ID=TEAMS["blue"]))


def test_slugs_that_match(it: DeployedApp) -> None:
    """Three to a hundred lower-case letters, digits and inner hyphens are a slug."""
    for slug in ["abc", "0-9", "a--b", "a" * 100]:
        it.create_service(DEPLOYED, service_slug=slug)


@pytest.mark.parametrize(
    "slug", ["ab", "a" * 101, "Abc", "-ab", "ab-", "a_b", "abc\n", "\nabc", "a٣c", "", 123]
)
def test_slugs_that_do_not_match(it: DeployedApp, slug: Any) -> None:
    """The pattern holds for the whole string."""
    assert_refused(it.create({**DEPLOYED, "service_slug": slug}))


@pytest.mark.parametrize("name", ["service_slug", "display_name", "docker_image"])
def test_required_on_create(it: DeployedApp, name: str) -> None:
    """A deployed service needs a slug, a display name and an image, with or without a type."""
    body = {key: value for key, value in DEPLOYED.items() if key != name}
    assert_refused(it.create(body))
    assert_refused(it.create({**body, "service_type": "deployed"}))
    assert_refused(it.create({**body, name: None}))


def test_external_needs_url_only(it: DeployedApp) -> None:
    """An external service needs its URL and no image."""
    assert_refused(it.create({key: value for key, value in EXTERNAL.items() if key != "external_url"}))
    it.create_service(EXTERNAL)


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
    "env_config": [{}, "A=1", ["A"], [[]], [{"env_name": 1, "env_value": "x"}]],
    "volume_config": [{}, "a:b", [1], [{"host_path": "/a", "container_path": False}]],
    "required_labels": ["gpu", [1], {"a": "b"}],
    "gpu_count": ["1", 0.5, True, [1]],
    "replica_count": [0, 11, "1", True, 1.5],
    "usage_prompt": [0, ["x"]],
    "openapi_url": ["x" * 501, 5],
    "external_url": [
        "http://two.example.com",
        "HTTPS://two.example.com",
        " https://two.example.com",
        "two.example.com",
        "https://two.example.com/" + "x" * 2025,
        "",
        7,
    ],
    "external_auth_credential_id": ["", "x", 1, CREDENTIAL[:-1], [CREDENTIAL]],
}


def test_values_within_bounds(it_reading_bodies: DeployedApp) -> None:
    """Values within the documented bounds are read_accepted_id on create and on update; lengths are code points."""
    it = it_reading_bodies
    pairs = [(name, value) for name, values in GOOD.items() for value in values]
    for number, (name, value) in enumerate(pairs):
        service_id = it.create_service(DEPLOYED, **{"service_slug": f"one-{number}", name: value})
        read_accepted_id(it.update(service_id, {name: value}))


def test_values_out_of_bounds(it_reading_bodies: DeployedApp) -> None:
    """Values of another type, range, length or pattern are assert_refused on create and on update."""
    it = it_reading_bodies
    service_id = it.create_service(EXTERNAL)
    for name, values in BAD.items():
        base = EXTERNAL if name.startswith("external") else DEPLOYED
        for value in values:
            assert_refused(it.create({**base, "service_slug": "bad", name: value}))
            assert_refused(it.update(service_id, {name: value}))


def test_service_type_is_one_of_two(it: DeployedApp) -> None:
    """The type is deployed or external, in these letters."""
    for value in ("DeployedApp", "EXTERNAL", "", "other", 1, []):
        assert_refused(it.create({**DEPLOYED, **EXTERNAL, "service_type": value}))


def test_long_urls(it: DeployedApp) -> None:
    """A URL may be 2048 characters long."""
    start = "https://two.example.com/?q=a%20b#"
    service_id = it.create_service(EXTERNAL, external_url=start + "x" * (2048 - len(start)))
    read_accepted_id(it.update(service_id, {"external_url": "https://user@two.example.com:8443/a"}))


def test_defaults(it: DeployedApp) -> None:
    """A property that a create omits gets the documented default."""
    it.create_service(DEPLOYED)
    stored = it.read_stored("one")
    expected = {"service_type": "deployed", "exposed_port": 8080, "health_path": "/health"}
    expected |= {"gpu_count": 0, "replica_count": 1, "service_status": "created"}
    assert {name: stored[name] for name in expected} == expected


def test_update_is_partial(it: DeployedApp) -> None:
    """An update requires nothing, and keeps the properties that it omits."""
    service_id = it.create_service(DEPLOYED, service_desc="first", required_labels=["a"])
    assert read_accepted_id(it.update(service_id, {})) == service_id
    assert read_accepted_id(it.update(service_id.lower(), {"service_desc": "second"})) == service_id
    stored = it.read_stored("one")
    assert stored["service_desc"] == "second"
    assert stored["required_labels"] == ["a"]
    assert stored["docker_image"] == DEPLOYED["docker_image"]


def test_refused_update_changes_nothing(it: DeployedApp) -> None:
    """A assert_refused update keeps every property."""
    service_id = it.create_service(DEPLOYED, service_desc="first")
    assert_refused(it.update(service_id, {"service_desc": "second", "replica_count": 11}))
    assert_refused(
        it.update(service_id, {"service_desc": "second", "external_url": "https://two.example.com"})
    )
    assert it.read_stored("one")["service_desc"] == "first"


def test_update_needs_an_own_service(it: DeployedApp) -> None:
    """The id is the UUID of a service of the caller's team."""
    service_id = it.create_service(DEPLOYED)
    for other in ("x", str(uuid.uuid4()), service_id[:-1], service_id + "%0A", "%00", "%FF"):
        assert_refused(it.update(other, {}))
    assert_refused(it.update(service_id, {}, "jwt-both", X_Team_ID=TEAMS["blue"]))


def test_external_properties_on_external_only(it: DeployedApp) -> None:
    """An update may have a URL or credential only if the stored type is external."""
    service_id = it.create_service(DEPLOYED)
    assert_refused(it.update(service_id, {"external_url": "https://two.example.com"}))
    assert_refused(it.update(service_id, {"external_auth_credential_id": CREDENTIAL}))
    assert_refused(
        it.update(service_id, {"service_type": "external", "external_url": "https://two.example.com"})
    )
    read_accepted_id(it.update(it.create_service(EXTERNAL), {"external_url": "https://three.example.com"}))


def test_null_credential_keeps(it: DeployedApp) -> None:
    """A null credential is read_accepted_id on update, and keeps the stored one."""
    read_accepted_id(it.update(it.create_service(DEPLOYED), {"external_auth_credential_id": None}))
    if it.choices.known_credentials is not None:
        assert_refused(it.create({**EXTERNAL, "external_auth_credential_id": CREDENTIAL}))
        return
    service_id = it.create_service(EXTERNAL, external_auth_credential_id=CREDENTIAL)
    read_accepted_id(it.update(service_id, {"external_auth_credential_id": None, "display_name": "New"}))
    stored = it.read_stored("two")
    assert (stored["external_auth_credential_id"], stored["display_name"]) == (CREDENTIAL, "New")


def test_type_and_slug_never_change(it: DeployedApp) -> None:
    """A type or slug sent on update never takes effect."""
    service_id = it.create_service(DEPLOYED)
    it.update(service_id, {"service_type": "external"})
    it.update(service_id, {"service_slug": "other"})
    assert_refused(it.update(service_id, {"external_url": "https://two.example.com"}))
    assert_refused(it.create(DEPLOYED))
    it.create_service(DEPLOYED, service_slug="other")
    assert it.read_stored("one")["service_type"] == "deployed"


def test_no_update_while_busy(it: DeployedApp) -> None:
    """An update is assert_refused while deploying or stopping, and read_accepted_id in any other status."""
    service_id = it.create_service(DEPLOYED)
    for status in ("deploying", "running", "stopping", "stopped", "failed", "created"):
        it.set_status(service_id, status)
        response = it.update(service_id, {"service_desc": status})
        (assert_refused if status in {"deploying", "stopping"} else read_accepted_id)(response)
