"""Stores in use: the fixtures on each, what no database takes, and a database that fails."""

import contextlib
import random
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from werkzeug.test import Client

from mock_server import create_app
from mock_server.services.model import Service
from tests.support import databases
from tests.support.clients import over_wsgi
from tests.support.databases import Opening, each, query, shared
from tests.support.fixture_player import Play, cases

opening, where = databases.opening, databases.where
CREATE = "/api/v1/containers"
BODY = {"service_slug": "abc", "display_name": "d", "docker_image": "n"}
AUTH = {"Authorization": "Bearer sk-red-5f0c7c1e9a"}
NOW = datetime(2026, 1, 2, tzinfo=UTC)


def service(service_id: str, slug: object = "abc", team: str = "red") -> Service:
    """A service with hardly anything in it."""
    return Service(service_id, team, slug, "created", NOW, NOW, {"service_slug": slug})


@shared
def test_every_fixture_goes_as_it_says(where: str, opening: Opening) -> None:
    """The mock answers each case on a database as it does in memory."""
    with over_wsgi(create_app(store=opening(where))) as send:
        wrong = {case.id: Play(send).judge(case) for case in cases()}
    assert {name: said for name, said in wrong.items() if said} == {}


OFF = (
    "body-text",
    "slug-unique",
    "slug-immutable",
    "service-slug-pattern",
    "service-slug-type",
    "body-depth",
)


@each
@pytest.mark.parametrize("rule", OFF)
def test_a_store_takes_whatever_a_rule_no_longer_refuses(where: str, rule: str, opening: Opening) -> None:
    """NUL, lone surrogates, no text, very long text, a slug twice: no case ends in a 500 of the store."""
    with over_wsgi(create_app(store=opening(where), disabled_rules={rule})) as send:
        statuses = {_status(Play(send), case) for case in cases() if case.rule in {rule, "slug-unique"}}
    assert {status for status in statuses if status >= 500} == set()


def _status(play: Play, case: object) -> int:
    try:
        return play.run(case).status  # type: ignore[arg-type]
    except AssertionError:
        return 0


@each
def test_text_that_no_database_takes_is_kept(where: str, opening: Opening) -> None:
    """With body-text disabled a name with NUL is stored and read back."""
    client = Client(create_app(store=opening(where), disabled_rules={"body-text"}))
    body = b'{"service_slug": "nul", "display_name": "a\\u0000", "docker_image": "n"}'
    made = client.post(CREATE, data=body, headers={**AUTH, "Content-Type": "application/json"})
    read = client.get("/api/v1/r/containers/nul", headers=AUTH)
    assert (made.status_code, read.json and read.json["display_name"]) == (201, "a\x00")


@each
def test_a_slug_of_any_length_is_taken_once(where: str, opening: Opening) -> None:
    """A hundred thousand random digits are no entry of an index, and are told from others all the same."""
    client = Client(create_app(store=opening(where), disabled_rules={"service-slug-pattern"}))
    digits = "".join(random.Random(7).choices("0123456789abcdef", k=100_000))
    bodies = [{**BODY, "service_slug": slug} for slug in (digits, f"{digits}0", digits)]
    statuses = [client.post(CREATE, json=body, headers=AUTH).status_code for body in bodies]
    assert statuses == [201, 201, 409]


@each
@pytest.mark.parametrize("path", ["/_mock/services/%00/status/running", "/_mock/services/%ff/status/running"])
def test_an_id_that_no_database_takes_is_not_found(where: str, path: str, opening: Opening) -> None:
    """The control plane answers 404 to it."""
    assert Client(create_app(store=opening(where))).put(path).status_code == 404


@each
def test_a_seed_of_an_id_that_is_there_is_refused(where: str, opening: Opening) -> None:
    """409, and what is there stays."""
    client = Client(create_app(store=opening(where)))
    seeds = [{**BODY, "id": "one"}, {**BODY, "id": "one", "service_slug": "other"}]
    assert [client.post("/_mock/services", json=seed).status_code for seed in seeds] == [201, 409]
    assert [told["service_slug"] for told in client.get("/_mock/services").json["services"]] == ["abc"]


