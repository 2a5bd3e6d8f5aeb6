"""The page at `/_mock/`, as it comes from the server."""

import json
import re
from datetime import date
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import Client, TestResponse

from mock_server.admin import pages as page
from mock_server.admin import swagger_ui
from mock_server.admin.request_view import escape_invisible, indent_json
from mock_server.app.factory import create_app
from mock_server.contract import resources
from mock_server.contract.loader import load_contract
from mock_server.web.journal import Journal
from mock_server.web.middleware import RequestMiddleware
from mock_server.web.redaction import Redactor
from tests.support.fixture_player import CALLERS

RED = next(caller["token"] for caller in CALLERS["callers"] if caller["name"] == "sk-red")
HEADERS = {"Authorization": f"Bearer {RED}", "Content-Type": "application/json"}
OWN = {"Sec-Fetch-Site": "same-origin"}
HOSTILE = "<script>alert(1)</script>'\"><img src=x>\u202e\x00\x1b[2J"


def create(client: Client, slug: str = "a-service", **more: Any) -> TestResponse:
    """The answer to a create."""
    sent = {"service_slug": slug, "display_name": "a", "docker_image": "n", **more}
    return client.post("/api/v1/containers", json=sent, headers=HEADERS)


def rows(client: Client, query: str = "") -> list[int]:
    """The numbers of the requests that the page shows."""
    return [int(number) for number in re.findall(r'id="request-(\d+)"', client.get(f"/_mock/{query}").text)]


@pytest.fixture
def client() -> Client:
    """A mock, without a socket."""
    return create_app().test_client()


def test_the_newest_requests_are_on_top(client: Client) -> None:
    """A request has a row: its time, method, path, caller, status, and the rules that refused it."""
    create(client)
    create(client)
    assert rows(client) == [2, 1]
    row = re.search(r'id="request-2".*?</tr>', client.get("/_mock/").text, re.DOTALL)
    assert row
    text = re.sub(r"<[^>]*>", " ", row[0].partition(">")[2]).split()
    assert re.fullmatch(r"\d\d:\d\d:\d\d\.\d{3}", text[0])
    assert text[1:] == ["POST", "/api/v1/containers", "sk-red", "409", "slug-unique"]


def test_the_page_itself_is_not_in_the_journal_nor_in_the_log() -> None:
    """Looking leaves no trace; what the page changes is a line of the log."""
    lines: list[str] = []
    client = create_app(log=lines.append).test_client()
    for path in (
        "/_mock/",
        "/_mock",
        "/_mock/reference",
        "/_mock/openapi.json",
        "/_mock/page/page.js",
        "/_mock/requests/1",
    ):
        client.get(path)
    client.post("/_mock/page/delete-services", headers=OWN)
    assert [line.rsplit(" ", 2)[0] for line in lines] == ["POST /_mock/page/delete-services 303"]
    assert client.get("/_mock/journal").json["count"] == 0


def test_the_overview_is_bounded_and_older_requests_are_a_link_away(client: Client) -> None:
    """Fifty requests are shown; what lies before them is asked for with the number of the last."""
    for number in range(60):
        client.get(f"/api/v1/r/containers/s-{number}", headers=HEADERS)
    assert rows(client) == [*range(60, 10, -1)]
    (older,) = re.findall(r'href="/_mock/(\?before=\d+)"', client.get("/_mock/").text)
    assert rows(client, older) == [*range(10, 0, -1)]
    assert "data-live" not in client.get(f"/_mock/{older}").text


@pytest.mark.parametrize(
    ("query", "picked"),
    [
        ("?rule=slug-unique", [2]),
        ("?status=201", [1]),
        ("?operation=readContainer", [3]),
        ("?rule=slug-unique&status=201", []),
        ("?rule=", [3, 2, 1]),
        ("?before=2", [1]),
        ("?before=x", [3, 2, 1]),
        (f"?status={'9' * 5000}&before={'9' * 5000}", []),
    ],
    ids=lambda value: str(value)[:30],
)
def test_filters_pick_requests(client: Client, query: str, picked: list[int]) -> None:
    """Rule, status and operation narrow together; what is no number is no bound."""
    create(client)
    create(client)
    client.get("/api/v1/r/containers/a-service", headers=HEADERS)
    assert rows(client, query) == picked


