"""The pages under `/_mock/` as the server sends them."""

import re
from urllib.parse import quote

import pytest
from flask import Flask
from werkzeug.test import Client

from mock_server.admin import renderer
from mock_server.admin.pages import register_pages
from mock_server.app.factory import create_app
from mock_server.contract import resources
from mock_server.contract.loader import load_contract
from mock_server.web.journal import Journal
from mock_server.web.middleware import RequestMiddleware
from mock_server.web.redaction import Redactor
from tests.support.api import TOKENS
from tests.support.fixture_player import CALLERS
from tests.support.pages import HEADERS, HOSTILE_TEXT, create

RED = TOKENS["sk-red"]
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}


def list_numbers(client: Client, query: str = "") -> list[int]:
    """Return the numbers of the requests on the page."""
    return [int(number) for number in re.findall(r'id="request-(\d+)"', client.get(f"/_mock/{query}").text)]


@pytest.fixture
def client() -> Client:
    """Return a client of a mock."""
    return create_app().test_client()


def test_the_newest_requests_are_first(client: Client) -> None:
    """A row has the time, method, path, caller, status and broken rules of a request."""
    create(client)
    create(client)
    assert list_numbers(client) == [2, 1]
    row = re.search(r'id="request-2".*?</tr>', client.get("/_mock/").text, re.DOTALL)
    assert row
    text = re.sub(r"<[^>]*>", " ", row[0].partition(">")[2]).split()
    assert re.fullmatch(r"\d\d:\d\d:\d\d", text[0])
    assert text[1:] == ["POST", "/api/v1/containers", "sk-red", "409", "slug-unique"]


def test_requests_of_the_pages_are_not_recorded() -> None:
    """Views are neither recorded nor logged; a form is one line of the log."""
    lines: list[str] = []
    client = create_app(log=lines.append).test_client()
    for path in (
        "/_mock/",
        "/_mock",
        "/_mock/reference",
        "/_mock/openapi.json",
        "/_mock/page/page.js",
        "/_mock/page/services",
        "/_mock/page/script",
        "/_mock/requests/1",
    ):
        client.get(path)
    client.post("/_mock/page/delete-services", headers=SAME_ORIGIN)
    assert [line.rsplit(" ", 2)[0] for line in lines] == ["POST /_mock/page/delete-services 303"]
    assert client.get("/_mock/journal").json["count"] == 0


def test_the_overview_is_paginated(client: Client) -> None:
    """A page has fifty requests and a link to older ones."""
    for number in range(60):
        client.get(f"/api/v1/r/containers/s-{number}", headers=HEADERS)
    assert list_numbers(client) == [*range(60, 10, -1)]
    (older,) = re.findall(r'href="/_mock/(\?before=\d+)"', client.get("/_mock/").text)
    assert list_numbers(client, older) == [*range(10, 0, -1)]
    assert "data-live" not in client.get(f"/_mock/{older}").text


def test_arriving_requests_move_no_page(client: Client) -> None:
    """The page of older requests is the same after new requests, and its links lead on from it."""
    for number in range(120):
        client.get(f"/api/v1/r/containers/s-{number}", headers=HEADERS)
    (older,) = re.findall(r'id="older" href="/_mock/(\?before=\d+)"', client.get("/_mock/").text)
    before = client.get(f"/_mock/{older}").text
    for number in range(70):
        client.get(f"/api/v1/r/containers/t-{number}", headers=HEADERS)
    after = client.get(f"/_mock/{older}").text
    links = r'(?:id="request-|id="older" href=")([^"]+)"'
    assert re.findall(links, after) == re.findall(links, before)
    assert list_numbers(client, older)[0] == 70


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?rule=slug-unique", [2]),
        ("?status=201", [1]),
        ("?operation=readContainer", [3]),
        ("?rule=slug-unique&status=201", []),
        ("?method=GET&caller=sk-red&path=a-service", [3]),
        ("?rule=", [3, 2, 1]),
        ("?before=2", [1]),
        ("?before=x", [3, 2, 1]),
        (f"?status={'9' * 5000}&before={'9' * 5000}", []),
    ],
    ids=lambda value: str(value)[:30],
)
def test_filters_select_requests(client: Client, query: str, expected: list[int]) -> None:
    """Filters combine; an invalid number is ignored or matches no request."""
    create(client)
    create(client)
    client.get("/api/v1/r/containers/a-service", headers=HEADERS)
    assert list_numbers(client, query) == expected


