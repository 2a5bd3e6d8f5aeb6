"""The pages under `/_mock/` in a headless browser, with a mock on a socket."""

import itertools
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from werkzeug.test import Client

from mock_server.app.factory import create_app
from mock_server.testing.plugin import serving
from tests.support.browser import chromium, in_browser
from tests.support.clients import over_wsgi
from tests.support.fixture_player import PREFIX, Case, FixturePlayer, Response, Send, cases, find_problem
from tests.support.pages import HOSTILE_TEXT, create

pytestmark = [in_browser, pytest.mark.slow]
expect.set_options(timeout=20_000)  # long enough for a busy machine
TOP_OF_ELEMENT = "(element) => element.getBoundingClientRect().top"
#: Chromium logs this message for each refusal.
REFUSAL_MESSAGE = "Failed to load resource: the server responded with a status of 4"


@pytest.fixture(scope="module")
def browser(closing: Callable[[AbstractContextManager[Any]], Any]) -> Browser:
    """Return a headless Chromium."""
    return chromium(closing)


def watch_page(page: Page, origin: str) -> list[str]:
    """Record errors, warnings and requests to other hosts of a page."""
    problems: list[str] = []

    def on_console(message: Any) -> None:
        if message.type in {"error", "warning"} and not message.text.startswith(REFUSAL_MESSAGE):
            problems.append(message.text)

    page.on("console", on_console)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on(
        "request", lambda r: None if r.url.startswith((f"{origin}/", "data:")) else problems.append(r.url)
    )
    return problems


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
    page = scene.open_page()
    select = page.get_by_label("Status of a-service", exact=True)
    select.focus()
    select.select_option("failed")
    scene.client.put(f"/_mock/services/{service}/status/running")
    create(scene.client, "b-service")
    expect(page.locator("#rows tr")).to_have_count(2)
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
    """Tab and Enter open a request and set a status, and the focus is visible."""
    create(scene.client, "a-service")
    page = scene.open_page()
    _press_tab_until(page, "/api/v1/containers")
    assert page.evaluate("getComputedStyle(document.activeElement, '::after').outlineWidth") == "2px"
    page.keyboard.press("Enter")
    expect(page.get_by_label("Request: body")).to_contain_text("a-service")
    page.go_back()
    _press_tab_until(page, "Status of a-service")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineWidth") == "2px"
    page.keyboard.press("ArrowDown")
    _press_tab_until(page, "Set the status of a-service")
    page.keyboard.press("Enter")
    expect(page.locator(".state.deploying")).to_be_visible()
    assert scene.services == {"a-service": "deploying"}


@pytest.mark.parametrize("path", ["", "requests/1", "requests/2", "requests/9", "reference"])
def test_the_pages_fit_a_phone(scene: BrowserScene, path: str) -> None:
    """Long texts cause no horizontal scrolling, and a row is a card."""
    create(scene.client, HOSTILE_TEXT.replace("\0", "") + "x" * 300, service_desc="y" * 3000)
    scene.client.get(f"/api/v1/{'z' * 300}?{'q' * 300}", headers={"X-Long": "h" * 300})
    page = scene.open_page(path, width=375)
    if path == "reference":
        page.locator(".opblock-summary-control").first.click()
        page.get_by_role("button", name="Try it out").click()
    assert page.evaluate("document.documentElement.scrollWidth") == 375
    assert page.locator("#rows tr td").evaluate_all(
        "all => all.every((e) => getComputedStyle(e).display === 'block')"
    )


def test_the_pages_work_without_scripts(scene: BrowserScene) -> None:
    """Reload, forms and links need no script."""
    page = scene.open_page(java_script_enabled=False)
    create(scene.client, "a-service")
    page.reload()
    page.get_by_label("Status of a-service", exact=True).select_option("failed")
    page.get_by_role("button", name="Set the status of a-service").click()
    assert scene.services == {"a-service": "failed"}
    page.get_by_role("link", name="/api/v1/containers").click()
    expect(page.get_by_label("Request: body")).to_contain_text("a-service")
    page.go_back()
    page.get_by_role("button", name="Delete all services").click()
    expect(page.get_by_text("No services are stored.")).to_be_visible()
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


