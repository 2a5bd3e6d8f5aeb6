"""The pages under `/_mock/` in a headless browser, with a mock on a socket."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Dialog, Page, expect
from werkzeug.test import Client

from mock_server.app.factory import create_app
from mock_server.proxy.app import create_proxy
from mock_server.testing.plugin import serving
from tests.support.browser import in_browser, watch_page
from tests.support.pages import HEADERS, HOSTILE_TEXT, create

pytestmark = [in_browser, pytest.mark.slow]
expect.set_options(timeout=20_000)  # long enough for a busy machine
UNKNOWN_ID = "0192f0c1-9a8b-7c6d-9e5f-404142434445"
TOP_OF_ELEMENT = "(element) => element.getBoundingClientRect().top"


class BrowserScene:
    """A mock, its client, and the pages that show it."""

    def __init__(self, browser: Browser, app: Any, origin: str) -> None:
        self._browser, self.origin = browser, origin
        self.client = Client(app)
        self.problems: list[list[str]] = []

    def open_page(self, path: str = "", width: int = 1280, **context: Any) -> Page:
        """Open the page at a path below /_mock/."""
        page = self._browser.new_page(viewport={"width": width, "height": 800}, **context)
        self.problems.append(watch_page(page, self.origin))
        page.goto(f"{self.origin}/_mock/{path}")
        return page

    @property
    def services(self) -> dict[str, str]:
        """Return the status of each stored service by slug."""
        services = self.client.get("/_mock/services").json["services"]
        return {service["service_slug"]: service["service_status"] for service in services}


@pytest.fixture
def scene(browser: Browser) -> Iterator[BrowserScene]:
    """Yield a mock on a socket, and check that no page had a problem."""
    app = create_app(disabled_rules={"service-slug-pattern"})
    with serving(app) as origin:
        browser_scene = BrowserScene(browser, app, origin)
        yield browser_scene
        for context in browser.contexts:
            context.close()
    assert browser_scene.problems == [[] for _ in browser_scene.problems]


def test_a_new_request_appears_without_a_reload(scene: BrowserScene) -> None:
    """A new request and its service appear on the open page."""
    page = scene.open_page()
    expect(page.get_by_text("No requests yet")).to_be_visible()
    page.evaluate("window.same = true")
    create(scene.client, "a-service")
    row = page.get_by_role("row").filter(has_text="POST /api/v1/containers")
    expect(row).to_contain_text("sk-red")
    expect(row).to_contain_text("201")
    expect(page.get_by_role("status").filter(has_text="1")).to_be_visible()
    expect(page.get_by_role("listitem").filter(has_text="a-service")).to_contain_text("created")
    assert page.get_by_text("No requests yet").count() == 0
    assert page.evaluate("window.same")


def test_a_refused_request_shows_its_rule(scene: BrowserScene) -> None:
    """The row has the rule, and its page has the statement of the rule."""
    page = scene.open_page()
    create(scene.client, "a-service")
    create(scene.client, "a-service")
    row = page.get_by_role("row").filter(has_text="slug-unique")
    expect(row).to_contain_text("409")
    row.click()
    article = page.get_by_role("article")
    expect(article).to_contain_text("A slug is used once within a team; another team may use the same.")
    expect(page.get_by_label("Response: body")).to_contain_text('"rule": "slug-unique"')
    article.get_by_role("link", name="slug-unique").click()
    expect(page.locator("#rows tr")).to_have_count(1)


def test_updates_keep_focus_and_selection(scene: BrowserScene) -> None:
    """A selected status stays selected while requests arrive and services change."""
    service = create(scene.client, "a-service").json["id"]
    page = scene.open_page("page/services")
    select = page.get_by_label("Status of a-service", exact=True)
    select.focus()
    select.select_option("failed")
    scene.client.put(f"/_mock/services/{service}/status/running")
    create(scene.client, "b-service")
    expect(page.locator("#stored tr")).to_have_count(2)
    expect(page.get_by_label("Status of b-service", exact=True)).to_be_visible()
    expect(select).to_be_focused()
    expect(select).to_have_value("failed")
    page.get_by_role("button", name="Set the status of a-service").click()
    assert scene.services["a-service"] == "failed"


def test_updates_keep_the_scroll_position(scene: BrowserScene) -> None:
    """A row stays at its position on the screen while requests arrive."""
    for number in range(40):
        create(scene.client, f"s-{number}")
    page = scene.open_page()
    page.mouse.wheel(0, 600)
    page.wait_for_function("scrollY > 500")
    row = page.locator("#request-12")
    before = row.evaluate(TOP_OF_ELEMENT)
    create(scene.client, "one-more")
    page.locator("#request-41").wait_for()
    assert row.evaluate(TOP_OF_ELEMENT) == pytest.approx(before, abs=1)


def _press_tab_until(page: Page, name: str) -> None:
    """Press Tab until the element with this name has the focus."""
    for _ in range(40):
        page.keyboard.press("Tab")
        element = page.locator(":focus")
        if element.count() and name in (element.get_attribute("aria-label") or element.inner_text()):
            return
    raise AssertionError(f"Tab does not reach {name}")


def test_the_pages_work_with_the_keyboard(scene: BrowserScene) -> None:
    """Tab and Enter skip the header, open a request and set a status, and the focus is visible."""
    create(scene.client, "a-service")
    page = scene.open_page()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_in_viewport()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Delete all requests")).to_be_focused()
    _press_tab_until(page, "/api/v1/containers")
    assert page.evaluate("getComputedStyle(document.activeElement, '::after').outlineWidth") == "2px"
    page.keyboard.press("Enter")
    expect(page.get_by_label("Request: body")).to_contain_text("a-service")
    _press_tab_until(page, "Services")
    page.keyboard.press("Enter")
    _press_tab_until(page, "Status of a-service")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineWidth") == "2px"
    page.keyboard.press("ArrowDown")
    _press_tab_until(page, "Set the status of a-service")
    page.keyboard.press("Enter")
    expect(page.locator(".state.deploying")).to_be_visible()
    assert scene.services == {"a-service": "deploying"}


@pytest.mark.parametrize(
    "path",
    ["", "requests/1", "requests/2", "requests/9", "page/services", "service", "page/script", "reference"],
)
def test_the_pages_fit_a_phone(scene: BrowserScene, path: str) -> None:
    """Long texts cause no horizontal scrolling, and a row is a card."""
    service = create(scene.client, HOSTILE_TEXT.replace("\0", "") + "x" * 300, service_desc="y" * 3000)
    scene.client.post("/_mock/script", json={"status": 500, "slug": "z" * 300, "headers": {"X-A": "h" * 300}})
    scene.client.get(f"/api/v1/{'z' * 300}?{'q' * 300}", headers={"X-Long": "h" * 300})
    path = f"page/services/{service.json['id']}" if path == "service" else path
    page = scene.open_page(path, width=375)
    for summary in page.locator("summary").all():
        summary.click()
    assert page.evaluate("document.documentElement.scrollWidth") == 375
    assert page.locator("#rows tr td").evaluate_all(
        "all => all.every((e) => getComputedStyle(e).display === 'block')"
    )


def test_the_filters_of_a_phone_stand_in_two_columns(scene: BrowserScene) -> None:
    """Each field of the filters begins and ends where the others of its column do."""
    page = scene.open_page(width=375)
    measure = "all => all.map((e) => e.getBoundingClientRect()).map((r) => [r.left, r.right].join())"
    places = page.locator(".filters :is(select, input)").evaluate_all(measure)
    assert len(places) == 6
    assert [place == places[number % 2] for number, place in enumerate(places)] == [True] * 6
    assert places[0] != places[1]


def test_a_wrapped_rule_does_not_move_the_row(scene: BrowserScene) -> None:
    """Time, caller and status stand beside the first line of a rule id that has two."""
    scene.client.post("/api/v1/containers", json={}, headers=HEADERS)
    page = scene.open_page()
    top = "one => { const r = document.createRange(); r.selectNodeContents(one); return r.getClientRects()[0].top; }"
    cells = page.locator("#rows tr").first
    cells.locator(".rules").evaluate("one => { one.innerHTML = '<code>service-slug-<br>required</code>'; }")
    tops = [cells.locator(name).evaluate(top) for name in (".time time", ".rules code")]
    assert abs(tops[0] - tops[1]) < 6


def test_short_paths_leave_their_room_to_the_rules(scene: BrowserScene) -> None:
    """Beside creates alone, three rules fit into a line; an update widens the requests, and its id is not broken."""
    widths = "(row) => ['.request', '.rules'].map((name) => row.querySelector(name).clientWidth)"
    invalid = {"display_name": 5, "exposed_port": "80", "gpu_count": "1"}
    scene.client.post("/api/v1/containers", json=invalid, headers=HEADERS)
    request, rules = scene.open_page().locator("#rows tr").first.evaluate(widths)
    assert request < rules > 400
    scene.client.put(f"/api/v1/containers/{UNKNOWN_ID}", json={}, headers=HEADERS)
    link = scene.open_page().locator("#rows .request a").first
    assert link.evaluate("(element) => element.getBoundingClientRect().height") < 30


@pytest.mark.parametrize("path", ["", "page/services"])
@pytest.mark.parametrize("width", [375, 700, 1024])
def test_a_list_is_as_wide_as_a_narrow_page(scene: BrowserScene, width: int, path: str) -> None:
    """Without room for two columns, requests and services have the whole width, and nothing scrolls sideways."""
    create(scene.client, "a-service")
    page = scene.open_page(path, width=width)
    main, table = (
        page.locator(name).evaluate("(element) => element.getBoundingClientRect().width")
        for name in ("main", "table")
    )
    assert main - table <= 40  # the margins of the page
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_the_pages_work_without_scripts(scene: BrowserScene) -> None:
    """Reload, forms and links need no script."""
    page = scene.open_page(java_script_enabled=False)
    create(scene.client, "a-service")
    page.reload()
    page.get_by_role("link", name="/api/v1/containers").click()
    expect(page.get_by_label("Request: body")).to_contain_text("a-service")
    page.get_by_role("link", name="a-service").click()
    page.get_by_label("Status of a-service", exact=True).select_option("failed")
    page.get_by_role("button", name="Set the status of a-service").click()
    expect(page.locator(".state.failed")).to_be_visible()
    assert scene.services == {"a-service": "failed"}
    page.get_by_role("link", name="Faults").click()
    page.get_by_label("Status").fill("503")
    page.get_by_role("button", name="Add the step").click()
    expect(page.get_by_text("returns 503 Service Unavailable")).to_be_visible()
    page.get_by_role("button", name="Remove step 1").click()
    expect(page.get_by_text("No faults are scripted.")).to_be_visible()
    page.get_by_role("link", name="Services", exact=True).click()
    page.get_by_role("button", name="Delete all services").click()
    expect(page.get_by_text("No services are stored.")).to_be_visible()
    assert scene.services == {}


def test_nothing_is_deleted_before_it_is_confirmed(scene: BrowserScene) -> None:
    """With scripts the page asks first: services stay where the answer is no."""
    create(scene.client, "a-service")
    page = scene.open_page("page/services")
    questions: list[str] = []

    def answer(dialog: Dialog) -> None:
        questions.append(dialog.message)
        dialog.accept() if questions[1:] else dialog.dismiss()

    page.on("dialog", answer)
    for deleted in (0, 1):
        page.get_by_role("button", name="Delete all services").click()
        expect(page.get_by_text("No services are stored.")).to_have_count(deleted)
    assert questions == ["Delete all services?"] * 2
    assert scene.services == {}


def test_a_form_of_another_origin_is_refused(scene: BrowserScene, browser: Browser) -> None:
    """The browser reports the other origin, and no service is deleted."""
    create(scene.client, "a-service")
    page = browser.new_page()
    form = (
        f'<form method="post" action="{scene.origin}/_mock/page/delete-services"><button>Win</button></form>'
    )
    page.route("http://elsewhere.example/", lambda route: route.fulfill(body=form, content_type="text/html"))
    page.goto("http://elsewhere.example/")
    with page.expect_response("**/delete-services") as response_info:
        page.get_by_role("button").click()
    assert (response_info.value.status, scene.services) == (403, {"a-service": "created"})


def test_a_lost_connection_is_shown(browser: Browser) -> None:
    """The page reports the lost connection until the mock responds again."""
    with serving(create_app()) as origin:
        page = browser.new_page()
        page.goto(f"{origin}/_mock/")
        page.route("**/_mock/", lambda route: route.abort())
        expect(page.get_by_text("No response; trying again.")).to_be_visible()
        page.unroute("**/_mock/")
        expect(page.get_by_text("No response; trying again.")).to_be_hidden()


def test_the_command_is_copied(scene: BrowserScene) -> None:
    """The button copies exactly the curl command."""
    create(scene.client, "a-service")
    page = scene.open_page("requests/1", permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == page.locator("#curl").text_content()


def test_the_id_of_a_service_is_copied(scene: BrowserScene) -> None:
    """The button beside the id copies it."""
    service = create(scene.client, "a-service").json["id"]
    page = scene.open_page(f"page/services/{service}", permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy the id").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == service


def test_the_pager_of_an_open_page_leads_on(scene: BrowserScene) -> None:
    """On a page that was left open, the link to older requests follows the last row that is shown."""
    for number in range(50):
        create(scene.client, f"s-{number}")
    page = scene.open_page()
    expect(page.get_by_role("link", name="Show older")).to_have_count(0)
    create(scene.client, "s-50")
    older = page.get_by_role("link", name="Show older")
    expect(older).to_have_attribute("href", "/_mock/?before=2")
    older.focus()
    create(scene.client, "s-51")
    expect(older).to_have_attribute("href", "/_mock/?before=3")
    expect(older).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#rows tr")).to_have_count(2)


def test_the_page_of_a_service_is_live(scene: BrowserScene) -> None:
    """Status, body and requests of a service follow without a reload; once it is deleted, the page says so."""
    service = create(scene.client, "a-service").json["id"]
    page = scene.open_page(f"page/services/{service}")
    body = {"display_name": "another"}
    scene.client.put(f"/api/v1/containers/{service}", json=body, headers=HEADERS)
    scene.client.put(f"/_mock/services/{service}/status/running")
    expect(page.locator(".state.running")).to_be_visible()
    expect(page.locator("#stored-body")).to_contain_text("another")
    expect(page.locator("#rows tr")).to_have_count(2)
    scene.client.delete("/_mock/services")
    expect(page.get_by_role("heading", name="No such service")).to_be_visible()


def test_the_page_of_a_proxy_fills_its_width(browser: Browser) -> None:
    """Without services beside them, the requests have the whole width."""
    with serving(create_proxy("http://127.0.0.1:9")) as origin:
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(f"{origin}/_mock/")
        width = page.locator("#rows").evaluate("(element) => element.getBoundingClientRect().width")
        page.close()
    assert width > 1200


def test_try_it_creates_a_service(scene: BrowserScene) -> None:
    """The forms send the examples with the packaged token; a created service is the one to update and to read."""
    page = scene.open_page("reference")
    create_form, update_form = (
        page.get_by_label(f"Try {name}") for name in ("createContainer", "updateContainer")
    )
    create_form.get_by_role("button", name="Send").click()
    expect(create_form.get_by_role("status")).to_contain_text("201")
    assert scene.services == {"vllm-llama": "created"}
    stored = scene.client.get("/_mock/services").json["services"][0]
    expect(update_form.get_by_label("serviceId")).to_have_value(stored["id"])
    update_form.get_by_role("button", name="Send").click()
    expect(update_form.get_by_role("status")).to_contain_text("200")
    create_form.get_by_label("Example").select_option(label="An external service with a stored credential")
    create_form.get_by_role("button", name="Send").click()
    expect(create_form.get_by_role("status")).to_contain_text('"id"')
    expect(page.get_by_label("Try readContainer").get_by_label("serviceSlug")).to_have_value("weather")
