"""The pages of the stored services, as the server sends them."""

import re
from contextlib import AbstractContextManager
from typing import Any

import pytest
from werkzeug.test import Client

from mock_server.app.factory import create_app
from mock_server.services.memory import MemoryStore
from mock_server.services.model import Transaction, UnreachableStoreError
from tests.support.api import TOKENS
from tests.support.fixture_player import CALLERS
from tests.support.pages import HEADERS, create

SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def client() -> Client:
    """Return a client of a mock."""
    return create_app().test_client()


def list_requests(text: str) -> list[int]:
    """Return the numbers of the requests on a page."""
    return [int(number) for number in re.findall(r'id="request-(\d+)"', text)]


def test_a_service_has_a_page(client: Client) -> None:
    """The page has the id, the stored body with the defaults, the status, and a link to try an update."""
    service_id = create(client, "a-service", service_desc="<b>").json["id"]
    client.put(f"/_mock/services/{service_id}/status/running")
    text = client.get(f"/_mock/page/services/{service_id}").text
    assert f'<code id="service-id">{service_id}</code>' in text
    assert 'data-copy="service-id"' in text
    assert "&#34;service_desc&#34;: &#34;&lt;b&gt;&#34;" in text
    assert "&#34;health_path&#34;: &#34;/health&#34;" in text
    assert 'class="state running"' in text
    assert f'href="/_mock/reference?service={service_id}#updateContainer"' in text


def test_services_are_filtered_by_slug_or_id(client: Client) -> None:
    """A part of the slug or the id, in any case, leaves the services that have it; all of them are searched."""
    first = create(client, "first-service").json["id"]
    for number in range(60):
        create(client, f"other-{number}")
    for text in ("First", first[:-1].upper(), f" {first} "):
        page = client.get("/_mock/page/services", query_string={"text": text}).text
        assert re.findall(r'<tr id="service-([^"]+)"', page) == [first]
        assert ">1 match</p>" in page
    assert ">60 match, the newest 50</p>" in client.get("/_mock/page/services?text=other-").text
    nothing = client.get("/_mock/page/services", query_string={"text": "<b>\x1b"}).text
    assert "No service has this text in its slug or id." in nothing
    assert ("<b>" in nothing, "\x1b" in nothing) == (False, False)
    assert 'data-live="rows"' not in nothing


def test_a_service_page_has_its_requests(client: Client) -> None:
    """The requests that created, changed or read the service are listed, also refused updates; no others are."""
    service_id = create(client, "a-service").json["id"]
    other = create(client, "b-service").json["id"]
    path = f"/api/v1/containers/{service_id.upper()}"
    client.put(path, json={"display_name": "b"}, headers=HEADERS)
    client.put(path, json={"display_name": 1}, headers=HEADERS)
    client.get("/api/v1/r/containers/a-service", headers=HEADERS)
    client.get("/api/v1/r/containers/b-service", headers=HEADERS)
    assert list_requests(client.get(f"/_mock/page/services/{service_id}").text) == [5, 4, 3, 1]
    assert list_requests(client.get(f"/_mock/page/services/{other}").text) == [6, 2]


def test_a_request_leads_to_its_service(client: Client) -> None:
    """The pages of a create and of a refused update link to the service; one of an unknown id does not."""
    service_id = create(client, "a-service").json["id"]
    client.put(f"/api/v1/containers/{service_id}", json={"display_name": 1}, headers=HEADERS)
    client.put("/api/v1/containers/0192f0c1-9a8b-7c6d-9e5f-404142434445", json={}, headers=HEADERS)
    link = f'href="/_mock/page/services/{service_id}">a-service</a>'
    pages = [client.get(f"/_mock/requests/{number}").text for number in (1, 2, 3)]
    assert [link in text for text in pages] == [True, True, False]
    assert "/_mock/page/services/" not in pages[2]


def test_a_request_is_shown_while_the_store_fails() -> None:
    """The page of a request needs no store: it has no link then."""

    class FailingStore(MemoryStore):
        def transaction(self) -> AbstractContextManager[Transaction]:
            if self.fails:
                raise UnreachableStoreError("gone")
            return super().transaction()

        fails = False

    store = FailingStore()
    client = create_app(store=store).test_client()
    create(client, "a-service")
    store.fails = True
    response = client.get("/_mock/requests/1")
    assert (response.status_code, "page/services/" in response.text) == (200, False)
    assert client.get("/_mock/page/services").status_code == 503


def test_an_unknown_service_is_not_found(client: Client) -> None:
    """The page of a service that was deleted is a 404 that says so."""
    service_id = create(client).json["id"]
    client.delete("/_mock/services")
    response = client.get(f"/_mock/page/services/{service_id}")
    assert (response.status_code, "No such service" in response.text) == (404, True)


