"""The report as an HTML page, also in a headless browser."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from contract_tests.reports.html import render_html
from contract_tests.results.verdict import Report, RuleVerdict
from mock_server.app.factory import create_app
from tests.support.axe import find_axe_violations
from tests.support.browser import in_browser
from tests.support.reports import (
    HOSTILE,
    make_crashed,
    make_hostile,
    make_intermittent,
    run_app,
    summarize_earlier,
)

pytestmark = pytest.mark.slow


@pytest.fixture
def open_report(report: Report, browser: Browser, tmp_path: Path) -> Iterator[Callable[..., Page]]:
    """Open a report's page at some width; check at the end that it requested and logged nothing."""
    seen: list[str] = []

    def open_page(shown: Report = report, width: int = 1280) -> Page:
        path = tmp_path / "report.html"
        path.write_text(render_html(shown), "utf-8")
        page = browser.new_page(viewport={"width": width, "height": 844})
        page.on("console", lambda message: seen.append(message.text))
        page.on("pageerror", lambda error: seen.append(str(error)))
        page.on("request", lambda request: seen.append(request.url) if request.url != path.as_uri() else None)
        page.goto(path.as_uri())
        return page

    yield open_page
    assert [line for line in seen if not line.startswith("data:image/svg+xml,")] == []


def _forget(report: Report, number: int) -> tuple[RuleVerdict, ...]:
    """Return the conforming verdicts, the first of them not observed."""
    clean = [row for row in report.verdicts if row.verdict == "conforms"]
    lost = [replace(row, verdict="not observed", reason="why", layers={}) for row in clean[:number]]
    return (*lost, *clean[number:])


def _visible_rules(page: Page) -> list[str]:
    return [row.inner_text() for row in page.locator("#matrix tbody tr:not(.grade):visible th > code").all()]


@in_browser
def test_verdict_filter_leaves_the_rules_of_that_verdict(
    open_report: Callable[..., Page], report: Report
) -> None:
    """Rules that do not conform are shown first; a verdict button filters its rules, a second adds more."""
    page, everything = open_report(), len(report.verdicts)
    others = sorted(row.rule.id for row in report.verdicts if row.verdict != "conforms")
    assert sorted(_visible_rules(page)) == others
    page.get_by_role("button", name="violated 3").click()
    assert _visible_rules(page) == ["team-scope", "exposed-port-range", "slug-unique"]
    page.get_by_role("button", name="note 1").click()
    assert _visible_rules(page) == ["team-scope", "exposed-port-range", "slug-unique", "gpu-count-range"]
    assert page.locator("#shown").inner_text() == f"4 of {everything} rules"
    page.get_by_role("button", name=f"all {everything}").click()
    assert len(_visible_rules(page)) == everything
    page.get_by_role("button", name="not conforming 7").click()
    assert sorted(_visible_rules(page)) == others
    page.get_by_role("button", name="Reset").click()
    page.get_by_text(f"{everything} rules", exact=True).wait_for()
    assert len(_visible_rules(page)) == everything


@in_browser
def test_all_rules_are_shown_if_all_conform(open_report: Callable[..., Page], report: Report) -> None:
    """The page of a run in which every rule conforms has no filter for others, and shows every rule."""
    clean = tuple(row for row in report.verdicts if row.verdict == "conforms")
    page = open_report(replace(report, verdicts=clean, findings=(), expired=()))
    assert len(_visible_rules(page)) == len(clean)
    assert page.get_by_role("button", name="not conforming").count() == 0


@in_browser
def test_grade_and_search_filters_narrow_together(open_report: Callable[..., Page], report: Report) -> None:
    """Grade and search words apply together, and a grade without rules is hidden."""
    page = open_report()
    page.get_by_role("button", name="all 83").click()
    page.get_by_label("Grade").select_option("provider")
    assert _visible_rules(page) == [row.rule.id for row in report.verdicts if row.rule.grade == "provider"]
    page.get_by_label("Search").fill("SLUG team")
    assert _visible_rules(page) == ["slug-unique"]
    assert page.locator("tr.grade:visible").count() == 1
    page.get_by_label("Search").fill("no such rule")
    assert page.locator("#shown").inner_text() == "No rule fits; reset the filters."


