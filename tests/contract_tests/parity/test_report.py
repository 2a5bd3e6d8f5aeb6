"""The report of a comparison: in a terminal, as JSON, and as a page."""

import html
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from contract_tests.parity.files import parity_to_json, write_parity
from contract_tests.parity.pairs.compare import Difference
from contract_tests.parity.pairs.score import Example, Part, Score
from contract_tests.parity.report import ParityReport, format_score, list_example_commands, list_lines
from contract_tests.targets.exchange import Exchange
from mock_server import create_app
from tests.support.axe import find_axe_violations
from tests.support.browser import in_browser
from tests.support.gate import messages, planting
from tests.support.gate.parity import compare_app

SECRET = "sk-red-5f0c7c1e9a"


@pytest.fixture(scope="module")
def report() -> ParityReport:
    """Return the comparison of a mock with another status and without a rule, cut to a few requests."""
    app = create_app(profile={"choices": {"invalid-body-status": 418}}, disabled_rules={"auth-known"})
    return compare_app(app, None, requests=600)


@pytest.mark.parametrize(
    ("score", "text"),
    [
        (Score(1988, 2000), "99.4 % (99.0 to 99.7) of 2,000"),
        (Score(2000, 2000), "100.0 % (99.8 to 100.0) of 2,000"),
        (Score(99_999, 100_000), "99.99 % (99.99 to 99.99) of 100,000"),
        (Score(), "nothing to compare"),
    ],
)
def test_a_score_is_told_with_its_interval(score: Score, text: str) -> None:
    """A share below the whole is never told as 100 %."""
    assert format_score(score) == text


@pytest.mark.slow
def test_each_part_has_a_line_with_an_example(report: ParityReport) -> None:
    """The rule or choice, the dimension, how often, what both answered, and a command without the token.

    The last lines say in plain words how many of them differ.
    """
    lines = [*list_lines(report, 100)]
    (place,) = (
        number
        for number, line in enumerate(lines)
        if line.startswith("✗ invalid-body-status (choice), status:")
    )
    assert (
        lines[place + 1].strip() == "With which status is a body refused that breaks a rule about its values?"
    )
    assert lines[place + 2].strip() == "status: deployment 418, mock 400"
    assert lines[place + 3].strip().startswith("curl -i -X ")
    assert "$TOKEN" in lines[place + 3]
    assert any(line.startswith("✗ unknown-tokens (choice), accept or refuse: ") for line in lines)
    assert any("tried: not-while-busy: needs --control-hook" in line for line in lines)
    assert any(line.startswith("choices: 2 differ, ") for line in lines)
    assert lines[-2].startswith("DIFFERS on 2 choices: agrees in ")
    assert SECRET not in "\n".join(lines)


def list_states(report: ParityReport) -> set[tuple[str, bool]]:
    """Return the states of rules that were not verified, and whether requests touched them."""
    unproved = [row for row in report.rule_rows if row.state in ("tried", "skipped")]
    return {(row.state, row.requests > 0) for row in unproved}


def test_a_rule_about_which_requests_agree_is_tried_not_skipped(report: ParityReport) -> None:
    """Few requests may leave out the cases of a rule, while others touch it; fewer leave out both."""
    assert list_states(report) == {("tried", True)}
    assert list_states(compare_app(create_app(), None, requests=100)) == {("tried", True), ("skipped", False)}


def test_lines_keep_the_width_but_for_commands(report: ParityReport) -> None:
    """A command stays in one line, so that it can be pasted."""
    lines = [line for line in list_lines(report, 60) if not line.strip().startswith(("curl", "# request"))]
    assert max(map(len, lines)) <= 60


def test_the_files_hold_everything_without_a_secret(report: ParityReport, tmp_path: Path) -> None:
    """The same as JSON for programs and as a page for people."""
    write_parity(report, tmp_path)
    data = json.loads((tmp_path / "parity.json").read_text("utf-8"))
    assert data == json.loads(json.dumps(parity_to_json(report)))
    assert {part["name"] for part in data["parts"]} == {"invalid-body-status", "unknown-tokens"}
    assert data["agreement"]["accepted"]["compared"] > 400
    assert {row["state"] for row in data["rules"]} <= {"verified", "tried", "skipped", "parts"}
    whole = "".join(path.read_text("utf-8") for path in tmp_path.iterdir())
    assert SECRET not in whole
    assert '<span class="badge violated">differs</span>' in whole
    assert "default-src 'none'" in html.unescape((tmp_path / "parity.html").read_text("utf-8"))


