"""The page at `/_mock/` in a browser without a window, before a mock on a real socket."""

import itertools
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from werkzeug.test import Client

from mock_server.app.factory import create_app
from mock_server.testing.plugin import serving
from tests.mock_server.admin.test_pages import HOSTILE, create
from tests.support.browser import chromium, in_browser
from tests.support.clients import over_wsgi
from tests.support.fixture_player import PREFIX, Case, Play, Reply, Send, cases, verdict

pytestmark = in_browser
expect.set_options(timeout=20_000)  # no wait but on a machine that is busy
TOP = "(element) => element.getBoundingClientRect().top"
#: What Chromium itself says of an answer that is a refusal, as it should be.
REFUSED = "Failed to load resource: the server responded with a status of 4"


@pytest.fixture(scope="module")
def browser(closing: Callable[[AbstractContextManager[Any]], Any]) -> Browser:
    """A headless Chromium."""
    return chromium(closing)


def watched(page: Page, origin: str) -> list[str]:
    """What the page does that it should not: it complains, or asks another host."""
    seen: list[str] = []

    def heard(message: Any) -> None:
        if message.type in {"error", "warning"} and not message.text.startswith(REFUSED):
            seen.append(message.text)

    page.on("console", heard)
    page.on("pageerror", lambda error: seen.append(str(error)))
    page.on("request", lambda r: None if r.url.startswith((f"{origin}/", "data:")) else seen.append(r.url))
    return seen


class Scene:
    """A mock, a client of it, and pages that look at it."""

    def __init__(self, browser: Browser, app: Any, origin: str) -> None:
        self._browser, self.origin = browser, origin
        self.client = Client(app)
        self.seen: list[list[str]] = []

    def look(self, path: str = "", width: int = 1280, **context: Any) -> Page:
        """A page at the path below /_mock/."""
        page = self._browser.new_page(viewport={"width": width, "height": 800}, **context)
        self.seen.append(watched(page, self.origin))
        page.goto(f"{self.origin}/_mock/{path}")
        return page

    @property
    def services(self) -> dict[str, str]:
        """The stored services: slug and status."""
        stored = self.client.get("/_mock/services").json["services"]
        return {service["service_slug"]: service["service_status"] for service in stored}


@pytest.fixture
def scene(browser: Browser) -> Iterator[Scene]:
    """A mock on a socket; at the end no page has complained or asked another host."""
    app = create_app(disabled_rules={"service-slug-pattern"})
    with serving(app) as origin:
        made = Scene(browser, app, origin)
        yield made
        for context in browser.contexts:
            context.close()
    assert made.seen == [[] for _ in made.seen]


def test_a_request_appears_by_itself(scene: Scene) -> None:
    """What a client sends is on the page within a moment, with its service, and without a reload."""
    page = scene.look()
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


def test_a_refused_request_shows_its_rule_and_its_sentence(scene: Scene) -> None:
    """The rule is in the row; a click shows the sentence of the contract that the request breaks."""
    page = scene.look()
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


def test_news_leave_focus_and_choice_alone(scene: Scene) -> None:
    """While a status is being chosen, requests arrive and services change; the choice stays as it is."""
    service = create(scene.client, "a-service").json["id"]
    page = scene.look()
    chooser = page.get_by_label("Status of a-service", exact=True)
    chooser.focus()
    chooser.select_option("failed")
    scene.client.put(f"/_mock/services/{service}/status/running")
    create(scene.client, "b-service")
    expect(page.locator("#rows tr")).to_have_count(2)
    expect(page.get_by_label("Status of b-service", exact=True)).to_be_visible()
    expect(chooser).to_be_focused()
    expect(chooser).to_have_value("failed")
    page.get_by_role("button", name="Set the status of a-service").click()
    assert scene.services["a-service"] == "failed"


def test_news_leave_the_place_alone(scene: Scene) -> None:
    """Who reads further down goes on reading: the row stays where it is on the screen."""
    for number in range(40):
        create(scene.client, f"s-{number}")
    page = scene.look()
    page.mouse.wheel(0, 600)
    page.wait_for_function("scrollY > 500")
    row = page.locator("#request-12")
    before = row.evaluate(TOP)
    create(scene.client, "one-more")
    page.locator("#request-41").wait_for()
    assert row.evaluate(TOP) == pytest.approx(before, abs=1)