def test_a_request_page_quotes_the_contract(client: Client) -> None:
    """Each broken rule has its statement, grade, source, location, actual and expected value."""
    create(client, slug="My-Service", exposed_port="8080")
    text = client.get("/_mock/requests/1").text
    for rule_id in ("service-slug-pattern", "exposed-port-type"):
        rule = load_contract(resources.find_resource("spec/openapi.yaml")).rules[rule_id]
        (article,) = re.findall(f"<article(?:(?!</article>).)*rule={rule_id}.*?</article>", text, re.DOTALL)
        parts = (rule.statement, rule.grade, rule.source, rule_id, "<dt>Actual</dt>", "<dt>Expected</dt>")
        assert [part for part in parts if part not in article] == []
    assert "<code>/exposed_port</code>" in text


def test_a_request_page_has_a_curl_command(client: Client) -> None:
    """The command has the path, the body, the relevant headers and a variable for the token."""
    client.put("/api/v1/containers/a%20b?x=1", data=b"{'", headers={**HEADERS, "X-Team-ID": "it's"})
    (curl,) = re.findall(r'<pre id="curl"[^>]*>(.*?)</pre>', client.get("/_mock/requests/1").text, re.DOTALL)
    assert curl.replace("&#39;", "'").replace("&#34;", '"') == (
        "curl -i -X PUT 'http://localhost/api/v1/containers/a%20b?x=1' \\\n"
        '  -H "Authorization: Bearer $TOKEN" \\\n'
        """  -H 'X-Team-Id: it'"'"'s' \\\n"""
        "  -H 'Content-Type: application/json' \\\n"
        """  --data-raw '{'"'"''"""
    )


@pytest.mark.parametrize(
    ("headers", "note"),
    [
        (
            HEADERS,
            "Set TOKEN to the token of sk-red first, as in export TOKEN=…; Callers has it.",
        ),
        (
            {"Authorization": "Bearer sk-made-up"},
            "Set TOKEN first, as in export TOKEN=…; the token that was sent",
        ),
        ({}, None),
    ],
    ids=["known", "unknown", "none"],
)
def test_a_request_page_says_which_token_the_command_reads(
    client: Client, headers: dict[str, str], note: str | None
) -> None:
    """The caller whose token TOKEN must hold is named above the command; a request without a token needs none."""
    client.post("/api/v1/containers", json={}, headers=headers)
    text = " ".join(re.sub(r"<[^>]*>", "", client.get("/_mock/requests/1").text).split())
    assert (note in text) if note else ("Set TOKEN" not in text)


def test_the_curl_command_reads_no_file(client: Client) -> None:
    """A body that begins with @ is sent as it is: --data-binary would send the file of that name."""
    client.post("/api/v1/containers", data=b"@/etc/passwd", headers=HEADERS)
    assert "  --data-raw @/etc/passwd</pre>" in client.get("/_mock/requests/1").text


@pytest.mark.parametrize(
    "path",
    [
        "",
        "requests/1",
        "requests/9",
        "page/services",
        "page/services/9",
        "page/script",
        "reference",
        "openapi.json",
        "page/page.js",
        "page/nothing.js",
    ],
)
def test_every_page_has_a_strict_policy(client: Client, path: str) -> None:
    """A page loads only files of the server, and cannot be framed."""
    create(client)
    response = client.get(f"/_mock/{path}")
    policy = response.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; ")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    if response.mimetype == "text/html":
        assert re.findall(r"<script(?![^>]* src=)|<style|\sstyle=|\son\w+=", response.text) == []
        assert set(re.findall(r'(?:src|href)="(?!data:|#)([^"]{7})', response.text)) == {"/_mock/"}


