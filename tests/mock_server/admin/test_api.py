"""The JSON API of the control plane: health, services and the journal."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from werkzeug.test import Client

from mock_server import create_app
from tests.support.api import BLUE, BODY, CREATE, TOKENS, auth


@pytest.fixture
def client() -> Client:
    """Return a mock with a fixed clock and numbered ids."""
    ids = iter(f"0192f0c1-0000-7000-8000-{number:012}" for number in range(100))
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    return Client(create_app(clock=lambda: moment, new_id=lambda: next(ids)))


def test_health_has_versions_and_counts(client: Client) -> None:
    """Health has the version of the contract and the numbers of services and requests."""
    client.post(CREATE, json=BODY, headers=auth())
    health = client.get("/_mock/health").json
    assert (health["status"], health["services"], health["requests"]) == ("ok", 1, 1)
    assert health["contract"]["version"] == "1.0.0"


def test_a_seeded_service_is_stored_like_a_created_one(client: Client) -> None:
    """A seed is stored with the defaults of a create, and may set the team and the status."""
    response = client.post("/_mock/services", json={**BODY, "team": "blue", "status": "running"})
    read_back = client.get("/api/v1/r/containers/seeded", headers=auth("sk-blue"))
    assert (response.status_code, response.json["team"]) == (201, BLUE)
    assert read_back.json == {
        "id": "0192f0c1-0000-7000-8000-000000000000",
        "service_slug": "seeded",
        "display_name": "d",
        "created_at": "2026-01-02T03:04:05.000Z",
        "updated_at": "2026-01-02T03:04:05.000Z",
        "service_type": "deployed",
        "docker_image": "n",
        "exposed_port": 8080,
        "health_path": "/health",
        "gpu_count": 0,
        "replica_count": 1,
        "service_status": "running",
    }


SEEDS: dict[str, tuple[Any, int]] = {
    "invalid": ({**BODY, "exposed_port": 0}, 400),
    "status": ({**BODY, "status": "idle"}, 400),
    "no-object": ([], 400),
    "half-a-character": ({**BODY, "half \ud800 name": 1}, 400),
}


@pytest.mark.parametrize(("seed", "status"), SEEDS.values(), ids=SEEDS)
def test_an_invalid_seed_is_refused(client: Client, seed: Any, status: int) -> None:
    """A seed obeys the schema of a create, and its status is a known one."""
    assert client.post("/_mock/services", json=seed).status_code == status


def test_an_unknown_team_of_a_seed_is_refused(client: Client) -> None:
    """A seed for a team that nobody has would be lost: the refusal says which teams there are."""
    response = client.post("/_mock/services", json={**BODY, "team": "rde"})
    assert response.status_code == 400
    assert response.json["detail"] == "team: got 'rde', expected one of red, blue"


def test_a_seed_with_a_taken_slug_or_id_is_refused(client: Client) -> None:
    """The second seed of a slug, or of an id, is a conflict."""
    service = client.post("/_mock/services", json=BODY).json
    same_slug = client.post("/_mock/services", json=BODY)
    same_id = client.post("/_mock/services", json={**BODY, "service_slug": "other", "id": service["id"]})
    assert (same_slug.status_code, same_id.status_code) == (409, 409)


def test_services_can_be_deleted(client: Client) -> None:
    """After the deletion the list is empty and the slug is free."""
    client.post("/_mock/services", json=BODY)
    assert client.get("/_mock/services").json["count"] == 1
    assert client.delete("/_mock/services").json == {"removed": 1}
    assert client.get("/_mock/services").json == {"count": 0, "services": []}
    assert client.post(CREATE, json=BODY, headers=auth()).status_code == 201


def test_services_are_listed_by_team(client: Client) -> None:
    """`team` is a label or an id."""
    client.post("/_mock/services", json=BODY)
    client.post("/_mock/services", json={**BODY, "team": "blue"})
    counts = [
        client.get(f"/_mock/services?team={team}").json["count"] for team in ("red", BLUE, BLUE[:-1] + "0")
    ]
    assert counts == [1, 1, 0]


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("team=green", "team: got 'green', expected one of red, blue"),
        ("slug=x", "slug: unknown filter; available: team"),
    ],
)
def test_a_list_with_an_unknown_filter_is_refused(client: Client, query: str, detail: str) -> None:
    """A typo in a filter never lists all services, or none."""
    response = client.get(f"/_mock/services?{query}")
    assert (response.status_code, response.json["detail"]) == (400, detail)


@pytest.mark.parametrize("method", ["PUT", "POST"])
@pytest.mark.parametrize("form", ["body", "path"])
def test_a_status_is_set_in_either_form(client: Client, method: str, form: str) -> None:
    """The body or the path sets a status; a busy service refuses an update, and a running one accepts it."""
    service_id = client.post(CREATE, json=BODY, headers=auth()).json["id"]
    statuses = []
    for status in ("stopping", "running"):
        path = f"/_mock/services/{service_id}/status" + (f"/{status}" if form == "path" else "")
        response = client.open(path, method=method, json={"status": status} if form == "body" else None)
        assert response.json["service_status"] == status
        statuses.append(client.put(f"{CREATE}/{service_id}", json={}, headers=auth()).status_code)
    assert statuses == [409, 200]


def test_an_unknown_status_or_service_is_refused(client: Client) -> None:
    """An unknown status is a 400, and an unknown service is a 404."""
    service_id = client.post("/_mock/services", json=BODY).json["id"]
    responses = [
        client.put(f"/_mock/services/{service_id}/status/idle"),
        client.put(f"/_mock/services/{service_id}/status", data=b"["),
        client.put("/_mock/services/unknown/status/running"),
    ]
    assert [response.status_code for response in responses] == [400, 400, 404]


FILTERS = {
    "rule=exposed-port-range": 1,
    "status=201": 1,
    "operation=createContainer": 2,
    "status=201&rule=slug-unique": 0,
    "": 3,
}


@pytest.mark.parametrize(("query", "count"), FILTERS.items(), ids=FILTERS)
def test_the_journal_is_filtered_and_counted(client: Client, query: str, count: int) -> None:
    """Rule, status and operation filter the requests; those of the control plane are not recorded."""
    client.post(CREATE, json=BODY, headers=auth())
    client.post(CREATE, json={**BODY, "exposed_port": 0}, headers=auth())
    client.get("/nothing")
    journal = client.get(f"/_mock/journal?{query}").json
    assert (journal["count"], len(journal["requests"])) == (count, count)


@pytest.mark.parametrize("query", ["operation=create", "status=four", "status=%C2%B2", "caller=red"])
def test_an_invalid_filter_value_is_refused(client: Client, query: str) -> None:
    """An unknown operation, status or caller is a 400 with the expected values: a typo never counts as zero."""
    response = client.get(f"/_mock/journal?{query}")
    assert (response.status_code, "expected" in response.json["detail"]) == (400, True)


@pytest.mark.parametrize("caller", ["none", "unknown", "sk-blue"])
def test_a_caller_without_requests_is_a_filter(client: Client, caller: str) -> None:
    """A known caller, and the names for requests without one, select no request of another."""
    client.post(CREATE, json=BODY, headers=auth())
    assert client.get(f"/_mock/journal?caller={caller}").json["count"] == 0


def test_with_any_token_each_name_is_a_filter() -> None:
    """The callers are not known in advance then."""
    assert Client(create_app(any_token=True)).get("/_mock/journal?caller=any-sk").json["count"] == 0


def test_an_entry_has_the_request_and_its_response(client: Client) -> None:
    """An entry has method, path, headers, body, caller, status, broken rules and response."""
    client.post(f"{CREATE}?a=b%20c", json={"service_slug": "x"}, headers=auth())
    entry = client.get("/_mock/journal").json["requests"][0]
    assert entry["headers"]["Authorization"] == "Bearer … (sk-red)"
    assert {
        key: entry[key] for key in ("number", "method", "path", "query", "operation", "caller", "status")
    } == {
        "number": 1,
        "method": "POST",
        "path": CREATE,
        "query": "a=b c",
        "operation": "createContainer",
        "caller": "sk-red",
        "status": 400,
    }
    assert set(entry["rules"]) == {"service-slug-pattern", "display-name-required", "docker-image-required"}
    assert entry["body"] == '{"service_slug": "x"}'
    problem = json.loads(entry["response_body"])
    assert (entry["response_headers"], entry["violations"]) == (
        {"Content-Type": "application/problem+json"},
        problem["violations"],
    )


def test_the_journal_is_cleared(client: Client) -> None:
    """After a deletion no request is listed, and the services stay."""
    client.post(CREATE, json=BODY, headers=auth())
    assert client.delete("/_mock/journal").json == {"removed": 1}
    assert client.get("/_mock/journal").json == {"count": 0, "requests": []}
    assert client.get("/_mock/services").json["count"] == 1


def test_no_token_is_shown() -> None:
    """Neither the journal nor the log nor a response repeats a token of the request."""
    lines: list[str] = []
    client = Client(create_app(log=lines.append))
    known_token, unknown_token = TOKENS["dk-red"], "sk-made-up-0123456789"
    for token in (known_token, unknown_token):
        headers = {"Authorization": f"Bearer {token}", "X-Copy": token, "X-Team-ID": token}
        responses = [
            client.put(f"{CREATE}/{token}?token={token}", json={"display_name": [token]}, headers=headers),
            client.post(CREATE, json={**BODY, token: token, "health_path": {"a": token}}, headers=headers),
            client.get(f"/{token}", headers=headers),
            client.post(CREATE, data=f"{'a' * 65536}{token}", headers=headers),
        ]
        texts = (
            client.get("/_mock/journal").text
            + "".join(lines)
            + "".join(response.text for response in responses)
        )
        assert token not in texts


@pytest.mark.parametrize("name", ["Cookie", "Proxy-Authorization"])
def test_no_secret_header_is_shown(name: str) -> None:
    """The journal has the name of a secret header, and no part of its value."""
    client = Client(create_app(), use_cookies=False)
    client.post(CREATE, json=BODY, headers={name: "Basic c2VjcmV0"})
    [entry] = client.get("/_mock/journal").json["requests"]
    assert entry["headers"][name] == "…"
    assert "c2VjcmV0" not in client.get(f"/_mock/requests/{entry['number']}").text


@pytest.mark.parametrize("service_id", ["a/b", "/", "", ".", ".."])
def test_an_id_that_no_path_can_have_is_refused(service_id: str) -> None:
    """A seeded service can be reached by its id."""
    response = create_app().test_client().post("/_mock/services", json={**BODY, "id": service_id})
    assert response.status_code == 400
    assert response.json["detail"].startswith("id: got")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("caller=dk-red", [2]),
        ("caller=none", [3]),
        ("caller=unknown", [4]),
        ("method=put", [2]),
        ("path=/containers/an-id", [2]),
        ("path=/containers", [1, 2, 3, 4]),
        ("path=/containers&caller=sk-red&status=201", [1]),
        ("caller=sk-blue", []),
    ],
)
def test_requests_are_selected_by_caller_method_and_path(query: str, expected: list[int]) -> None:
    """A path matches in part; a request without a token has the caller none, one with another token unknown."""
    client = create_app().test_client()
    client.post(CREATE, json=BODY, headers=auth())
    client.put(f"{CREATE}/an-id", json={}, headers=auth("dk-red"))
    client.post(CREATE, json=BODY)
    client.post(CREATE, json=BODY, headers={"Authorization": "Bearer sk-never-issued"})
    found = client.get(f"/_mock/journal?{query}").json["requests"]
    assert [entry["number"] for entry in found] == expected


@pytest.mark.parametrize("query", ["rule=service-slug-requierd", "foo=1"])
def test_an_unknown_filter_is_refused(query: str) -> None:
    """An unknown rule or filter is a 400 that names it."""
    response = create_app().test_client().get(f"/_mock/journal?{query}")
    assert response.status_code == 400
    assert response.content_type == "application/problem+json"
    assert query.partition("=")[0] in response.json["detail"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Origin": "http://localhost"}, 200),
        ({}, 200),
    ],
)
def test_a_page_of_another_site_changes_nothing(headers: dict[str, str], status: int) -> None:
    """A browser's request from another site is refused; programs and the mock's own page are not."""
    client = Client(create_app())
    client.post(CREATE, json=BODY, headers=auth())
    refused = status == 403
    assert client.delete("/_mock/services", headers=headers).status_code == status
    assert client.get("/_mock/health", headers=headers).json["services"] == (1 if refused else 0)


SEEDS: dict[str, tuple[dict[str, Any], str]] = {
    "misspelt": ({"displayname": "d"}, "displayname: unknown property, did you mean display_name?"),
    "of-the-read-back": (
        {"service_status": "running"},
        "service_status: unknown property, did you mean status?",
    ),
    "nested": (
        {"env_config": [{"env_name": "A", "env_value": "b", "valeu": 1}]},
        "env_config/0/valeu: unknown property, did you mean env_value?",
    ),
}


@pytest.mark.parametrize(("properties", "detail"), SEEDS.values(), ids=SEEDS)
def test_an_unknown_property_of_a_seed_is_refused(properties: dict[str, Any], detail: str) -> None:
    """The response is a 400 with the name that was meant, and nothing is stored."""
    client = Client(create_app())
    response = client.post("/_mock/services", json={**BODY, **properties})
    assert (response.status_code, response.json["detail"]) == (400, detail)
    assert client.get("/_mock/services").json["count"] == 0


def test_an_unknown_property_without_a_similar_one_has_a_list() -> None:
    """The refusal lists the properties of a create and those of a seed."""
    detail = Client(create_app()).post("/_mock/services", json={**BODY, "zzz": 1}).json["detail"]
    assert detail.startswith("zzz: unknown property, available: display_name, docker_image")
    assert detail.endswith("team, status, id")


def test_a_misspelt_rule_of_a_filter_has_a_suggestion() -> None:
    """The refusal of `?rule=slug-uniqe` ends with the rule that was meant."""
    response = Client(create_app()).get("/_mock/journal?rule=slug-uniqe")
    assert response.json["detail"].endswith("; did you mean slug-unique?")


#: Ends the refusal of an unknown path.
PAGE_HINT = "; the page of the mock is /_mock/"


@pytest.mark.parametrize("path", ["/", "/_mock/nope"])
def test_an_unknown_path_names_the_page(path: str) -> None:
    """The 404 of any path ends with the address of the page; without the control plane there is none."""
    assert Client(create_app()).get(path).json["detail"].endswith(PAGE_HINT)
    assert "the page" not in Client(create_app(control=False)).get(path).json["detail"]


def test_an_unknown_path_of_the_control_plane_lists_its_paths() -> None:
    """The 404 names each method and path, which all exist; without the control plane it says so."""
    client = Client(create_app())
    response = client.get("/_mock/nope")
    paths = response.json["detail"].removeprefix("/_mock/nope: unknown path; available: ")
    listed = paths.removesuffix(PAGE_HINT).split(", ")
    assert (response.status_code, {"GET /_mock/services", "POST /_mock/script"} <= {*listed}) == (404, True)
    for method, path in (entry.split(" ") for entry in listed):
        answer = client.open(path.replace("{status}", "idle"), method=method)
        assert "unknown path" not in str(answer.json.get("detail"))
        assert answer.status_code != 405
    without = Client(create_app(control=False)).get("/_mock/nope")
    assert (without.status_code, "the control plane is off" in without.json["detail"]) == (404, True)


@pytest.mark.parametrize(
    ("path", "caller"), [("/api/v1/nope", "sk-red"), (CREATE, "ak-red")], ids=["unknown-path", "refused"]
)
def test_a_known_caller_is_named_on_every_path(path: str, caller: str) -> None:
    """The journal names the caller of an unknown path, and one that is refused."""
    client = Client(create_app())
    assert client.post(path, json=BODY, headers=auth(caller)).status_code in {401, 404}
    [entry] = client.get("/_mock/journal").json["requests"]
    assert (entry["caller"], entry["headers"]["Authorization"]) == (caller, f"Bearer … ({caller})")


@pytest.mark.parametrize("path", ["script", "clock", "services/x/status", "services/x/deploy"])
@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"status": 503', "Expecting ',' delimiter at line 1, column 15"),
        (b"status=503", "Expecting value at line 1, column 1"),
        (b'"\xff"', "not UTF-8"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"status": %s}' % (b"9" * 5000), "a number of thousands of digits"),
    ],
    ids=["cut", "form", "latin-1", "deep", "digits"],
)
def test_a_body_that_is_not_json_is_called_so(client: Client, path: str, body: bytes, reason: str) -> None:
    """The message names the place, not what the object should have had."""
    response = client.post(f"/_mock/{path}", data=body)
    assert (response.status_code, response.json["detail"]) == (400, f"the body: not JSON: {reason}")
