"""The API reference sends the requests of the fixtures from a headless browser, as they are."""

import itertools
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

import pytest
from playwright.sync_api import Browser

from mock_server.app.factory import create_app
from mock_server.testing.plugin import serving
from tests.support.browser import in_browser, watch_page
from tests.support.clients import over_wsgi
from tests.support.fixture_player import PREFIX, Case, FixturePlayer, Response, Send, cases, find_problem

pytestmark = [in_browser, pytest.mark.slow]
#: A browser adds a media type to a text, and a form holds text, not bytes.
NOT_FROM_A_BROWSER = {"media-type-missing", "json-latin-1", "json-latin-1-on-update"}
#: One case of each rule, operation and outcome: the forms send any value in the same way.
CASES = [
    *{(c.rule, c.operation, c.expect): c for c in cases() if c.id not in NOT_FROM_A_BROWSER}.values(),
]
#: Fills and sends the forms. Header fields that a form has no input for are typed as lines.
SEND_FORMS = """async (requests) => {
  const responses = {};
  const originalFetch = window.fetch;
  for (const [id, operation, values, headers, body] of requests) {
    const form = document.querySelector(`form[aria-label="Try ${operation}"]`);
    const token = /^Bearer (.+)$/.exec(headers.Authorization ?? "")?.[1];
    form.elements.token.value = token ?? "";
    for (const input of form.querySelectorAll("[data-in]")) input.value = values[input.dataset.name] ?? "";
    const lines = Object.entries(headers).filter(([name, value]) =>
      !(name === "Authorization" && token) && !(name === "X-Team-ID" && value));
    form.elements.headers.value = lines.map((line) => line.join(": ")).join("\\n");
    if (form.elements.body) form.elements.body.value = body;
    const sent = new Promise((resolve) => {
      window.fetch = async (...request) => {
        const response = await originalFetch(...request);
        resolve(response.clone().text().then((text) => [response.status, text]));
        return response;
      };
    });
    form.requestSubmit();
    responses[id] = await sent;
  }
  window.fetch = originalFetch;
  return responses;
}"""


def build_last_request(send: Send, case: Case) -> list[Any]:
    """Return the last request of a case for the form; the steps before it are sent."""
    number, last = itertools.count(1), []

    def send_until_last(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Response:
        if next(number) < len(case.steps):
            return send(method, path, headers, body)
        identifier = path.removeprefix(PREFIX).rpartition("/")[2]
        values = {"serviceId": identifier, "serviceSlug": identifier, "X-Team-ID": headers.get("X-Team-ID")}
        last.extend([case.id, case.operation, values, dict(headers), body.decode()])
        return Response(0, {}, b"{}")

    FixturePlayer(send_until_last).run(case)
    return last


@pytest.fixture(scope="module")
def responses(browser: Browser, closing: Callable[[AbstractContextManager[Any]], Any]) -> dict[str, Response]:
    """Return the response to the last request of each case."""
    app = create_app()
    origin = closing(serving(app))
    with over_wsgi(app) as send:
        requests = [build_last_request(send, case) for case in CASES]
    page = browser.new_page()
    problems = watch_page(page, origin)
    page.goto(f"{origin}/_mock/reference")
    results = page.evaluate(SEND_FORMS, requests)
    page.close()
    assert problems == []
    return {case_id: Response(status, {}, text.encode()) for case_id, (status, text) in results.items()}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_try_it_gets_the_responses_of_the_fixtures(responses: Mapping[str, Response], case: Case) -> None:
    """The status is that of the case's rule, and a refusal names that rule alone."""
    assert find_problem(case, responses[case.id]) == ""