@pytest.mark.parametrize("number", ["0", "2", "-1", "x", "9" * 5000, "%00", "1%20"])
def test_an_unknown_request_is_not_found(client: Client, number: str) -> None:
    """An unknown number is a 404, also after the journal was cleared."""
    create(client)
    response = client.get(f"/_mock/requests/{number}")
    assert (response.status_code, "No such request" in response.text) == (404, True)
    client.delete("/_mock/journal")
    assert client.get("/_mock/requests/1").status_code == 404


def test_hostile_text_is_escaped() -> None:
    """Markup in a slug, an id, a path, a query, a header and a body is shown as text."""
    client = create_app(disabled_rules={"service-slug-pattern", "body-text"}).test_client()
    assert create(client, slug=HOSTILE_TEXT).status_code == 201
    assert create(client, slug="\x00").status_code == 201
    seed = {"service_slug": "abc", "display_name": "d", "docker_image": "n", "id": "\x00\n<b>alert"}
    assert client.post("/_mock/services", json=seed).status_code == 201
    client.get("/api/v1/<script>%00%FF?<script>", headers={"X-<script>": "<script>"})
    client.open("/api/v1/containers", method="<SCRIPT>", data=b"<script>\xff\x00")
    create(client, slug=HOSTILE_TEXT, exposed_port=HOSTILE_TEXT)
    for stored in client.get("/_mock/services").json["services"]:
        client.put(f"/api/v1/containers/{quote(stored['id'], safe='')}", json={}, headers=HEADERS)
    ids = re.findall(r'href="/_mock/page/services/([^"]+)"', client.get("/_mock/page/services").text)
    assert len(ids) == 3
    client.post("/_mock/script", json={"status": 500, "slug": HOSTILE_TEXT})
    paths = ("", "page/services", "page/script", "reference", *(f"requests/{n}" for n in range(1, 9)))
    pages = [client.get(f"/_mock/{path}") for path in (*paths, *(f"page/services/{key}" for key in ids))]
    assert {response.status_code for response in pages} == {200}
    for response in pages:
        assert re.findall(r"(?i)<(?:script(?! src=)|img|b>alert)|[\x00\x1b\u202e]", response.text) == []
    assert r"\u202e\x00\x1b[2J" in pages[0].text


def test_no_token_is_shown(client: Client) -> None:
    """Neither the token of a known caller nor an unknown one is shown."""
    secret = "sk-a-secret-0123456789"
    headers = {**HEADERS, "Authorization": f"Bearer {secret}", "X-Copy": secret}
    client.post(f"/api/v1/containers/{secret}?{secret}", data=secret, headers=headers)
    create(client, slug=RED)
    pages = [client.get(f"/_mock/{path}").text for path in ("", "requests/1", "requests/2")]
    assert [secret in text for text in pages] == [False] * 3
    assert [RED in text for text in pages[1:]] == [False] * 2


def test_only_packaged_tokens_are_shown() -> None:
    """Packaged tokens are shown for copying; those of a callers file are never shown."""
    packaged = create_app().test_client()
    caller = {"name": "me", "kind": "sk", "teams": ["red"], "token": "sk-mine-0123456789"}
    own = create_app(callers={"teams": CALLERS["teams"], "callers": [caller]}).test_client()
    assert RED in packaged.get("/_mock/").text
    assert f'name="token" value="{RED}"' in packaged.get("/_mock/reference").text
    assert "<b>me</b>" in own.get("/_mock/").text
    assert 'name="token" value=""' in own.get("/_mock/reference").text
    assert [caller["token"] in own.get(path).text for path in ("/_mock/", "/_mock/reference")] == [
        False,
        False,
    ]


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
    """A form that is not from a page of this server changes nothing."""
    create(client)
    for form in ("delete-services", "delete-requests", "services/x"):
        response = client.post(f"/_mock/page/{form}", data={"status": "running"}, headers=headers)
        assert response.status_code == (404 if form == "services/x" and status == 303 else status)
    assert client.get("/_mock/health").json["services"] == (1 if status == 403 else 0)


