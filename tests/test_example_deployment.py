"""The example deployment keeps every documented fact, whatever it chooses where the pages are silent."""

from __future__ import annotations

import asyncio
import json
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import yaml
from werkzeug.test import Client

from examples.deployment.app import DEFAULT_CALLERS, create_app, create_wsgi_app
from examples.deployment.choices import DEFAULT, USUAL, VARIANTS, Choices
from examples.deployment.service import Call, Deployment, load_callers

if TYPE_CHECKING:
    from collections.abc import Iterator

KNOWN = yaml.safe_load(DEFAULT_CALLERS.read_text(encoding="utf-8"))
TEAMS = KNOWN["teams"]
TOKENS = {row["name"]: row["token"] for row in KNOWN["callers"]}
CALLERS = load_callers(DEFAULT_CALLERS)
SETS = {"default": DEFAULT, "usual": USUAL, **VARIANTS}
# Choices about no body: under these, tests that send very many bodies would only repeat themselves.
BODILESS = (
    "auth-",
    "agent-",
    "sk-",
    "scheme-",
    "unknown-token",
    "unknown-service",
    "foreign-",
    "busy-",
    "slug-",
)
BODILESS += (
    "malformed-team",
    "malformed-id",
    "empty-team",
    "ids-",
    "options-",
    "media-",
    "parameters-",
    "errors-",
)
CREDENTIAL = "3c90c3cc-0d44-4b50-8888-8dd25736052a"
CONTAINERS = "/api/v1/containers"
DEPLOYED = {"service_slug": "one", "display_name": "One", "docker_image": "acme/one:1"}
EXTERNAL = {
    "service_slug": "two",
    "display_name": "Two",
    "service_type": "external",
    "external_url": "https://two.example.com/",
}


@dataclass
class Deployed:
    """A deployment called in process, and its choices."""

    choices: Choices
    deployment: Deployment
    http: httpx.AsyncClient
    runner: asyncio.Runner

    def send(
        self, method: str, path: str, body: Any, caller: str = "dk-red", **headers: Any
    ) -> httpx.Response:
        """Send a body, as bytes or to be written as JSON, in a caller's name; a header None is left out."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"Authorization": f"Bearer {TOKENS[caller]}", "Content-Type": "application/json"}
        if caller.startswith("jwt"):
            sent["X-Team-ID"] = TEAMS["red"]
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {name: value for name, value in sent.items() if value is not None}
        answer = self.runner.run(self.http.request(method, path, content=content, headers=sent))
        assert answer.status_code < 500
        return answer

    def create(self, body: Any, caller: str = "dk-red", **headers: Any) -> httpx.Response:
        """Send a create."""
        return self.send("POST", CONTAINERS, body, caller, **headers)

    def update(self, service_id: str, body: Any, caller: str = "dk-red", **headers: Any) -> httpx.Response:
        """Send an update."""
        return self.send("PUT", f"{CONTAINERS}/{service_id}", body, caller, **headers)

    def made(self, body: dict[str, Any], **changes: Any) -> str:
        """Create a service and give its id."""
        return accepted(self.create({**body, **changes}))

    def stored(self, slug: str) -> dict[str, Any]:
        """Read a service back, inside the deployment where that is not offered to callers."""
        answer = self.send("GET", f"/api/v1/r/containers/{slug}", b"")
        if self.choices.readback:
            return answer.json()
        refused(answer, 404)
        inside = Call([f"Bearer {TOKENS['dk-red']}"], [], None, b"", management=False)
        return self.deployment.read(inside, slug)

    def set_status(self, service_id: str, status: str) -> None:
        """Set a service's status as the operator."""
        accepted(self.send("POST", f"/ops/services/{service_id}/status/{status}", b""))


def accepted(answer: httpx.Response) -> str:
    """Give the id of an answer of success."""
    assert answer.is_success, answer.text
    assert answer.headers["content-type"] == "application/json"
    found = answer.json()["id"]
    assert str(uuid.UUID(found)) == found.lower()
    return found