def test_an_exchange_quotes_the_contract(client: Client) -> None:
    """Each broken rule comes with its sentence, its grade, its source, the place, what was seen and wanted."""
    create(client, slug="My-Service", exposed_port="8080")
    text = client.get("/_mock/requests/1").text
    for rule_id in ("service-slug-pattern", "exposed-port-type"):
        rule = load_contract(resources.find_resource("spec/openapi.yaml")).rules[rule_id]
        (article,) = re.findall(f"<article(?:(?!</article>).)*rule={rule_id}.*?</article>", text, re.DOTALL)
        parts = (rule.statement, rule.grade, rule.source, rule_id, "<dt>Actual</dt>", "<dt>Expected</dt>")
        assert [part for part in parts if part not in article] == []
    assert "<code>/exposed_port</code>" in text


def test_an_exchange_is_repeated_by_a_curl(client: Client) -> None:
    """The command has the path, the body and the headers that matter, and a variable for the token."""
    client.put("/api/v1/containers/a%20b?x=1", data=b"{'", headers={**HEADERS, "X-Team-ID": "it's"})
    (curl,) = re.findall(r'<pre id="curl"[^>]*>(.*?)</pre>', client.get("/_mock/requests/1").text, re.DOTALL)
    assert curl.replace("&#39;", "'").replace("&#34;", '"') == (
        "curl -i -X PUT 'http://localhost/api/v1/containers/a%20b?x=1' \\\n"
        '  -H "Authorization: Bearer $TOKEN" \\\n'
        """  -H 'X-Team-Id: it'"'"'s' \\\n"""
        "  -H 'Content-Type: application/json' \\\n"
        """  --data-binary '{'"'"''"""
    )


@pytest.mark.parametrize(
    "path", ["", "requests/1", "requests/9", "reference", "openapi.json", "page/page.js", "page/nothing.js"]
)
def test_a_strict_policy_is_sent_with_everything(client: Client, path: str) -> None:
    """No page runs or loads what is not the server's own, nor is shown within another."""
    create(client)
    answered = client.get(f"/_mock/{path}")
    policy = answered.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; ")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answered.headers["X-Content-Type-Options"] == "nosniff"
    if answered.mimetype == "text/html":
        assert re.findall(r"<script(?![^>]* src=)|<style|\sstyle=|\son\w+=", answered.text) == []
        assert set(re.findall(r'(?:src|href)="(?!data:|#)([^"]{7})', answered.text)) == {"/_mock/"}


@pytest.mark.parametrize("number", ["0", "2", "-1", "x", "9" * 5000, "%00", "1%20"])
def test_an_unknown_request_is_not_found(client: Client, number: str) -> None:
    """Whatever the number, and after the journal was forgotten, the page says so."""
    create(client)
    answered = client.get(f"/_mock/requests/{number}")
    assert (answered.status_code, "No such request" in answered.text) == (404, True)
    client.delete("/_mock/journal")
    assert client.get("/_mock/requests/1").status_code == 404


