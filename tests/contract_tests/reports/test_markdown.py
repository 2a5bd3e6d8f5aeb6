"""The report as Markdown for a CI job's summary."""

import re
from collections import Counter
from dataclasses import replace

import pytest
from markdown_it import MarkdownIt

from contract_tests.reports.content.common import escape_unprintable
from contract_tests.reports.content.escaping import escape_markdown
from contract_tests.reports.markdown import MAX_SUMMARY_BYTES, render_markdown
from contract_tests.results.verdict import Report
from mock_server.app.factory import create_app
from tests.support.reports import HOSTILE, make_hostile, run_app, summarize_earlier

_OURS = {"details", "summary", "b", "code"}


def _tokens(text: str) -> Counter[str]:
    """Count the block and inline elements of a text, as a Markdown reader sees it."""
    blocks = MarkdownIt("commonmark").enable("table").parse(text)
    return Counter(token.type for block in blocks for token in (block, *(block.children or ())))


@pytest.mark.slow
def test_first_line_is_the_verdict(report: Report) -> None:
    """The summary starts with the outcome in one line."""
    assert render_markdown(report).startswith(
        f"## ❌ VIOLATED in 3 of 83 rules: {len(report.verdicts) - 7} conforms, 3 violated"
    )
    assert render_markdown(run_app(create_app(), layers=("cases",))).startswith("## ✅ CONFORMS in ")
    assert render_markdown(
        replace(report, findings=(), verdicts=(), expired=(), cut_short="the target stopped responding")
    ).startswith("## ⚠️ NOT JUDGED: only 0 of 0 rules")


def test_failures_can_be_unfolded_and_choices_are_one_table(report: Report) -> None:
    """Each cause is a folded block with the commands of each operation; a note is only a table row."""
    text = render_markdown(report)
    failing = [f for f in report.findings if f.severity == "failure" and f.rule.id != "service-desc-type"]
    assert text.count("<details>") == len({finding.cause for finding in failing}) < len(failing)
    assert len(re.findall(r'^```sh\n(?:curl -i -X |SLUG="ck-)', text, re.MULTILINE)) == len(failing)
    assert [f.id for f in failing if f"```sh\ncontract-tests replay findings/{f.id}.json" not in text] == []
    assert "<b>gpu-count-range</b>" not in text
    assert re.search(
        r"^\| gpu-count-range \| .* \| accepted a request .*: gpu.*count -\d+ → 201 \(create\), 200 \(update\)"
        r" \(choice: gpu-count-below-minus-one\) \|$",
        text,
        re.MULTILINE,
    )


def test_received_text_is_never_read_as_markdown(report: Report) -> None:
    """A hostile response changes neither the structure nor the elements of the summary."""
    same_reason = tuple(replace(finding, reason="x") for finding in report.findings)
    plain = replace(report, cut_short="x", notes=("x",), findings=same_reason)
    harmless, harmful = render_markdown(plain), render_markdown(make_hostile(report))
    structure, harmed = _tokens(harmless), _tokens(harmful)
    kinds = (
        "th_open",
        "fence",
        "html_block",
        "heading_open",
        "bullet_list_open",
        "em_open",
        "strong_open",
        "image",
        "link_open",
    )
    assert {kind: harmed[kind] for kind in kinds} == {kind: structure[kind] for kind in kinds}
    inside_code = re.sub(r"^(`{3,})sh\n.*?\n\1$", "", harmful, flags=re.MULTILINE | re.DOTALL)
    assert set(re.findall(r"</?([a-z]+)", inside_code)) <= _OURS


def test_known_findings_are_a_table_with_their_age(report: Report) -> None:
    """What the baseline has is one row per rule, and no block."""
    later = replace(report, started="2026-11-29T08:00:00+00:00")
    text = render_markdown(later.compare_with(summarize_earlier(report), is_baseline=True))
    assert "### Known from the baseline (they do not fail the run)\n" in text
    assert re.search(r"^\| team-scope \| .*; known since 2026-11-02, 27 days \|$", text, re.MULTILINE)
    assert "<details>" not in text


def test_escaped_text_is_shown_unchanged() -> None:
    """A Markdown reader shows escaped text unchanged, also in a table cell."""
    rows = (
        MarkdownIt("commonmark")
        .enable("table")
        .parse(f"| a | b |\n|---|---|\n| {escape_markdown(HOSTILE)} | c |")
    )
    cells = [row.children or [] for row in rows if row.type == "inline"][2:]
    assert ["".join(part.content for part in cell) for cell in cells] == [escape_unprintable(HOSTILE), "c"]


def test_names_and_commands_can_be_read_as_they_are() -> None:
    """Underscores within words, quotes and braces are no markup: the source of a summary shows them plainly."""
    plain = 'create with {"exposed_port": 0} -> 201; service_slug'
    assert escape_markdown(plain) == plain.replace(">", "&gt;")


@pytest.mark.slow
def test_summary_is_never_too_large(report: Report) -> None:
    """A summary with too many findings stays under 1 MiB and says that it is cut."""
    one = next(f for f in report.findings if f.severity == "failure" and f.rule.id == "slug-unique")
    many = replace(
        report,
        findings=tuple(
            replace(one, id=f"f-{n}", reason=f"reason {n}", received="é|" * 100) for n in range(3000)
        ),
    )
    text = render_markdown(many)
    assert MAX_SUMMARY_BYTES // 2 < len(text.encode()) < MAX_SUMMARY_BYTES
    assert re.search(r"\*\*Cut here: \d+ more parts did not fit; report.html has everything.\*\*\n$", text)
    assert "Cut here" not in render_markdown(report)
