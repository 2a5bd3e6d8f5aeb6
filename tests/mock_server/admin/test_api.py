"""The control plane: what a client cannot cause, and what it asked for."""

import io
import json
import threading
from datetime import UTC, datetime
from typing import Any

import pytest
from werkzeug.test import Client

from mock_server import create_app
from mock_server.services.memory import MemoryStore
from mock_server.web.journal import Journal
from mock_server.web.middleware import read_request
from mock_server.web.redaction import Redactor
from tests.support.fixture_player import CALLERS

RED, BLUE = CALLERS["teams"]["red"], CALLERS["teams"]["blue"]
TOKENS = {caller["name"]: caller["token"] for caller in CALLERS["callers"]}
BODY = {"service_slug": "seeded", "display_name": "d", "docker_image": "n"}
CREATE = "/api/v1/containers"


def auth(name: str = "sk-red") -> dict[str, str]:
    """The headers of a caller."""
    return {"Authorization": f"Bearer {TOKENS[name]}"}


@pytest.fixture
def client() -> Client:
    """A mock with a clock that stands still and ids that count."""
    ids = iter(f"0192f0c1-0000-7000-8000-{number:012}" for number in range(100))
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    return Client(create_app(clock=lambda: moment, new_id=lambda: next(ids)))


def test_health_counts_what_there_is(client: Client) -> None:
    """Health tells the versions and how many services and requests there are."""
    client.post(CREATE, json=BODY, headers=auth())
    health = client.get("/_mock/health").json
    assert (health["status"], health["services"], health["requests"]) == ("ok", 1, 1)
    assert health["contract"]["version"] == "1.0.0"