def test_nothing_that_was_sent_becomes_part_of_the_page() -> None:
    """Markup in a slug, an id, a path, a query, a header and a body is shown as text, the invisible written out."""
    client = create_app(disabled_rules={"service-slug-pattern", "body-text"}).test_client()
    assert create(client, slug=HOSTILE).status_code == 201
    assert create(client, slug="\x00").status_code == 201
    seed = {"service_slug": "abc", "display_name": "d", "docker_image": "n", "id": "\x00\n/<b>alert"}
    assert client.post("/_mock/services", json=seed).status_code == 201
    client.get("/api/v1/<script>%00%FF?<script>", headers={"X-<script>": "<script>"})
    client.open("/api/v1/containers", method="<SCRIPT>", data=b"<script>\xff\x00")
    create(client, slug=HOSTILE, exposed_port=HOSTILE)
    paths = ("/_mock/", *(f"/_mock/requests/{number}" for number in range(1, 6)))
    pages = [client.get(path) for path in paths]
    assert [answered.status_code for answered in pages] == [200] * 6
    for answered in pages:
        assert re.findall(r"(?i)<(?:script(?! src=)|img|b>alert)|[\x00\x1b\u202e]", answered.text) == []
    assert r"\u202e\x00\x1b[2J" in pages[0].text


def test_no_token_is_shown(client: Client) -> None:
    """Neither that of a caller who is known nor one that was made up, wherever it was sent."""
    secret = "sk-a-secret-0123456789"
    headers = {**HEADERS, "Authorization": f"Bearer {secret}", "X-Copy": secret}
    client.post(f"/api/v1/containers/{secret}?{secret}", data=secret, headers=headers)
    create(client, slug=RED)
    pages = [client.get(f"/_mock/{path}").text for path in ("", "requests/1", "requests/2")]
    assert [secret in text for text in pages] == [False] * 3
    assert [RED in text for text in pages[1:]] == [False] * 2


def test_only_packaged_tokens_are_shown() -> None:
    """The made-up ones are there to be copied; those of a callers file of one's own are never shown."""
    ours = create_app().test_client()
    mine = {"name": "me", "kind": "sk", "teams": ["red"], "token": "sk-mine-0123456789"}
    theirs = create_app(callers={"teams": CALLERS["teams"], "callers": [mine]}).test_client()
    assert RED in ours.get("/_mock/").text
    assert f'data-token="{RED}"' in ours.get("/_mock/reference").text
    assert "<b>me</b>" in theirs.get("/_mock/").text
    assert 'data-token=""' in theirs.get("/_mock/reference").text
    assert [mine["token"] in theirs.get(path).text for path in ("/_mock/", "/_mock/reference")] == [
        False,
        False,
    ]


def test_the_forms_do_what_they_say(client: Client) -> None:
    """A status is set, services and requests are forgotten, and the browser is sent back to the page."""
    service = create(client).json["id"]
    answered = client.post(f"/_mock/page/services/{service}", data={"status": "deploying"}, headers=OWN)
    assert (answered.status_code, answered.headers["Location"]) == (303, f"/_mock/#service-{service}")
    assert client.get("/_mock/services").json["services"][0]["service_status"] == "deploying"
    assert client.post("/_mock/page/delete-services", headers=OWN).status_code == 303
    assert client.post("/_mock/page/delete-requests", headers=OWN).status_code == 303
    health = client.get("/_mock/health").json
    assert (health["services"], health["requests"]) == (0, 0)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "http://localhost.example"}, 403),
        ({"Origin": "http://["}, 403),
        ({"Origin": "null"}, 403),
        ({}, 403),
        ({"Origin": "http://localhost"}, 303),
        ({"Origin": "https://localhost"}, 303),
        ({"Sec-Fetch-Site": "same-origin"}, 303),
    ],
    ids=str,
)
def test_a_form_of_another_origin_is_refused(client: Client, headers: dict[str, str], status: int) -> None:
    """What no page of this server has sent changes nothing."""
    create(client)
    for form in ("delete-services", "delete-requests", "services/x"):
        answered = client.post(f"/_mock/page/{form}", data={"status": "running"}, headers=headers)
        assert answered.status_code == (404 if form == "services/x" and status == 303 else status)
    assert client.get("/_mock/health").json["services"] == (1 if status == 403 else 0)