@in_browser
def test_finding_expands_by_keyboard(open_report: Callable[..., Page]) -> None:
    """Enter opens a finding, and then shows its exchange, its curl and its replay command."""
    page = open_report()
    finding = page.locator(
        "details.finding", has=page.get_by_text("several concurrent creates got the same slug")
    )
    assert not finding.get_by_text("Received").is_visible()
    finding.locator("> summary").focus()
    page.keyboard.press("Enter")
    text = finding.inner_text()
    parts = (
        "A slug is used once",
        "6 of 6 accepted",
        "201 Created",
        "Authorization: Bearer $TOKEN",
        "curl -i -X POST",
    )
    assert [part for part in parts if part not in text] == []
    assert re.search(
        r"contract-tests replay findings/slug-unique-\w+\.json --target http://localhost/api/v1", text
    )


@in_browser
def test_verdict_links_to_its_finding(open_report: Callable[..., Page]) -> None:
    """The verdict of a violated rule links to its finding, which opens and gets the focus."""
    page = open_report()
    page.locator("#matrix").get_by_role("link", name="note").click()
    page.wait_for_function("document.activeElement.closest('.finding')?.open")
    assert page.locator(":focus h3").inner_text() == "gpu-count-range"


@in_browser
def test_copy_button_copies_the_command(open_report: Callable[..., Page]) -> None:
    """The button beside a command copies exactly that command."""
    page = open_report()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Expand all: Findings").click()
    page.get_by_role("button", name=re.compile("^Copy: replay team-scope")).click()
    page.get_by_text("Copied").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert re.fullmatch(
        r"contract-tests replay findings/team-scope-\w+\.json --target http://localhost/api/v1", copied
    )


def _show_stored_values(report: Report, *values: str) -> Report:
    """Return the report with findings of a read-back, which show several properties with long values."""
    names = ("external_service_credential", "display_name")
    differences = tuple((name, *values) for name in names)
    return replace(report, findings=tuple(replace(one, differences=differences) for one in report.findings))


@in_browser
@pytest.mark.parametrize("width", [375, 390, 768, 1280])
@pytest.mark.parametrize("stored", [False, True], ids=["requests", "stored"])
def test_page_is_as_wide_as_the_screen(
    open_report: Callable[..., Page], report: Report, width: int, stored: bool
) -> None:
    """With everything open the page does not scroll sideways, even for hostile content and stored values."""
    hostile = make_hostile(report)
    page = open_report(_show_stored_values(hostile, HOSTILE, "x" * 300) if stored else hostile, width)
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert (page.locator("table.differences").count() > 0) == stored
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.close()


@in_browser
def test_stored_values_are_cards_on_a_phone(open_report: Callable[..., Page], report: Report) -> None:
    """On a phone both values of a property are below its name, each with the name of its column."""
    page = open_report(_show_stored_values(report, "'a'", "'b'"), 375)
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    row = page.locator("table.differences tbody tr").first
    lefts = row.locator("th, td").evaluate_all("all => all.map(one => one.getBoundingClientRect().left)")
    assert len(set(lefts)) == 1
    labels = "cells => cells.map(one => getComputedStyle(one, '::before').content)"
    assert row.locator("td").evaluate_all(labels) == ['"Received "', '"Expected "']
    page.close()


@in_browser
@pytest.mark.parametrize("width", [375, 1280])
def test_first_sentence_has_a_gap_above(open_report: Callable[..., Page], width: int) -> None:
    """The sentence that says how sure the verdicts are does not touch the header."""
    page = open_report(width=width)
    header, sentence = page.locator("header").bounding_box(), page.locator(".sure").bounding_box()
    assert header is not None
    assert sentence is not None
    assert sentence["y"] - header["y"] - header["height"] >= 8
    page.close()


@in_browser
def test_matrix_is_readable_on_a_phone(open_report: Callable[..., Page]) -> None:
    """On a phone each rule is a card without sideways scrolling, and each count has the name of its layer."""
    page = open_report(width=375)
    scroll = page.get_by_role("region", name="Matrix of rules by layers")
    assert scroll.evaluate("one => one.scrollWidth <= one.clientWidth")
    row = page.locator("#matrix tr", has=page.get_by_text("slug-unique", exact=True))
    counts = row.locator("td.number:visible")
    labels = "cells => cells.map(one => getComputedStyle(one, '::before').content)"
    assert counts.evaluate_all(labels) == ['"lifecycle "', '"race "']
    page.close()