@pytest.mark.slow
def test_a_token_that_the_deployment_repeats_is_hidden(tmp_path: Path) -> None:
    """It stands neither in a difference nor in a response, whatever part of the answer holds it."""

    def repeat(request: messages.Request, send: messages.Send) -> messages.Response:
        response = send(request)
        if response.accepted:
            return response.with_value({**response.value, "display_name": request.token})
        return replace(response, media_type=f"text/{request.token}")

    report = compare_app(planting.add_interceptor(create_app(), repeat), None, requests=300)
    write_parity(report, tmp_path)
    shown = "\n".join(list_lines(report, 100))
    whole = shown + "".join(path.read_text("utf-8") for path in tmp_path.iterdir())
    assert 'display_name: deployment "$TOKEN"' in shown
    assert "body: deployment text/$TOKEN" in shown
    assert SECRET not in whole


@in_browser
@pytest.mark.slow
def test_the_page_has_no_violation(report: ParityReport, browser: Browser, tmp_path: Path) -> None:
    """Everyone can read it, as far as axe-core can tell, with every part opened; it loads nothing."""
    write_parity(report, tmp_path)
    page, seen = browser.new_page(), list[str]()
    address = (tmp_path / "parity.html").as_uri()
    page.on("request", lambda request: seen.append(request.url))
    page.on("console", lambda message: seen.append(message.text))
    page.goto(address)
    for summary in page.locator("summary").all():
        summary.click()
    assert seen == [address]
    violations = find_axe_violations(page)
    assert violations == []


@in_browser
@pytest.mark.slow
def test_the_page_fits_a_phone(report: ParityReport, browser: Browser, tmp_path: Path) -> None:
    """On a phone the tables are cards: neither the page nor a table scrolls sideways, and no column is lost."""
    long = Difference("stored", "external_service_credential", "x" * 200, "absent")
    parts = tuple(
        replace(part, examples=tuple(replace(one, difference=long) for one in part.examples))
        for part in report.parts
    )
    write_parity(replace(report, parts=parts), tmp_path)
    page = browser.new_page(viewport={"width": 375, "height": 844})
    page.goto((tmp_path / "parity.html").as_uri())
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") == 375
    fits = "all => all.map(one => one.scrollWidth <= one.clientWidth)"
    assert page.locator(".scroll").evaluate_all(fits) == [True, True]
    requests = page.get_by_role("region", name="Rules").locator("td.number").first
    assert requests.evaluate("one => getComputedStyle(one, '::before').content") == '"Requests "'


def build_example_report(
    report: ParityReport, body: dict[str, Any], *, sent_twice: bool
) -> tuple[ParityReport, Part]:
    """Return a report with one part, whose example is a create with a body."""
    text = json.dumps({"service_slug": "ck-taken", **body})
    headers = (("Authorization", "Bearer $TOKEN"),)
    exchange = Exchange("red", "POST", "http://h/containers", headers, text, 201, (), "", "", "", 0.0)
    example = Example(exchange, Difference("accepted", "answer", "201", "409"), sent_twice)
    part = Part("slug-unique", "accepted", 1, (example,))
    return replace(report, parts=(part,)), part


def test_a_taken_slug_is_shown_by_two_creates(report: ParityReport) -> None:
    """One create with a fresh slug would be accepted by both, so the commands take the slug first."""
    shown, part = build_example_report(report, {}, sent_twice=True)
    commands = list_example_commands(part, 1)
    assert commands[0].startswith('SLUG="')
    assert [command.count("$SLUG") for command in commands[1:]] == [1, 1]
    assert all(f"    {command}" in [*list_lines(shown, 60)] for command in commands)


def test_a_long_body_is_named_by_its_file(report: ParityReport, tmp_path: Path) -> None:
    """With a folder the terminal names the file that is written; without one it names the option."""
    shown, _ = build_example_report(report, {"service_desc": "x" * 2000}, sent_twice=False)
    write_parity(shown, tmp_path)
    text = "\n".join(list_lines(shown, 80, str(tmp_path)))
    assert "--report DIR" not in text
    (named,) = re.findall(r"(\S+\.body)\b", text)
    assert Path(named.removeprefix("@")).is_file()
    assert "--report DIR" in "\n".join(list_lines(shown, 80))
