"""The stores in use: the fixtures, text that no database accepts, and a database that fails."""

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
from tests.support.databases import StoreOpener, each_shared_store, each_store, run_query
from tests.support.fixture_player import FixturePlayer, cases

store_opener, store_url = databases.store_opener, databases.store_url
CREATE = "/api/v1/containers"
BODY = {"service_slug": "abc", "display_name": "d", "docker_image": "n"}
AUTH = {"Authorization": "Bearer sk-red-5f0c7c1e9a"}
NOW = datetime(2026, 1, 2, tzinfo=UTC)


def build_service(service_id: str, slug: object = "abc", team: str = "red") -> Service:
    """Return a service with few properties."""
    return Service(service_id, team, slug, "created", NOW, NOW, {"service_slug": slug})


@each_shared_store
def test_every_fixture_passes(store_url: str, store_opener: StoreOpener) -> None:
    """The mock responds to each case on a database as it does in memory."""
    with over_wsgi(create_app(store=store_opener(store_url))) as send:
        problems = {case.id: FixturePlayer(send).judge(case) for case in cases()}
    assert {name: problem for name, problem in problems.items() if problem} == {}


OFF = (
    "body-text",
    "slug-unique",
    "slug-immutable",
    "service-slug-pattern",
    "service-slug-type",
    "body-depth",
)


@each_store
@pytest.mark.parametrize("rule", OFF)
def test_a_store_accepts_values_of_disabled_rules(
    store_url: str, rule: str, store_opener: StoreOpener
) -> None:
    """NUL, lone surrogates, other types, long text or a repeated slug never cause a 500."""
    with over_wsgi(create_app(store=store_opener(store_url), disabled_rules={rule})) as send:
        statuses = {
            final_status(FixturePlayer(send), case) for case in cases() if case.rule in {rule, "slug-unique"}
        }
    assert {status for status in statuses if status >= 500} == set()


def final_status(play: FixturePlayer, case: object) -> int:
    """Return the status of the last step of a case, or 0 if an earlier step fails."""
    try:
        return play.run(case).status  # type: ignore[arg-type]
    except AssertionError:
        return 0


@each_store
def test_text_with_nul_is_stored(store_url: str, store_opener: StoreOpener) -> None:
    """With body-text disabled, a name with NUL is stored and read back."""
    client = Client(create_app(store=store_opener(store_url), disabled_rules={"body-text"}))
    body = b'{"service_slug": "nul", "display_name": "a\\u0000", "docker_image": "n"}'
    response = client.post(CREATE, data=body, headers={**AUTH, "Content-Type": "application/json"})
    read_back = client.get("/api/v1/r/containers/nul", headers=AUTH)
    assert (response.status_code, read_back.json and read_back.json["display_name"]) == (201, "a\x00")


@each_store
def test_a_long_slug_is_unique(store_url: str, store_opener: StoreOpener) -> None:
    """A slug of 100,000 digits is too long for an index, and is still unique."""
    client = Client(create_app(store=store_opener(store_url), disabled_rules={"service-slug-pattern"}))
    digits = "".join(random.Random(7).choices("0123456789abcdef", k=100_000))
    bodies = [{**BODY, "service_slug": slug} for slug in (digits, f"{digits}0", digits)]
    statuses = [client.post(CREATE, json=body, headers=AUTH).status_code for body in bodies]
    assert statuses == [201, 201, 409]


@each_store
@pytest.mark.parametrize("path", ["/_mock/services/%00/status/running", "/_mock/services/%ff/status/running"])
def test_an_odd_id_is_not_found(store_url: str, path: str, store_opener: StoreOpener) -> None:
    """The control plane responds with 404 to an id that no database can store."""
    assert Client(create_app(store=store_opener(store_url))).put(path).status_code == 404


@each_store
def test_a_seed_with_a_taken_id_is_refused(store_url: str, store_opener: StoreOpener) -> None:
    """The response is a 409, and the stored service is unchanged."""
    client = Client(create_app(store=store_opener(store_url)))
    seeds = [{**BODY, "id": "one"}, {**BODY, "id": "one", "service_slug": "other"}]
    assert [client.post("/_mock/services", json=seed).status_code for seed in seeds] == [201, 409]
    assert [stored["service_slug"] for stored in client.get("/_mock/services").json["services"]] == ["abc"]


