"""The stores in use: the fixtures, text that no database accepts, and a database that fails."""

import contextlib
import gc
import random
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from werkzeug.test import Client

from mock_server import create_app
from mock_server.services.database import SERVICES
from mock_server.services.model import Service, Store
from tests.support import databases
from tests.support.clients import over_wsgi
from tests.support.databases import StoreOpener, each_shared_store, each_store, lock_services, run_query
from tests.support.fixture_player import FixturePlayer, cases

store_opener, store_url = databases.store_opener, databases.store_url
CREATE = "/api/v1/containers"
BODY = {"service_slug": "abc", "display_name": "d", "docker_image": "n"}
AUTH = {"Authorization": "Bearer sk-red-5f0c7c1e9a"}
NOW = datetime(2026, 1, 2, tzinfo=UTC)


def build_service(service_id: str, slug: object = "abc", team: str = "red") -> Service:
    """Return a service with few properties."""
    return Service(service_id, team, slug, "created", NOW, NOW, {"service_slug": slug})


@pytest.mark.slow
@each_shared_store
def test_every_fixture_passes(store_url: str, store_opener: StoreOpener) -> None:
    """The mock responds to each case on a database as it does in memory."""
    with over_wsgi(create_app(store=store_opener(store_url))) as send:
        problems = {case.id: FixturePlayer(send).judge(case) for case in cases()}
    assert {name: problem for name, problem in problems.items() if problem} == {}


def test_an_app_that_is_dropped_closes_its_connections(tmp_path: Path) -> None:
    """A test that builds an app on a file leaves no connection open, which Python 3.13 warns about."""
    closed: list[object] = []

    def note_close(raw: object, _record: object) -> None:
        closed.append(raw)

    sa.event.listen(sa.pool.Pool, "close", note_close)
    app = create_app(store=f"sqlite:///{tmp_path / 'mock.db'}")
    assert Client(app).post(CREATE, json=BODY, headers=AUTH).status_code == 201
    gc.collect()
    before = len(closed)
    del app
    gc.collect()
    sa.event.remove(sa.pool.Pool, "close", note_close)
    assert len(closed) > before


OFF = (
    "body-text",
    "slug-unique",
    "slug-immutable",
    "service-slug-pattern",
    "service-slug-type",
    "body-depth",
)


@pytest.mark.slow
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


@pytest.mark.slow
@each_shared_store
def test_a_locked_store_is_a_503(store_url: str, store_opener: StoreOpener) -> None:
    """While another process holds a lock, all callers get a 503 within seconds, and a 201 afterwards."""
    app, other = create_app(store=store_opener(store_url)), store_opener(store_url)

    def create(number: int) -> int:
        body = {**BODY, "service_slug": f"slug-{number}"}
        return Client(app).post(CREATE, json=body, headers=AUTH).status_code

    with ThreadPoolExecutor(8) as pool, other.transaction() as transaction:
        lock_services(transaction)
        started = time.monotonic()
        statuses = list(pool.map(create, range(8)))
        elapsed = time.monotonic() - started
    assert (statuses, elapsed < 10) == ([503] * 8, True)
    assert create(0) == 201


@each_shared_store
def test_a_store_that_becomes_read_only_is_a_503(store_url: str, store_opener: StoreOpener) -> None:
    """A create is refused with 503 once the database accepts no writes."""
    store = store_opener(store_url)
    with store.transaction() as transaction:
        connection = transaction._connection
        sqlite = connection.dialect.name == "sqlite"
        connection.exec_driver_sql(
            "PRAGMA query_only = 1" if sqlite else "SET default_transaction_read_only = on"
        )
    assert Client(create_app(store=store)).post(CREATE, json=BODY, headers=AUTH).status_code == 503


#: Documents of a row that are no service; each replaces a part of the stored one, or all of it.
UNREADABLE = {
    "no-json": (None, "{"),
    "no-object": (None, "[]"),
    "deeply-nested": (None, "[" * 100_000),
    "no-ascii": ('"abc"', '"ä"'),
    "a-property-missing": ('"created_at"', '"other"'),
    "no-time": ('"2026-', '"x'),
    "an-unknown-status": ('"status": "created"', '"status": "gone"'),
    "an-unknown-transition": ('"values": {', '"values": {"/arrives": ["2026-01-01", "gone"], '),
    "values-that-are-no-object": ('"values": {', '"values": [], "other": {'),
}


@each_shared_store
@pytest.mark.parametrize(("part", "replacement"), UNREADABLE.values(), ids=UNREADABLE)
def test_a_row_that_cannot_be_read_is_named(
    store_url: str,
    part: str | None,
    replacement: str,
    store_opener: StoreOpener,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Its readers get a 500, the log names its id without a traceback, and other services are served."""
    store = store_opener(store_url)
    client = Client(create_app(store=store, clock=lambda: NOW))
    bodies = [{**BODY, "service_slug": slug} for slug in ("abc", "other")]
    broken, _ = [client.post(CREATE, json=body, headers=AUTH).json["id"] for body in bodies]
    break_row(store, broken, part, replacement)
    urls = ["/api/v1/r/containers/abc", "/api/v1/r/containers/other", "/_mock/services", "/_mock/"]
    statuses = [client.get(url, headers=AUTH).status_code for url in urls]
    update = client.put(f"{CREATE}/{broken}", json={"display_name": "e"}, headers=AUTH)
    listed = [service["service_slug"] for service in client.get("/_mock/services").json["services"]]
    assert (statuses, update.status_code, listed) == ([500, 200, 200, 200], 500, ["other"])
    assert all(broken in record.getMessage() and not record.exc_info for record in caplog.records)
    assert len(caplog.records) == 5
    assert client.delete("/_mock/services").json == {"removed": 2}


def break_row(store: Store, service_id: str, part: str | None, replacement: str) -> None:
    """Replace a part of the document of a service, or all of it."""
    with store.transaction() as transaction:
        connection, row = transaction._connection, SERVICES.c.id == service_id
        document = connection.scalar(sa.select(SERVICES.c.document).where(row))
        broken = replacement if part is None else document.replace(part, replacement)
        connection.execute(sa.update(SERVICES).where(row).values(document=broken))
    assert broken != document


def test_a_row_of_other_bytes_is_named(
    tmp_path: Path, store_opener: StoreOpener, caplog: pytest.LogCaptureFixture
) -> None:
    """SQLite stores text that is no UTF-8: its readers get a 500, and the log names the row."""
    store = store_opener(f"sqlite:///{tmp_path / 'file.db'}")
    client = Client(create_app(store=store))
    service_id = client.post(CREATE, json=BODY, headers=AUTH).json["id"]
    with store.transaction() as transaction:
        transaction._connection.exec_driver_sql(
            "UPDATE mock_server_services SET document = CAST(x'22ff22' AS TEXT)"
        )
    assert client.get("/api/v1/r/containers/abc", headers=AUTH).status_code == 500
    assert [service_id in record.getMessage() for record in caplog.records] == [True]


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
def test_a_lost_connection_is_replaced(store_url: str, store_opener: StoreOpener) -> None:
    """A restart of PostgreSQL between two requests is not noticed."""
    store = store_opener(store_url)
    with store.transaction() as transaction:
        pid = transaction._connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
    run_query(f"SELECT pg_terminate_backend({pid})")
    assert Client(create_app(store=store)).post(CREATE, json=BODY, headers=AUTH).status_code == 201