@in_browser
def test_choices_are_readable_on_a_phone(open_report: Callable[..., Page], report: Report) -> None:
    """On a phone the answers of each choice are below its question, without sideways scrolling."""
    assert report.chosen
    page = open_report(width=375)
    page.locator(".usual > summary").click()
    scroll = page.get_by_role("region", name="Usual choices", exact=True)
    assert scroll.evaluate("one => one.scrollWidth <= one.clientWidth")
    assert scroll.get_by_role("cell").first.is_visible()
    page.close()


@in_browser
def test_usual_choices_are_folded(open_report: Callable[..., Page], report: Report) -> None:
    """Only choices that are not usual have a row at first; the line below them counts the others."""
    usual = [one for one in report.chosen if not one.is_unusual]
    page = open_report()
    assert page.locator(".choices tbody tr:visible").count() == len(report.chosen) - len(usual)
    summary = page.get_by_text(f"{len(usual)} choices do not differ from the usual")
    summary.click()
    assert page.locator(".choices tbody tr:visible").count() == len(report.chosen)
    page.close()


@in_browser
def test_boxes_of_a_finding_do_not_touch(open_report: Callable[..., Page], report: Report) -> None:
    """Each box below "Expected" has a gap above it."""
    page = open_report(replace(report, findings=make_intermittent(report.findings)))
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    measure = "(e) => e.getBoundingClientRect().top - e.previousElementSibling.getBoundingClientRect().bottom"
    gaps = page.locator("dl.compare + .advice").evaluate_all(f"all => all.map({measure})")
    assert [gap >= 8 for gap in gaps] == [True] * len(gaps) != []
    page.close()


@in_browser
@pytest.mark.parametrize("variant", ["violated", "conforms", "inconclusive", "crashed"])
def test_axe_finds_nothing(open_report: Callable[..., Page], report: Report, variant: str) -> None:
    """No page has an accessibility violation, in both schemes, on a phone and a desktop, with all open."""
    clean = [row for row in report.verdicts if row.verdict == "conforms"]
    shown = {
        "violated": report.compare_with(
            summarize_earlier(report, frozenset({"team-scope"})), is_baseline=True
        ),
        "conforms": replace(report, verdicts=tuple(clean), findings=(), expired=()),
        "inconclusive": replace(report, verdicts=_forget(report, 60), findings=(), expired=()),
        "crashed": replace(report, findings=make_crashed(report.findings)),
    }[variant]
    page = open_report(shown)
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    page.get_by_role("button", name=re.compile("^all")).click()
    assert find_axe_violations(page) == []
    page.close()


@pytest.mark.parametrize(
    ("forgotten", "tone", "title"),
    [(0, "conforms", "Conforms in 76 of 76 rules"), (60, "inconclusive", "Conforms in 16 of 76 rules")],
)
def test_little_judged_is_amber(report: Report, forgotten: int, tone: str, title: str) -> None:
    """A page that found nothing is green only if at least half of the rules have a verdict."""
    page = render_html(replace(report, verdicts=_forget(report, forgotten), findings=(), expired=()))
    assert f'<header class="{tone}">' in page
    assert f"</span>{title}</h1>" in page


def test_summary_names_the_value_and_the_change(report: Report) -> None:
    """The summary of a finding has the value sent and the responses; the card says what to change."""
    card = (
        render_html(report)
        .split("<code>exposed-port-range</code></h3>")[1]
        .partition("</details>\n</details>")[0]
    )
    assert re.search(r'class="summary">exposed_port -?\d+ → 20[01] \((create|update)\), 20[01]', card)
    assert re.search(
        r"<b>What to change:</b> Respond with any 4xx to an? (create|update) or an? (create|update) with expo",
        card,
    )