def _tab_to(page: Page, name: str) -> None:
    """Presses Tab until what has the focus is called so."""
    for _ in range(40):
        page.keyboard.press("Tab")
        focused = page.locator(":focus")
        if focused.count() and name in (focused.get_attribute("aria-label") or focused.inner_text()):
            return
    raise AssertionError(f"Tab does not reach {name}")


def test_everything_is_reached_without_a_mouse(scene: Scene) -> None:
    """Tab and Enter open an exchange; Tab, an arrow and Enter set a status; each focus can be seen."""
    create(scene.client, "a-service")
    page = scene.look()
    _tab_to(page, "/api/v1/containers")
    assert page.evaluate("getComputedStyle(document.activeElement, '::after').outlineWidth") == "2px"
    page.keyboard.press("Enter")
    expect(page.get_by_label("Request: body")).to_contain_text("a-service")
    page.go_back()
    _tab_to(page, "Status of a-service")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineWidth") == "2px"
    page.keyboard.press("ArrowDown")
    _tab_to(page, "Set the status of a-service")
    page.keyboard.press("Enter")
    expect(page.locator(".state.deploying")).to_be_visible()
    assert scene.services == {"a-service": "deploying"}


@pytest.mark.parametrize("path", ["", "requests/1", "requests/2", "requests/9", "reference"])
def test_the_page_is_as_wide_as_a_phone(scene: Scene, path: str) -> None:
    """Whatever was sent, nothing is to be scrolled sideways; a row is a card."""
    create(scene.client, HOSTILE.replace("\0", "") + "x" * 300, service_desc="y" * 3000)
    scene.client.get(f"/api/v1/{'z' * 300}?{'q' * 300}", headers={"X-Long": "h" * 300})
    page = scene.look(path, width=375)
    if path == "reference":
        page.locator(".opblock-summary-control").first.click()
        page.get_by_role("button", name="Try it out").click()
    assert page.evaluate("document.documentElement.scrollWidth") == 375
    assert page.locator("#rows tr td").evaluate_all(
        "all => all.every((e) => getComputedStyle(e).display === 'block')"
    )


def test_the_page_works_without_scripts(scene: Scene) -> None:
    """A reload shows what is new; the forms and the links need no script."""
    page = scene.look(java_script_enabled=False)
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


def test_a_form_of_another_page_is_refused(scene: Scene, browser: Browser) -> None:
    """The browser itself says that the page of another origin has sent it, and nothing is forgotten."""
    create(scene.client, "a-service")
    page = browser.new_page()
    form = (
        f'<form method="post" action="{scene.origin}/_mock/page/delete-services"><button>Win</button></form>'
    )
    page.route("http://elsewhere.example/", lambda route: route.fulfill(body=form, content_type="text/html"))
    page.goto("http://elsewhere.example/")
    with page.expect_response("**/delete-services") as answered:
        page.get_by_role("button").click()
    assert (answered.value.status, scene.services) == (403, {"a-service": "created"})


def test_a_mock_that_is_gone_is_told_of(browser: Browser) -> None:
    """The page says that nobody answers, and goes on when somebody does."""
    with serving(create_app()) as origin:
        page = browser.new_page()
        page.goto(f"{origin}/_mock/")
        page.route("**/_mock/", lambda route: route.abort())
        expect(page.get_by_text("No response; trying again.")).to_be_visible()
        page.unroute("**/_mock/")
        expect(page.get_by_text("No response; trying again.")).to_be_hidden()