@each
def test_a_slug_is_had_twice_while_the_rule_is_off(where: str, opening: Opening) -> None:
    """The newest is read; and once the rule is on again, the slug is taken."""
    store = opening(where)
    client = Client(create_app(store=store, disabled_rules={"slug-unique"}))
    ids = [client.post(CREATE, json=BODY, headers=AUTH).json["id"] for _ in range(3)]
    assert client.get("/api/v1/r/containers/abc", headers=AUTH).json["id"] == ids[-1]
    assert Client(create_app(store=store)).post(CREATE, json=BODY, headers=AUTH).status_code == 409


@each
def test_a_slug_follows_a_service_that_is_renamed(where: str, opening: Opening) -> None:
    """While slug-immutable is off the new slug is taken, and the old one is free."""
    client = Client(create_app(store=opening(where), disabled_rules={"slug-immutable"}))
    made = client.post(CREATE, json=BODY, headers=AUTH).json["id"]
    renamed = client.put(f"{CREATE}/{made}", json={"service_slug": "other"}, headers=AUTH)
    creates = [client.post(CREATE, json={**BODY, "service_slug": s}, headers=AUTH) for s in ("other", "abc")]
    assert (renamed.status_code, [create.status_code for create in creates]) == (200, [409, 201])


@shared
def test_a_step_that_raises_leaves_nothing(where: str, opening: Opening) -> None:
    """What it wrote before is not there."""
    store = opening(where)
    with contextlib.suppress(ZeroDivisionError), store.transaction() as step:
        step.add(service("one"))
        raise ZeroDivisionError
    with store.transaction() as step:
        assert step.all() == []


@each
def test_updates_at_once_are_all_kept(where: str, opening: Opening) -> None:
    """Each update of another property, of many at once, is there in the end: a step is read and written as one."""
    store = opening(where)
    app = create_app(store=store)
    made = Client(app).post(CREATE, json=BODY, headers=AUTH).json["id"]
    sent = {
        "service_desc": "a",
        "health_path": "/b",
        "usage_prompt": "c",
        "openapi_url": "/d",
        "gpu_count": 2,
    }

    def update(name: str) -> int:
        return Client(app).put(f"{CREATE}/{made}", json={name: sent[name]}, headers=AUTH).status_code

    with ThreadPoolExecutor(5) as pool:
        assert set(pool.map(update, sent)) == {200}
    read = Client(app).get("/api/v1/r/containers/abc", headers=AUTH).json
    assert {name: read[name] for name in sent} == sent


@shared
def test_a_database_that_fails_is_a_503(where: str, opening: Opening) -> None:
    """What goes wrong in it is not the sender's fault; once it is mended, requests are answered again."""
    client, other = Client(create_app(store=opening(where))), opening(where)
    with other.transaction() as step:
        step._connection.exec_driver_sql("ALTER TABLE mock_server_services RENAME TO away")
    refused = client.post(CREATE, json=BODY, headers=AUTH)
    with other.transaction() as step:
        step._connection.exec_driver_sql("ALTER TABLE away RENAME TO mock_server_services")
    assert (refused.status_code, refused.mimetype) == (503, "application/problem+json")
    assert client.post(CREATE, json=BODY, headers=AUTH).status_code == 201


@pytest.mark.parametrize("where", ["postgresql"], indirect=True)
def test_a_connection_that_was_ended_is_made_anew(where: str, opening: Opening) -> None:
    """A restart of PostgreSQL between two requests is not noticed."""
    store = opening(where)
    with store.transaction() as step:
        pid = step._connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
    query(f"SELECT pg_terminate_backend({pid})")
    assert Client(create_app(store=store)).post(CREATE, json=BODY, headers=AUTH).status_code == 201