@pytest.mark.parametrize("body", [b"", b"status=asleep", b"status=%FF%00", b"\xff", b"status"])
def test_a_status_that_is_none_is_refused(client: Client, body: bytes) -> None:
    """The answer names the statuses there are."""
    answered = client.post(f"/_mock/page/services/{create(client).json['id']}", data=body, headers=OWN)
    assert (answered.status_code, "running" in answered.json["detail"]) == (400, True)


@pytest.mark.parametrize("store", ["memory", "sqlite"])
def test_an_odd_id_is_an_unknown_one(tmp_path: Any, store: str) -> None:
    """A NUL, bytes that are no text and a line break are ids that no service has, in any store."""
    address = store if store == "memory" else f"sqlite:///{tmp_path}/services.db"
    client = create_app(store=address).test_client()
    for odd in ("%00", "%FF", "%0A", "a" * 5000):
        assert (
            client.post(f"/_mock/page/services/{odd}", data={"status": "running"}, headers=OWN).status_code
            == 404
        )


def test_services_are_shown_in_the_status_that_they_have_by_now(client: Client) -> None:
    """The newest hundred of them, each with its team by name, its type and its status."""
    for number in range(103):
        create(client, slug=f"s-{number}")
    newest = client.get("/_mock/services").json["services"][-1]["id"]
    client.post(f"/_mock/services/{newest}/deploy", json={"seconds": 60})
    first = re.search(r'<li id="service-.*?</p>', client.get("/_mock/").text, re.DOTALL)
    assert first
    assert re.sub(r"<[^>]*>", "", first[0]).split() == ["s-102", "red", "·", "deployed", "deploying"]
    client.post("/_mock/clock", json={"advance": 60})
    text = client.get("/_mock/").text
    assert text.count('<li id="service-') == 100
    assert "103, the newest 100" in text
    assert '<span class="state running">running</span>' in text


def test_the_document_is_the_one_served_with_the_read_back_beside_it(client: Client) -> None:
    """Its only server is the mock itself, so that try-it goes nowhere else."""
    document = client.get("/_mock/openapi.json").json
    assert document["servers"] == [{"url": "/api/v1"}]
    assert set(document["paths"]) == {"/containers", "/containers/{serviceId}", "/r/containers/{serviceSlug}"}
    assert document["components"]["schemas"]["ServiceCreate"]["properties"]["service_slug"]


def test_a_document_that_json_cannot_say_is_served_all_the_same() -> None:
    """YAML knows dates and keys of any kind; they become text, or are left out."""
    spec = resources.read_yaml(resources.find_resource("spec/openapi.yaml"))
    assert isinstance(spec, dict)
    day = date(2026, 1, 2)
    made = create_app(spec={**spec, "x-day": day, "x-odd": {day: 1, 2: "\ud800"}}).test_client()
    document = json.loads(made.get("/_mock/openapi.json").data)
    assert (document["x-day"], document["x-odd"]) == ("2026-01-02", {"2": "\ud800"})