def refused(answer: httpx.Response, *statuses: int) -> None:
    """Assert that the request was refused, with one of the statuses if any are given."""
    assert answer.is_client_error, answer.text
    assert not statuses or answer.status_code in statuses


@contextmanager
def deployed(choices: Choices) -> Iterator[Deployed]:
    """Serve a deployment of its own for a while."""
    app = create_app(choices, CALLERS)
    http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://deployment.test")
    with asyncio.Runner() as runner:
        yield Deployed(choices, app.state.deployment, http, runner)
        runner.run(http.aclose())


@pytest.fixture(params=SETS)
def it(request: pytest.FixtureRequest) -> Iterator[Deployed]:
    """Serve each of the sets of choices in turn."""
    with deployed(SETS[request.param]) as one:
        yield one


@pytest.fixture(params=[name for name in SETS if not name.startswith(BODILESS)])
def it_reading_bodies(request: pytest.FixtureRequest) -> Iterator[Deployed]:
    """Serve the sets of choices that bear on bodies."""
    with deployed(SETS[request.param]) as one:
        yield one


def test_variants_change_one_choice() -> None:
    """There are at least twelve variants, and each differs from the default in one field."""
    assert len(VARIANTS) >= 12
    for choices in VARIANTS.values():
        assert sum(getattr(choices, f.name) != getattr(DEFAULT, f.name) for f in fields(Choices)) == 1
    changed = {
        f.name
        for choices in VARIANTS.values()
        for f in fields(Choices)
        if getattr(choices, f.name) != getattr(DEFAULT, f.name)
    }
    assert changed == {f.name for f in fields(Choices)}