def test_a_service_page_shows_no_token() -> None:
    """A token within a stored value is not shown."""
    caller = {"name": "me", "kind": "sk", "teams": ["red"], "token": "sk-mine-0123456789"}
    client = create_app(callers={"teams": CALLERS["teams"], "callers": [caller]}).test_client()
    headers = {**HEADERS, "Authorization": f"Bearer {caller['token']}"}
    body = {"service_slug": caller["token"], "display_name": caller["token"], "docker_image": "n"}
    service_id = client.post("/api/v1/containers", json=body, headers=headers).json["id"]
    paths = ("", "page/services", f"page/services/{service_id}", "requests/1", "reference")
    assert [caller["token"] in client.get(f"/_mock/{path}").text for path in paths] == [False] * 5


def test_the_overview_has_callers_above_services(client: Client) -> None:
    """The tokens come before the latest services, of which eight are shown, with the number of all."""
    for number in range(9):
        create(client, slug=f"s-{number}")
    text = client.get("/_mock/").text
    assert text.index(TOKENS["sk-red"]) < text.index("Latest services")
    assert text.count('<li id="service-') == 8
    assert re.search(r'href="/_mock/page/services">All <span[^>]*>9</span>', text)


@pytest.mark.parametrize("store", ["memory", "sqlite"])
def test_the_list_of_services_has_pages(tmp_path: Any, store: str) -> None:
    """Fifty services are a page; new services move none of the older pages."""
    address = store if store == "memory" else f"sqlite:///{tmp_path}/services.db"
    client = create_app(store=address).test_client()

    def list_slugs(path: str) -> list[str]:
        return re.findall(r'href="/_mock/page/services/[^"]+">(s-\d+)</a>', client.get(path).text)

    def find_older(path: str) -> list[str]:
        return re.findall(r'id="older" href="([^"]+)"', client.get(path).text)

    for number in range(103):
        create(client, slug=f"s-{number}")
    assert list_slugs("/_mock/page/services") == [f"s-{number}" for number in range(102, 52, -1)]
    (second,) = find_older("/_mock/page/services")
    create(client, slug="s-103")
    assert list_slugs(second) == [f"s-{number}" for number in range(52, 2, -1)]
    (third,) = find_older(second)
    assert list_slugs(third) == ["s-2", "s-1", "s-0"]
    assert find_older(third) == []


def test_services_are_shown_with_their_current_status(client: Client) -> None:
    """A row has slug, id, team, type and status; a deploy ends with the clock."""
    service_id = create(client, slug="a-service").json["id"]
    client.post(f"/_mock/services/{service_id}/deploy", json={"seconds": 60})
    text = client.get("/_mock/page/services").text
    row = re.search(r'<tr id="service-[^>]*>(.*?)<td role="cell" class="time">', text, re.DOTALL)
    assert row
    assert re.sub(r"<[^>]*>", " ", row[1]).split() == ["a-service", service_id, "red", "·", "deployed"]
    assert 'class="state deploying">deploying</span>' in text
    client.post("/_mock/clock", json={"advance": 60})
    for path in ("", "page/services", f"page/services/{service_id}"):
        assert 'class="state running">running</span>' in client.get(f"/_mock/{path}").text


def test_the_form_of_a_service_page_returns_there(client: Client) -> None:
    """The form of the page of a service redirects to that page."""
    service_id = create(client).json["id"]
    path = f"/_mock/page/services/{service_id}"
    response = client.post(path, data={"status": "failed", "page": "service"}, headers=SAME_ORIGIN)
    assert (response.status_code, response.headers["Location"]) == (303, path)


def test_the_forms_change_the_mock(client: Client) -> None:
    """A form sets a status or deletes services or requests, and redirects to the page."""
    service = create(client).json["id"]
    response = client.post(
        f"/_mock/page/services/{service}", data={"status": "deploying"}, headers=SAME_ORIGIN
    )
    assert (response.status_code, response.headers["Location"]) == (
        303,
        f"/_mock/page/services#service-{service}",
    )
    assert client.get("/_mock/services").json["services"][0]["service_status"] == "deploying"
    assert client.post("/_mock/page/delete-services", headers=SAME_ORIGIN).status_code == 303
    assert client.post("/_mock/page/delete-requests", headers=SAME_ORIGIN).status_code == 303
    health = client.get("/_mock/health").json
    assert (health["services"], health["requests"]) == (0, 0)


@pytest.mark.parametrize("body", [b"", b"status=asleep", b"status=%FF%00", b"\xff", b"status"])
def test_an_unknown_status_is_refused(client: Client, body: bytes) -> None:
    """The response lists the known statuses."""
    response = client.post(
        f"/_mock/page/services/{create(client).json['id']}", data=body, headers=SAME_ORIGIN
    )
    assert (response.status_code, "running" in response.json["detail"]) == (400, True)


@pytest.mark.parametrize("store", ["memory", "sqlite"])
def test_an_odd_id_is_unknown(tmp_path: Any, store: str) -> None:
    """NUL, bytes that are no text and line breaks are unknown ids in any store."""
    address = store if store == "memory" else f"sqlite:///{tmp_path}/services.db"
    client = create_app(store=address).test_client()
    for odd in ("%00", "%FF", "%0A", "a" * 5000):
        assert (
            client.post(
                f"/_mock/page/services/{odd}", data={"status": "running"}, headers=SAME_ORIGIN
            ).status_code
            == 404
        )