def test_static_files_are_revalidated(client: Client) -> None:
    """A browser that has the file gets a 304."""
    response = client.get("/_mock/page/reference.js")
    assert (response.status_code, response.mimetype, response.headers["Cache-Control"]) == (
        200,
        "text/javascript",
        "no-cache",
    )
    revalidation = client.get("/_mock/page/reference.js", headers={"If-None-Match": response.headers["ETag"]})
    assert (revalidation.status_code, revalidation.data) == (304, b"")


@pytest.mark.parametrize("name", ["nothing.js", "..%2fpage.py", "%00", "base.html"])
def test_an_unknown_file_is_not_found(client: Client, name: str) -> None:
    """Only files of the pages are served."""
    assert client.get(f"/_mock/page/{name}").status_code in {404, 405}


def test_an_unknown_page_leads_back(client: Client) -> None:
    """A browser shows a page with a link, not an empty window."""
    response = client.get("/_mock/page/nope")
    assert (response.status_code, response.mimetype) == (404, "text/html")
    assert "No such page" in response.text
    assert '<a href="/_mock/">Requests</a>' in response.text


def test_the_pages_are_part_of_the_control_plane() -> None:
    """Without the control plane every page is a 404."""
    client = create_app(control=False).test_client()
    paths = ("/_mock", "/_mock/", "/_mock/reference", "/_mock/openapi.json", "/_mock/page/page.js")
    assert [client.get(path).status_code for path in paths] == [404] * 5


def test_a_missing_slash_is_redirected(client: Client) -> None:
    """`/_mock` redirects to `/_mock/`."""
    response = client.get("/_mock")
    assert (response.status_code // 100, response.headers["Location"].removeprefix("http://localhost")) == (
        3,
        "/_mock/",
    )


def test_several_workers_are_announced() -> None:
    """With several workers the page says that each lists its own requests, and is not live."""
    text = create_app(workers=3).test_client().get("/_mock/").text
    assert "3 workers serve" in text
    assert "data-live" not in text


def test_disabled_rules_are_shown() -> None:
    """The page lists the disabled rules."""
    assert (
        "<code>slug-unique</code>"
        in create_app(disabled_rules={"slug-unique"}).test_client().get("/_mock/").text.split("</header>")[0]
    )


def test_a_proxy_has_pages_without_services() -> None:
    """A page without a mock has a title, the requests and the reference."""
    app, journal = Flask("proxy"), Journal(Redactor(()))
    register_pages(
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
    own = {rule.rule for rule in app.url_map.iter_rules()}
    assert {path for path in own if "service" in path or "script" in path} == set()


def test_creating_an_app_reads_no_page_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """Templates, scripts and styles are read on the first view."""
    reads: list[str] = []
    monkeypatch.setattr(Flask, "create_jinja_environment", lambda _: reads.append("jinja"))
    monkeypatch.setattr(renderer, "read_static_file", reads.append)
    create_app()
    assert reads == []


@pytest.mark.parametrize("header", ["Host", "Origin", "Sec-Fetch-Site", "If-None-Match"])
@pytest.mark.parametrize("value", ["[", "a:b:c", "<script>", "\x7f", "ÿ", "a b", ""])
def test_odd_headers_cause_no_error(client: Client, header: str, value: str) -> None:
    """The pages respond whatever the headers of the browser hold, and are refused under an odd name."""
    paths = ("/_mock/", "/_mock/reference", "/_mock/page/page.js", "/_mock/requests/1")
    create(client)
    expected = 4 if header == "Host" and value else 2
    assert [client.get(path, headers={header: value}).status_code // 100 for path in paths] == [expected] * 4
    assert client.post("/_mock/page/delete-requests", headers={header: value}).status_code in {403, 303}


def test_the_ids_of_the_teams_stand_beside_the_callers(client: Client) -> None:
    """A JWT names its team by an id, so the page has the ids to copy."""
    page = client.get("/_mock/").get_data(as_text=True)
    for label, team in CALLERS["teams"].items():
        assert f"the id of team {label}" in page
        assert team in page