def test_the_command_is_copied(scene: Scene) -> None:
    """The button beside the curl puts exactly that on the clipboard."""
    create(scene.client, "a-service")
    page = scene.look("requests/1", permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == page.locator("#curl").text_content()


def test_try_it_creates_a_service(scene: Scene) -> None:
    """Two clicks, with the packaged token and the first example of the contract: 201, and the service is stored."""
    page = scene.look("reference", color_scheme="dark")
    page.locator(".opblock-post .opblock-summary-control").click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    expect(page.locator(".live-responses-table .response-col_status").last).to_contain_text("201")
    assert scene.services == {"vllm-llama": "created"}


# --- The fixtures, sent by the try-it of the page


CASES = cases()
NOT_FROM_A_BROWSER = {
    "media-type-missing": "a browser names a media type of its own for a text",
    "json-latin-1": "the editor of try-it holds text, not bytes",
    "json-latin-1-on-update": "the editor of try-it holds text, not bytes",
}
#: What Execute does with what is filled in. Only a case that asks for other headers than the form can say has them
#: put in place, by the hook that Swagger UI has for it.
EXECUTE = """async (requests) => {
  const { fn, specSelectors } = ui.getSystem();
  const spec = specSelectors.specJsonWithResolvedSubtrees().toJS();
  const replies = {};
  const send = async ([id, operationId, parameters, headers, body, bent]) => {
    const token = /^Bearer (.+)$/.exec(headers.Authorization ?? "")?.[1];
    const own = ["Authorization", "Content-Type", "X-Team-ID"];
    const requestInterceptor = (request) => {
      const others = Object.entries(request.headers).filter(([name]) => !own.includes(name));
      return Object.assign(request, { headers: { ...Object.fromEntries(others), ...headers } });
    };
    const reply = await fn.execute({
      spec, operationId, parameters, requestBody: body, requestContentType: "application/json",
      contextUrl: location.href, responseContentType: "*/*",
      securities: { authorized: token ? { bearerAuth: { value: token } } : {} },
      ...(bent ? { requestInterceptor } : {}),
    }).catch((error) => error.response ?? { status: 0, text: String(error) });
    replies[id] = [reply.status, reply.text];
  };
  const waiting = [...requests];
  const worker = async () => { while (waiting.length) await send(waiting.shift()); };
  await Promise.all(Array.from({ length: 6 }, worker));
  return replies;
}"""


def last_request(send: Send, case: Case) -> list[Any]:
    """The judging request of a case, as it is filled in; the steps before it are sent."""
    number, last = itertools.count(1), []

    def until_the_last(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        if next(number) < len(case.steps):
            return send(method, path, headers, body)
        tail = path.removeprefix(PREFIX).rpartition("/")[2]
        team = {"X-Team-ID": headers["X-Team-ID"]} if "X-Team-ID" in headers else {}
        filled = {"serviceId": tail, "serviceSlug": tail, **team}
        bent = "headers" in case.steps[-1] or not body
        last.extend([case.id, case.operation, filled, dict(headers), body.decode(), bent])
        return Reply(0, {}, b"{}")

    Play(until_the_last).run(case)
    return last


@pytest.fixture(scope="module")
def replies(browser: Browser, closing: Callable[[AbstractContextManager[Any]], Any]) -> dict[str, Reply]:
    """What try-it is answered to the last request of each case that a browser can send."""
    app = create_app()
    origin = closing(serving(app))
    with over_wsgi(app) as send:
        requests = [last_request(send, case) for case in CASES if case.id not in NOT_FROM_A_BROWSER]
    page = browser.new_page()
    seen = watched(page, origin)
    page.goto(f"{origin}/_mock/reference")
    page.locator(".opblock-put .opblock-summary-control").wait_for()  # until then there may be none to open
    for summary in page.locator(".opblock-summary-control").all():
        summary.click()
    page.get_by_role("button", name="Try it out").last.wait_for()
    answered = page.evaluate(EXECUTE, requests)
    page.close()
    assert seen == []
    return {case_id: Reply(status, {}, text.encode()) for case_id, (status, text) in answered.items()}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_try_it_is_answered_as_the_fixtures_say(replies: Mapping[str, Reply], case: Case) -> None:
    """The status is that of the case's rule, and a refusal names that rule alone."""
    if case.id in NOT_FROM_A_BROWSER:
        pytest.skip(NOT_FROM_A_BROWSER[case.id])
    assert verdict(case, replies[case.id]) == ""