def test_a_seeded_service_is_there_as_if_it_had_been_created(client: Client) -> None:
    """The body of a create is stored with its defaults, for a team and in a status of choice."""
    seeded = client.post("/_mock/services", json={**BODY, "team": "blue", "status": "running"})
    read = client.get("/api/v1/r/containers/seeded", headers=auth("sk-blue"))
    assert (seeded.status_code, seeded.json["team"]) == (201, BLUE)
    assert read.json == {
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
def test_a_seed_that_no_create_could_make_is_refused(client: Client, seed: Any, status: int) -> None:
    """A seed obeys the contract's schema and the known statuses."""
    assert client.post("/_mock/services", json=seed).status_code == status


def test_a_seed_does_not_take_a_slug_or_an_id_that_is_taken(client: Client) -> None:
    """The second seed of a slug, or of an id, is a conflict."""
    first = client.post("/_mock/services", json=BODY).json
    again = client.post("/_mock/services", json=BODY)
    same = client.post("/_mock/services", json={**BODY, "service_slug": "other", "id": first["id"]})
    assert (again.status_code, same.status_code) == (409, 409)


def test_reset_forgets_every_service(client: Client) -> None:
    """After a reset the list is empty and the slug is free."""
    client.post("/_mock/services", json=BODY)
    assert client.get("/_mock/services").json["count"] == 1
    assert client.delete("/_mock/services").json == {"removed": 1}
    assert client.get("/_mock/services").json == {"count": 0, "services": []}
    assert client.post(CREATE, json=BODY, headers=auth()).status_code == 201


def test_services_are_listed_by_team(client: Client) -> None:
    """`team` is a label or an id."""
    client.post("/_mock/services", json=BODY)
    client.post("/_mock/services", json={**BODY, "team": "blue"})
    counts = [client.get(f"/_mock/services?team={team}").json["count"] for team in ("red", BLUE, "green")]
    assert counts == [1, 1, 0]


@pytest.mark.parametrize("method", ["PUT", "POST"])
@pytest.mark.parametrize("form", ["body", "path"])
def test_a_status_is_set_in_either_form(client: Client, method: str, form: str) -> None:
    """A busy service refuses an update with 409, and a running one takes it."""
    made = client.post(CREATE, json=BODY, headers=auth()).json["id"]
    answers = []
    for status in ("stopping", "running"):
        path = f"/_mock/services/{made}/status" + (f"/{status}" if form == "path" else "")
        told = client.open(path, method=method, json={"status": status} if form == "body" else None)
        assert told.json["service_status"] == status
        answers.append(client.put(f"{CREATE}/{made}", json={}, headers=auth()).status_code)
    assert answers == [409, 200]


def test_an_unknown_status_or_service_is_refused(client: Client) -> None:
    """The statuses are those of the provider, the service must be there."""
    made = client.post("/_mock/services", json=BODY).json["id"]
    answers = [
        client.put(f"/_mock/services/{made}/status/idle"),
        client.put(f"/_mock/services/{made}/status", data=b"["),
        client.put("/_mock/services/nobody/status/running"),
    ]
    assert [answer.status_code for answer in answers] == [400, 400, 404]


FILTERS = {
    "rule=exposed-port-range": 1,
    "status=201": 1,
    "operation=createContainer": 2,
    "status=201&rule=slug-unique": 0,
    "": 3,
}


@pytest.mark.parametrize(("query", "count"), FILTERS.items(), ids=FILTERS)
def test_the_journal_is_filtered_and_counted(client: Client, query: str, count: int) -> None:
    """Rule, status and operation pick requests; the control plane's own are not among them."""
    client.post(CREATE, json=BODY, headers=auth())
    client.post(CREATE, json={**BODY, "exposed_port": 0}, headers=auth())
    client.get("/nothing")
    told = client.get(f"/_mock/journal?{query}").json
    assert (told["count"], len(told["requests"])) == (count, count)


@pytest.mark.parametrize("query", ["operation=create", "status=four", "status=%C2%B2"])
def test_a_filter_that_picks_nothing_ever_is_refused(client: Client, query: str) -> None:
    """An operation or a status that there is not is a 400 that says what there is."""
    answer = client.get(f"/_mock/journal?{query}")
    assert (answer.status_code, "expected" in answer.json["detail"]) == (400, True)


def test_an_entry_of_the_journal_shows_the_request_and_its_answer(client: Client) -> None:
    """Method, path, headers, body, caller, status and the rules that were broken."""
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
    answer = json.loads(entry["response_body"])
    assert (entry["response_headers"], entry["violations"]) == (
        {"Content-Type": "application/problem+json"},
        answer["violations"],
    )


def test_the_journal_is_cleared(client: Client) -> None:
    """After a clear nothing is remembered, and services stay."""
    client.post(CREATE, json=BODY, headers=auth())
    assert client.delete("/_mock/journal").json == {"removed": 1}
    assert client.get("/_mock/journal").json == {"count": 0, "requests": []}
    assert client.get("/_mock/services").json["count"] == 1


def test_no_token_is_ever_shown() -> None:
    """Neither the journal nor the log nor an answer repeats a token, wherever it was sent."""
    lines: list[str] = []
    client = Client(create_app(log=lines.append))
    known, unknown = TOKENS["dk-red"], "sk-made-up-0123456789"
    for token in (known, unknown):
        headers = {"Authorization": f"Bearer {token}", "X-Copy": token, "X-Team-ID": token}
        answers = [
            client.put(f"{CREATE}/{token}?token={token}", json={"display_name": [token]}, headers=headers),
            client.post(CREATE, json={**BODY, token: token, "health_path": {"a": token}}, headers=headers),
            client.get(f"/{token}", headers=headers),
            client.post(CREATE, data=f"{'a' * 65536}{token}", headers=headers),
        ]
        shown = (
            client.get("/_mock/journal").text + "".join(lines) + "".join(answer.text for answer in answers)
        )
        assert token not in shown


def test_the_journal_is_bounded() -> None:
    """A body is kept up to 64 KiB, and only so many requests are."""
    client = Client(create_app())
    client.post(CREATE, data=b"a" * 200_000, headers=auth())
    assert len(client.get("/_mock/journal").json["requests"][0]["body"]) == 65536
    for _ in range(10_001):
        client.get("/x")
    told = client.get("/_mock/journal").json
    assert (told["count"], told["requests"][0]["number"]) == (10_000, 3)


def test_the_bodies_of_the_journal_take_bounded_room() -> None:
    """Of the requests whose bodies together are too many bytes, the oldest make room."""
    journal = Journal(Redactor(()), max_bytes=1000)
    parts = dict.fromkeys(("method", "path", "query", "operation", "caller"), "")
    rest: dict[str, Any] = {"headers": {}, "response_headers": {}, "violations": (), "milliseconds": 1.0}
    now = datetime.now(UTC)
    for size in (300, 300, 300, 600):
        journal.add(
            moment=now, **parts, **rest, status=200, body=b"a" * (size - 100), response_body=b"b" * 100
        )
    assert [entry.number for entry in journal.select()] == [3, 4]


def test_the_control_plane_can_be_left_out() -> None:
    """Without it there is nothing under /_mock/."""
    client = Client(create_app(control=False))
    assert {client.get(f"/_mock/{path}").status_code for path in ("health", "services", "journal")} == {404}


def test_cors_lets_any_page_call() -> None:
    """A preflight is answered with the methods and headers, and each answer names its origin rule."""
    client = Client(create_app(cors=True))
    asked = {"Origin": "https://page.example", "Access-Control-Request-Method": "POST"}
    preflight = client.options(CREATE, headers=asked)
    answered = client.post(CREATE, json=BODY, headers=auth())
    assert (preflight.status_code, "X-Team-ID" in preflight.headers["Access-Control-Allow-Headers"]) == (
        204,
        True,
    )
    assert [each.headers["Access-Control-Allow-Origin"] for each in (preflight, answered)] == ["*", "*"]


def test_an_integer_written_as_a_fraction_is_stored_as_an_integer(client: Client) -> None:
    """8080.0 and 1e0 are read back as 8080 and 1."""
    body = {**BODY, "exposed_port": 8080.0, "replica_count": 1.0}
    made = client.post(CREATE, json=body, headers=auth()).json["id"]
    client.put(f"{CREATE}/{made}", json={"gpu_count": 2.0}, headers=auth())
    read = client.get("/api/v1/r/containers/seeded", headers=auth()).text
    assert '"exposed_port":8080,' in read
    assert '"gpu_count":2,' in read
    assert '"replica_count":1,' in read


UNUSED = {
    "deployed": ({"docker_image": "n", "external_url": "https://a.example"}, {"docker_image"}),
    "external": ({"docker_image": "n", "external_url": "https://a.example"}, {"external_url"}),
}


@pytest.mark.parametrize("kind", UNUSED)
def test_what_the_type_does_not_use_is_not_read_back(client: Client, kind: str) -> None:
    """A deployed service shows no URL, an external one no image."""
    sent, shown = UNUSED[kind]
    client.post(CREATE, json={**BODY, **sent, "service_type": kind}, headers=auth())
    read = client.get("/api/v1/r/containers/seeded", headers=auth()).json
    assert set(read) & set(sent) == shown


def test_an_update_changes_its_moment_and_nothing_that_it_does_not_name() -> None:
    """updated_at moves, created_at stays."""
    moments = iter(datetime(2026, 1, day, tzinfo=UTC) for day in range(1, 9))
    client = Client(create_app(clock=lambda: next(moments)))
    made = client.post(CREATE, json=BODY, headers=auth()).json["id"]
    before = client.get("/api/v1/r/containers/seeded", headers=auth()).json
    client.put(f"{CREATE}/{made}", json={"display_name": "e"}, headers=auth())
    after = client.get("/api/v1/r/containers/seeded", headers=auth()).json
    assert {name for name in after if after[name] != before[name]} == {"display_name", "updated_at"}


def test_a_step_of_the_store_is_interrupted_by_no_other() -> None:
    """While one transaction is open, another waits; so checking and writing are one step."""
    store, inside, order = MemoryStore(), threading.Event(), []

    def second() -> None:
        inside.wait()
        with store.transaction():
            order.append("second")

    thread = threading.Thread(target=second)
    thread.start()
    with store.transaction():
        inside.set()
        thread.join(0.1)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_no_more_of_a_body_is_kept_than_is_allowed() -> None:
    """What is over the limit is read and dropped, whether its length is declared or not."""
    body = b"a" * 100_000
    declared = {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
    chunked = {"wsgi.input": io.BytesIO(body), "wsgi.input_terminated": True}
    got = [read_request(environ, 10) for environ in (declared, chunked)]
    assert [(one.body, one.body_size) for one in got] == [(body[:10], 100_000)] * 2


def test_apps_share_nothing() -> None:
    """Two apps side by side have services and journals of their own."""
    one, other = Client(create_app()), Client(create_app())
    answers = [client.post(CREATE, json=BODY, headers=auth()).status_code for client in (one, other, one)]
    assert answers == [201, 201, 409]
    assert other.get("/_mock/journal").json["count"] == 1


ANY = {
    "sk": ("sk-anything-at-all", {}, 201),
    "dk": ("dk-anything", {}, 201),
    "jwt": ("any.to.ken", {"X-Team-ID": RED}, 201),
    "jwt-any-team": ("any.to.ken", {"X-Team-ID": "0192f0c0-3333-7aaa-8bbb-0123456789ab"}, 201),
    "jwt-without-team": ("any.to.ken", {}, 400),
    "ak": ("ak-anything", {}, 401),
    "malformed": ("not{a}token", {}, 401),
}


@pytest.mark.parametrize(("token", "headers", "status"), ANY.values(), ids=ANY)
def test_any_token_lets_in_every_well_formed_token(token: str, headers: dict[str, str], status: int) -> None:
    """A credential gets a team of its own, a JWT belongs to every team, an agent key is refused."""
    client = Client(create_app(any_token=True))
    sent = client.post(CREATE, json=BODY, headers={"Authorization": f"Bearer {token}", **headers})
    assert sent.status_code == status


def test_callers_come_from_a_file_of_ones_own(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token stands in the file, in a variable or in a file of its own."""
    monkeypatch.setenv("MY_TOKEN", "sk-from-a-variable")
    (tmp_path / "token").write_text("sk-from-a-file\n", encoding="utf-8")
    callers = [
        {"name": "a", "kind": "sk", "teams": ["t"], "token": "sk-as-it-is"},
        {"name": "b", "kind": "sk", "teams": ["t"], "token_env": "MY_TOKEN"},
        {"name": "c", "kind": "sk", "teams": ["t"], "token_file": str(tmp_path / "token")},
    ]
    client = Client(create_app(callers={"teams": {"t": RED}, "callers": callers}))
    tokens = ["sk-as-it-is", "sk-from-a-variable", "sk-from-a-file", TOKENS["sk-red"]]
    sent = [client.put(f"{CREATE}/x", headers={"Authorization": f"Bearer {token}"}) for token in tokens]
    assert [answer.status_code for answer in sent] == [400, 400, 400, 401]


@pytest.mark.parametrize("query", ["rule=service-slug-requierd", "foo=1"])
def test_a_filter_that_is_mistyped_is_not_believed(query: str) -> None:
    """A rule that the contract does not have, or a filter that does not exist, is a 400 that says so."""
    answer = create_app().test_client().get(f"/_mock/journal?{query}")
    assert answer.status_code == 400
    assert answer.content_type == "application/problem+json"
    assert query.partition("=")[0] in answer.json["detail"]