def test_static_files_are_asked_for_again_and_sent_once(client: Client) -> None:
    """The script of Swagger UI is two megabytes; a browser that has it gets a 304."""
    first = client.get("/_mock/page/swagger-ui-bundle.js")
    assert (first.status_code, first.mimetype, first.headers["Cache-Control"]) == (
        200,
        "text/javascript",
        "no-cache",
    )
    again = client.get("/_mock/page/swagger-ui-bundle.js", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize("name", ["nothing.js", "..%2fpage.py", "%00", "base.html"])
def test_there_are_no_other_files(client: Client, name: str) -> None:
    """A name that the page does not use is not found."""
    assert client.get(f"/_mock/page/{name}").status_code in {404, 405}


def test_without_the_control_plane_there_is_no_page() -> None:
    """`--no-control` leaves all of /_mock/ out."""
    client = create_app(control=False).test_client()
    paths = ("/_mock", "/_mock/", "/_mock/reference", "/_mock/openapi.json", "/_mock/page/page.js")
    assert [client.get(path).status_code for path in paths] == [404] * 5


def test_the_page_without_its_slash_is_found(client: Client) -> None:
    """`/_mock` leads to `/_mock/`."""
    answered = client.get("/_mock")
    assert (answered.status_code // 100, answered.headers["Location"].removeprefix("http://localhost")) == (
        3,
        "/_mock/",
    )


def test_several_workers_are_told_of() -> None:
    """Each worker has a journal of its own: the page says so, and does not jump from one to the other by itself."""
    text = create_app(workers=3).test_client().get("/_mock/").text
    assert "3 workers serve" in text
    assert "data-live" not in text


def test_rules_that_are_off_are_told_of() -> None:
    """Who looks at a mock with a planted fault sees which."""
    assert (
        "<code>slug-unique</code>"
        in create_app(disabled_rules={"slug-unique"}).test_client().get("/_mock/").text.split("</header>")[0]
    )


def test_a_proxy_has_the_page_without_services() -> None:
    """Without a mock there is a title of its own, the requests and the reference."""
    app, journal = Flask("proxy"), Journal(Redactor(()))
    page.register_pages(
        app,
        journal,
        [load_contract(resources.find_resource("spec/openapi.yaml"))],
        title="proxy of http://x",
    )
    app.wsgi_app = RequestMiddleware(app.wsgi_app, journal, Redactor(()), 10, False, None)  # type: ignore[method-assign]
    client = app.test_client()
    text = client.get("/_mock/").text
    assert ("proxy of http://x" in text, 'id="services"' in text) == (True, False)
    assert client.get("/_mock/openapi.json").json["servers"] == [{"url": "/api/v1"}]
    assert client.get("/_mock/reference").status_code == 200
    assert client.post("/_mock/page/delete-services", headers=OWN).status_code == 303
    assert client.post("/_mock/page/services/x", data={"status": "running"}, headers=OWN).status_code == 404


def test_making_an_app_reads_no_file_of_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Templates, scripts and styles are read when somebody looks."""
    made: list[str] = []
    monkeypatch.setattr(Flask, "create_jinja_environment", lambda _: made.append("jinja"))
    monkeypatch.setattr(swagger_ui, "read_file", made.append)
    create_app()
    assert made == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('{"a": [1]}', '{\n  "a": [\n    1\n  ]\n}'),
        ('{"a": 1, "a": 2}', '{"a": 1, "a": 2}'),
        ("[1.0e0]", "[1.0e0]"),
        ('["é\\u00e9"]', '["é\\u00e9"]'),
        ("[" * 100_000, "[" * 100_000),
        ("9" * 5000, "9" * 5000),
        ("no JSON", "no JSON"),
    ],
    ids=lambda text: text[:12],
)
def test_a_body_is_indented_only_where_that_changes_nothing_else(text: str, shown: str) -> None:
    """Keys that are there twice, forms of numbers and escapes are shown as they came."""
    assert indent_json(text) == shown


def test_what_no_eye_sees_is_written_out() -> None:
    """Control characters, directions and surrogates; line breaks and other scripts stay."""
    assert (
        escape_invisible("a\nb\tc é 日本 \x00\x1b\u202e\ud800\r")
        == "a\nb\tc é 日本 \\x00\\x1b\\u202e\\ud800\\r"
    )


@pytest.mark.parametrize("header", ["Host", "Origin", "Sec-Fetch-Site", "If-None-Match"])
@pytest.mark.parametrize("value", ["[", "a:b:c", "<script>", "\x7f", "ÿ", "a b", ""])
def test_odd_headers_are_no_failure(client: Client, header: str, value: str) -> None:
    """Whatever a header of the looking browser holds, the page answers."""
    paths = ("/_mock/", "/_mock/reference", "/_mock/page/page.js", "/_mock/requests/1")
    create(client)
    assert [client.get(path, headers={header: value}).status_code // 100 for path in paths] == [2] * 4
    assert client.post("/_mock/page/delete-requests", headers={header: value}).status_code in {403, 303}