def test_an_assumed_rule_names_its_choice(report: Report) -> None:
    """The card of an assumed rule names the choice that decides it; that of a documented rule names none."""
    page = render_html(report)
    assumed, documented = (
        page.split(f"<code>{rule}</code></h3>")[1].partition('<details class="finding')[0]
        for rule in ("gpu-count-range", "exposed-port-range")
    )
    assert "<b>Choice:</b> gpu-count-below-minus-one" in assumed
    assert "<b>Choice:</b>" not in documented


def test_same_server_error_is_one_card(report: Report) -> None:
    """Findings of several rules with the same server error share a card that lists them."""
    page = render_html(replace(report, findings=make_crashed(report.findings)))
    assert page.count('<details class="finding violated"') == 1
    assert "<code>team-scope and 2 more rules</code>" in page
    assert "The same response to requests of 3 rules" in page


def test_difference_to_an_earlier_report_is_shown(report: Report) -> None:
    """With an earlier report the page counts what is new and fixed, and marks the cards that are new."""
    page = render_html(report.compare_with(summarize_earlier(report, frozenset({"team-scope"}), ["created"])))
    assert "Compared with old of 2026-11-02 09:00:00: 1 new, 1 fixed, 6 still broken" in page
    assert page.count('<b class="new">new</b>') == 1
    assert '<b class="new">' in page.split("<code>team-scope</code></h3>")[1].partition("</summary>")[0]
    assert "Since the earlier report" not in render_html(report)


def test_known_findings_have_cards_of_their_own(report: Report) -> None:
    """Findings of the baseline are in a section apart, each with its age; no id is there twice."""
    create = next(f for f in report.findings if f.rule.id == "exposed-port-range")
    earlier = replace(report, findings=(create,)).summarize()
    page = render_html(report.compare_with(earlier, is_baseline=True))
    assert page.count('<details class="finding known"') == 1
    card = page.split('<details class="finding known"')[1].partition("</summary>")[0]
    assert "known since" in card
    assert "exposed-port-range" in card
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(ids)
    alone = replace(report, expired=()).compare_with(report.summarize(), is_baseline=True)
    assert "Nothing new: 4 causes known from the baseline." in render_html(alone)


@in_browser
def test_received_markup_is_shown_as_text(open_report: Callable[..., Page], report: Report) -> None:
    """Markup in a response is shown as text."""
    page = open_report(make_hostile(report))
    assert page.locator("script").count() == 1
    assert page.locator("img").count() == 0
    assert page.locator(".finding .received dd").first.text_content() == HOSTILE.translate(
        {
            0: "\\x00",
            0x1B: "\\x1b",
            7: "\\x07",
            13: "\\x0d",
            0x202E: "\\u202e",
            0xFFFE: "\\ufffe",
            0xD800: "\\ud800",
        }
    )


@in_browser
def test_page_is_complete_without_scripts(report: Report, browser: Browser, tmp_path: Path) -> None:
    """Without scripts every rule is visible, findings expand, and no dead control is shown."""
    (tmp_path / "report.html").write_text(render_html(report), "utf-8")
    page = browser.new_page(java_script_enabled=False)
    page.goto((tmp_path / "report.html").as_uri())
    page.locator(".finding > summary").first.click()
    assert page.locator(".finding .received").first.is_visible()
    assert (len(_visible_rules(page)), page.locator("button:visible").count()) == (len(report.verdicts), 0)


def test_page_is_self_contained(report: Report) -> None:
    """The page refers to nothing outside itself, and its policy allows only its own style and script."""
    page = render_html(report)
    assert set(re.findall(r'(?:src|href)="(#|data:image/svg\+xml,|[^"]{0,20})', page)) == {
        "#",
        "data:image/svg+xml,",
    }
    assert re.findall(r"url\(|@import", page) == []
    policy = r"default-src 'none'; style-src 'sha256-[^']+'; script-src 'sha256-[^']+'; img-src data:;"
    assert re.search(policy, page.replace("&#39;", "'"))


def test_page_stays_small(report: Report) -> None:
    """Bodies of a megabyte are cut with a notice, and a plain run's page is below 200 kB."""
    assert len(render_html(make_hostile(report)).encode()) < 500_000
    assert "(cut; complete in the finding&#39;s file)" in render_html(make_hostile(report))
    assert len(render_html(run_app(create_app(), layers=("cases",))).encode()) < 200_000