def test_try_it_creates_a_service(scene: BrowserScene) -> None:
    """The reference sends the first example of the contract with the packaged token."""
    page = scene.open_page("reference", color_scheme="dark")
    page.locator(".opblock-post .opblock-summary-control").click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    expect(page.locator(".live-responses-table .response-col_status").last).to_contain_text("201")
    assert scene.services == {"vllm-llama": "created"}


# --- the fixtures, sent by the API reference


CASES = cases()
NOT_FROM_A_BROWSER = {
    "media-type-missing": "a browser adds a media type to a text",
    "json-latin-1": "the form holds text, not bytes",
    "json-latin-1-on-update": "the form holds text, not bytes",
}
#: Sends requests like the Execute button. Headers that the form cannot express are set by an interceptor.
EXECUTE = """async (requests) => {
  const { fn, specSelectors } = ui.getSystem();
  const spec = specSelectors.specJsonWithResolvedSubtrees().toJS();
  const responses = {};
  const send = async ([id, operationId, parameters, headers, body, needsInterceptor]) => {
    const token = /^Bearer (.+)$/.exec(headers.Authorization ?? "")?.[1];
    const caseHeaders = ["Authorization", "Content-Type", "X-Team-ID"];
    const requestInterceptor = (request) => {
      const others = Object.entries(request.headers).filter(([name]) => !caseHeaders.includes(name));
      return Object.assign(request, { headers: { ...Object.fromEntries(others), ...headers } });
    };
    const response = await fn.execute({
      spec, operationId, parameters, requestBody: body, requestContentType: "application/json",
      contextUrl: location.href, responseContentType: "*/*",
      securities: { authorized: token ? { bearerAuth: { value: token } } : {} },
      ...(needsInterceptor ? { requestInterceptor } : {}),
    }).catch((error) => error.response ?? { status: 0, text: String(error) });
    responses[id] = [response.status, response.text];
  };
  const waiting = [...requests];
  const worker = async () => { while (waiting.length) await send(waiting.shift()); };
  await Promise.all(Array.from({ length: 6 }, worker));
  return responses;
}"""


def build_last_request(send: Send, case: Case) -> list[Any]:
    """Return the last request of a case for the form; the steps before it are sent."""
    number, last = itertools.count(1), []

    def send_until_last(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Response:
        if next(number) < len(case.steps):
            return send(method, path, headers, body)
        identifier = path.removeprefix(PREFIX).rpartition("/")[2]
        team = {"X-Team-ID": headers["X-Team-ID"]} if "X-Team-ID" in headers else {}
        parameters = {"serviceId": identifier, "serviceSlug": identifier, **team}
        needs_interceptor = "headers" in case.steps[-1] or not body
        last.extend([case.id, case.operation, parameters, dict(headers), body.decode(), needs_interceptor])
        return Response(0, {}, b"{}")

    FixturePlayer(send_until_last).run(case)
    return last


@pytest.fixture(scope="module")
def responses(browser: Browser, closing: Callable[[AbstractContextManager[Any]], Any]) -> dict[str, Response]:
    """Return the response to the last request of each case that a browser can send."""
    app = create_app()
    origin = closing(serving(app))
    with over_wsgi(app) as send:
        requests = [build_last_request(send, case) for case in CASES if case.id not in NOT_FROM_A_BROWSER]
    page = browser.new_page()
    problems = watch_page(page, origin)
    page.goto(f"{origin}/_mock/reference")
    page.locator(".opblock-put .opblock-summary-control").wait_for()  # the operations are rendered late
    for summary in page.locator(".opblock-summary-control").all():
        summary.click()
    page.get_by_role("button", name="Try it out").last.wait_for()
    results = page.evaluate(EXECUTE, requests)
    page.close()
    assert problems == []
    return {case_id: Response(status, {}, text.encode()) for case_id, (status, text) in results.items()}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_try_it_gets_the_responses_of_the_fixtures(responses: Mapping[str, Response], case: Case) -> None:
    """The status is that of the case's rule, and a refusal names that rule alone."""
    if case.id in NOT_FROM_A_BROWSER:
        pytest.skip(NOT_FROM_A_BROWSER[case.id])
    assert find_problem(case, responses[case.id]) == ""