@each_store
def test_a_slug_can_repeat_while_the_rule_is_disabled(store_url: str, store_opener: StoreOpener) -> None:
    """The read-back shows the newest service; with the rule enabled, the slug is taken."""
    store = store_opener(store_url)
    client = Client(create_app(store=store, disabled_rules={"slug-unique"}))
    ids = [client.post(CREATE, json=BODY, headers=AUTH).json["id"] for _ in range(3)]
    assert client.get("/api/v1/r/containers/abc", headers=AUTH).json["id"] == ids[-1]
    assert Client(create_app(store=store)).post(CREATE, json=BODY, headers=AUTH).status_code == 409


@each_store
def test_a_renamed_service_claims_its_new_slug(store_url: str, store_opener: StoreOpener) -> None:
    """With slug-immutable disabled, a rename takes the new slug and frees the old one."""
    client = Client(create_app(store=store_opener(store_url), disabled_rules={"slug-immutable"}))
    service_id = client.post(CREATE, json=BODY, headers=AUTH).json["id"]
    rename = client.put(f"{CREATE}/{service_id}", json={"service_slug": "other"}, headers=AUTH)
    creates = [client.post(CREATE, json={**BODY, "service_slug": s}, headers=AUTH) for s in ("other", "abc")]
    assert (rename.status_code, [create.status_code for create in creates]) == (200, [409, 201])


@each_shared_store
def test_a_failed_transaction_is_rolled_back(store_url: str, store_opener: StoreOpener) -> None:
    """A service that was added before the exception is not stored."""
    store = store_opener(store_url)
    with contextlib.suppress(ZeroDivisionError), store.transaction() as transaction:
        transaction.add(build_service("one"))
        raise ZeroDivisionError
    with store.transaction() as transaction:
        assert transaction.all() == []


@each_store
def test_concurrent_updates_are_all_stored(store_url: str, store_opener: StoreOpener) -> None:
    """Concurrent updates of different properties are all stored."""
    store = store_opener(store_url)
    app = create_app(store=store)
    service_id = Client(app).post(CREATE, json=BODY, headers=AUTH).json["id"]
    changes = {
        "service_desc": "a",
        "health_path": "/b",
        "usage_prompt": "c",
        "openapi_url": "/d",
        "gpu_count": 2,
    }

    def update(name: str) -> int:
        return Client(app).put(f"{CREATE}/{service_id}", json={name: changes[name]}, headers=AUTH).status_code

    with ThreadPoolExecutor(5) as pool:
        assert set(pool.map(update, changes)) == {200}
    read_back = Client(app).get("/api/v1/r/containers/abc", headers=AUTH).json
    assert {name: read_back[name] for name in changes} == changes


@each_shared_store
def test_a_database_failure_is_a_503(store_url: str, store_opener: StoreOpener) -> None:
    """The response is a problem document, and requests succeed once the database works again."""
    client, other = Client(create_app(store=store_opener(store_url))), store_opener(store_url)
    with other.transaction() as transaction:
        transaction._connection.exec_driver_sql("ALTER TABLE mock_server_services RENAME TO away")
    failure = client.post(CREATE, json=BODY, headers=AUTH)
    with other.transaction() as transaction:
        transaction._connection.exec_driver_sql("ALTER TABLE away RENAME TO mock_server_services")
    assert (failure.status_code, failure.mimetype) == (503, "application/problem+json")
    assert client.post(CREATE, json=BODY, headers=AUTH).status_code == 201


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
def test_a_lost_connection_is_replaced(store_url: str, store_opener: StoreOpener) -> None:
    """A restart of PostgreSQL between two requests is not noticed."""
    store = store_opener(store_url)
    with store.transaction() as transaction:
        pid = transaction._connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
    run_query(f"SELECT pg_terminate_backend({pid})")
    assert Client(create_app(store=store)).post(CREATE, json=BODY, headers=AUTH).status_code == 201