def test_callers_file_by_environment(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The callers come from the file the environment names."""
    team = str(uuid.uuid4())
    rows = [{"name": "only", "kind": "dk", "teams": ["t"], "token": "dk-only"}]
    (tmp_path / "callers.yaml").write_text(yaml.safe_dump({"teams": {"t": team}, "callers": rows}))
    monkeypatch.setenv("DEPLOYMENT_CALLERS", str(tmp_path / "callers.yaml"))
    answer = Client(create_wsgi_app()).post(
        CONTAINERS, json=DEPLOYED, headers={"Authorization": "Bearer dk-only"}
    )
    assert answer.status_code == 200


def test_authorization_is_required(it: Deployed) -> None:
    """A request needs a Bearer token that is not empty."""
    for header in [None, "", "Bearer", "Bearer ", "Basic dXNlcg==", "Token x", "Bearerx y"]:
        refused(it.create(DEPLOYED, Authorization=header), it.choices.auth_status)


def test_unknown_and_agent_tokens_are_refused(it: Deployed) -> None:
    """A token never issued is refused, and so is every agent credential."""
    for token in ("sk-never", "dk-never", "eyJhbGciOiJub25lIn0.e30.", "x"):
        refused(it.create(DEPLOYED, Authorization=f"Bearer {token}", X_Team_ID=TEAMS["red"]))
    refused(it.create(DEPLOYED, "ak-red"), 401, 403)
    refused(it.update(it.made(DEPLOYED), {}, "ak-red"), 401, 403)


def test_jwt_needs_team(it: Deployed) -> None:
    """A JWT caller without X-Team-ID is answered 400; with it, the team's services are at hand."""
    refused(it.create(DEPLOYED, "jwt-red", X_Team_ID=None), 400)
    made = accepted(it.create(DEPLOYED, "jwt-red"))
    refused(it.update(made, {}, "jwt-red", X_Team_ID=None), 400)
    accepted(it.update(made, {}, "jwt-both"))


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
    """Whatever X-Team-ID a credential caller sends, the team is the credential's."""
    teams = [None, TEAMS["blue"], "", "no uuid", str(uuid.UUID(int=0)), b"\xff"]
    for number, team in enumerate(teams):
        answer = it.create({**DEPLOYED, "service_slug": f"one-{number}"}, caller, X_Team_ID=team)
        if caller == "sk-red" and it.choices.sk_refused_status:
            refused(answer, it.choices.sk_refused_status)
            continue
        made = accepted(answer)
        accepted(it.update(made, {}, caller, X_Team_ID=team))
        accepted(it.update(made, {}, "jwt-red"))
        refused(it.update(made, {}, "jwt-both", X_Team_ID=TEAMS["blue"]))


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
    """A deployed service needs a slug, a display name and an image, whether or not its type is written."""
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
    """Values up to the documented bounds are taken on create and on update; lengths are code points."""
    it = it_reading_bodies
    pairs = [(name, value) for name, values in GOOD.items() for value in values]
    for number, (name, value) in enumerate(pairs):
        made = it.made(DEPLOYED, **{"service_slug": f"one-{number}", name: value})
        accepted(it.update(made, {name: value}))


def test_values_out_of_bounds(it_reading_bodies: Deployed) -> None:
    """Values of another type, range, length or pattern are refused on create and on update."""
    it = it_reading_bodies
    made = it.made(EXTERNAL)
    for name, values in BAD.items():
        base = EXTERNAL if name.startswith("external") else DEPLOYED
        for value in values:
            refused(it.create({**base, "service_slug": "bad", name: value}))
            refused(it.update(made, {name: value}))


def test_service_type_is_one_of_two(it: Deployed) -> None:
    """The type is deployed or external, in these letters."""
    for value in ("Deployed", "EXTERNAL", "", "other", 1, []):
        refused(it.create({**DEPLOYED, **EXTERNAL, "service_type": value}))


def test_long_urls(it: Deployed) -> None:
    """A URL may be 2048 characters long."""
    start = "https://two.example.com/?q=a%20b#"
    made = it.made(EXTERNAL, external_url=start + "x" * (2048 - len(start)))
    accepted(it.update(made, {"external_url": "https://user@two.example.com:8443/a"}))


def test_defaults(it: Deployed) -> None:
    """What create leaves out gets the documented default."""
    it.made(DEPLOYED)
    stored = it.stored("one")
    expected = {"service_type": "deployed", "exposed_port": 8080, "health_path": "/health"}
    expected |= {"gpu_count": 0, "replica_count": 1, "service_status": "created"}
    assert {name: stored[name] for name in expected} == expected


def test_update_is_partial(it: Deployed) -> None:
    """Update requires nothing, and what it leaves out stays as it was."""
    made = it.made(DEPLOYED, service_desc="first", required_labels=["a"])
    assert accepted(it.update(made, {})) == made
    assert accepted(it.update(made.lower(), {"service_desc": "second"})) == made
    stored = it.stored("one")
    assert stored["service_desc"] == "second"
    assert stored["required_labels"] == ["a"]
    assert stored["docker_image"] == DEPLOYED["docker_image"]


def test_refused_update_changes_nothing(it: Deployed) -> None:
    """A refused update leaves every property as it was."""
    made = it.made(DEPLOYED, service_desc="first")
    refused(it.update(made, {"service_desc": "second", "replica_count": 11}))
    refused(it.update(made, {"service_desc": "second", "external_url": "https://two.example.com"}))
    assert it.stored("one")["service_desc"] == "first"


def test_update_needs_an_own_service(it: Deployed) -> None:
    """The id is a UUID, of a service, of the caller's team."""
    made = it.made(DEPLOYED)
    for other in ("x", str(uuid.uuid4()), made.replace("-", ""), made + "%0A", "%00", "%FF"):
        refused(it.update(other, {}))
    refused(it.update(made, {}, "jwt-both", X_Team_ID=TEAMS["blue"]))


def test_external_properties_on_external_only(it: Deployed) -> None:
    """A URL or credential is valid on update only where the stored type is external."""
    made = it.made(DEPLOYED)
    refused(it.update(made, {"external_url": "https://two.example.com"}))
    refused(it.update(made, {"external_auth_credential_id": CREDENTIAL}))
    refused(it.update(made, {"service_type": "external", "external_url": "https://two.example.com"}))
    accepted(it.update(it.made(EXTERNAL), {"external_url": "https://three.example.com"}))


def test_null_credential_keeps(it: Deployed) -> None:
    """Null for the credential is accepted on update, on either type, and keeps what is stored."""
    accepted(it.update(it.made(DEPLOYED), {"external_auth_credential_id": None}))
    if it.choices.known_credentials is not None:
        refused(it.create({**EXTERNAL, "external_auth_credential_id": CREDENTIAL}))
        return
    made = it.made(EXTERNAL, external_auth_credential_id=CREDENTIAL)
    accepted(it.update(made, {"external_auth_credential_id": None, "display_name": "New"}))
    stored = it.stored("two")
    assert (stored["external_auth_credential_id"], stored["display_name"]) == (CREDENTIAL, "New")


def test_type_and_slug_never_change(it: Deployed) -> None:
    """A type or slug sent on update never takes effect."""
    made = it.made(DEPLOYED)
    it.update(made, {"service_type": "external"})
    it.update(made, {"service_slug": "other"})
    refused(it.update(made, {"external_url": "https://two.example.com"}))
    refused(it.create(DEPLOYED))
    it.made(DEPLOYED, service_slug="other")
    assert it.stored("one")["service_type"] == "deployed"


def test_no_update_while_busy(it: Deployed) -> None:
    """No update while deploying or stopping; any other status admits it."""
    made = it.made(DEPLOYED)
    for status in ("deploying", "running", "stopping", "stopped", "failed", "created"):
        it.set_status(made, status)
        answer = it.update(made, {"service_desc": status})
        (refused if status in {"deploying", "stopping"} else accepted)(answer)


def test_other_media_types_are_refused(it: Deployed) -> None:
    """The body is application/json and of no other type; the type's letter case does not matter."""
    made = accepted(it.create(DEPLOYED, Content_Type="Application/JSON"))
    for media in ("text/plain", "text/json", "application/jsonx", "application/merge-patch+json", "x"):
        refused(it.create({**DEPLOYED, "service_slug": "more"}, Content_Type=media))
        refused(it.update(made, {}, Content_Type=media))


GOOD_TEXT = json.dumps(DEPLOYED).encode()
NOT_OBJECTS = [
    b"null",
    b"[]",
    b"[{}]",
    b'"{}"',
    b"1",
    b"true",
    b" ",
    b"{",
    b"{}{}",
    b"{} x",
    b"\xef\xbb\xbf{}",
]
NOT_JSON = [b"{'a': 1}", b'{"gpu_count": NaN}', b'{"gpu_count": 1,}', b"{a: 1}", b'{"gpu_count": 01}']
NASTY = [
    b'{"service_desc": "\xff"}',
    b'{"a":' * 9000 + b"1" + b"}" * 9000,
    b"[" * 60000,
    b'{"service_desc": "a\nb"}',
]


def test_body_is_one_json_object(it: Deployed) -> None:
    """The body is exactly one JSON object: nothing else, and nothing after it."""
    made = it.made(DEPLOYED, service_slug="made")
    for text in (*NOT_OBJECTS, *NOT_JSON, *NASTY, GOOD_TEXT + b"x", GOOD_TEXT.decode().encode("utf-16")):
        refused(it.create(text))
        refused(it.update(made, text))


def test_never_a_server_error(it_reading_bodies: Deployed) -> None:
    """Nothing that is sent makes the deployment fail."""
    it = it_reading_bodies
    made = it.made(DEPLOYED)
    values = [
        b"NaN",
        b"-Infinity",
        b"1e999",
        b"-1e-999",
        b"9" * 4300,
        b"9" * 9000,
        b'"\\ud800"',
        b'"\\u0000"',
    ]
    values += [
        b"[" * 2000 + b"]" * 2000,
        b'{"a":' * 300 + b"1" + b"}" * 300,
        b'{"\\ud800": "\\udfff"}',
        b"null",
    ]
    for value in values:
        for name in (
            b"gpu_count",
            b"service_desc",
            b"env_config",
            b"required_labels",
            b"external_url",
            b"\\ud83d",
        ):
            it.update(made, b'{"' + name + b'": ' + value + b"}")
            it.create(GOOD_TEXT[:-1] + b', "' + name + b'": ' + value + b"}")
    for header in (b"\xff\xfe", b"Bearer \xff", b"Bearer " + b"x" * 9000, b"Bearer a b"):
        refused(it.create(DEPLOYED, Authorization=header))
    for media in (b"\xff", b";", b"application/json;;;", b"application/json; charset=\xff", b"/"):
        it.update(made, {}, Content_Type=media)
    for method, path in (
        ("DELETE", CONTAINERS),
        ("GET", "/%ff%00"),
        ("POST", CONTAINERS + "/"),
        ("PATCH", "/"),
    ):
        refused(it.send(method, path, b""), 404, 405)


def test_sk_callers_on_the_two_operations(it: Deployed) -> None:
    """Where sk- callers may manage services they may do both; elsewhere both are refused alike."""
    made, status = it.made(DEPLOYED), it.choices.sk_refused_status
    (refused if status else accepted)(it.update(made, {}, "sk-red"))
    (refused if status else accepted)(it.create({**DEPLOYED, "service_slug": "more"}, "sk-red"))


def test_usual_and_default_answer_differently() -> None:
    """The choices are at work: the two sets differ in the statuses of success and in the letters of an id."""
    for choices, statuses in ((DEFAULT, (200, 202)), (USUAL, (201, 200))):
        with deployed(choices) as it:
            answer = it.create(DEPLOYED)
            made = accepted(answer)
            assert (answer.status_code, it.update(made, {}).status_code) == statuses
            assert uuid.UUID(made).version == (4 if choices is DEFAULT else 7)
            assert (set(answer.json()) == {"id"}) is (choices is USUAL)


def test_errors_look_as_chosen() -> None:
    """An error is told in JSON of one form or another, as plain text, or not at all."""
    forms = {
        "default": b'{"ok":',
        "errors-problem": b'{"title":',
        "errors-text": b"Not Found",
        "errors-empty": b"",
    }
    for name, start in forms.items():
        with deployed(SETS[name]) as it:
            text = it.send("GET", "/none", b"").content
            assert text.startswith(start)
            assert bool(text) is bool(start)


def test_wsgi_serves_the_same() -> None:
    """As a WSGI application it answers likewise, whatever the path holds."""
    client = Client(create_wsgi_app(DEFAULT, CALLERS))
    headers = {"Authorization": f"Bearer {TOKENS['sk-red']}", "X-Team-ID": "\xff"}
    made = client.post(CONTAINERS, json=DEPLOYED, headers=headers)
    assert made.status_code == 200
    assert client.put(f"{CONTAINERS}/{made.json['id']}", headers=headers).status_code == 202
    assert client.put(f"{CONTAINERS}/%ff%00?q=%ff", json={}, headers=headers).status_code == 404


def test_one_of_many_simultaneous_creates_wins() -> None:
    """Checking a slug and storing the service are one step."""
    start, app = threading.Barrier(8), create_wsgi_app(DEFAULT, CALLERS)
    headers = {"Authorization": f"Bearer {TOKENS['dk-red']}"}

    def one(_: int) -> int:
        start.wait()
        return Client(app).post(CONTAINERS, json=DEPLOYED, headers=headers).status_code

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(one, range(8))) == [200] + [400] * 7


def test_apps_share_nothing() -> None:
    """Each application has a store of its own."""
    assert create_app(DEFAULT, CALLERS).state.deployment is not create_app(DEFAULT, CALLERS).state.deployment
