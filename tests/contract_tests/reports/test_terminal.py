"""The report in a terminal."""

import io
import re
from dataclasses import replace

import pytest
from rich.console import Console

from contract_tests.cases.model import LAYERS
from contract_tests.contract.profile import ChosenOption, Departure
from contract_tests.reports.content.blocks import plan_reproduction
from contract_tests.reports.content.common import GRADES
from contract_tests.reports.content.headline import format_last_line
from contract_tests.reports.terminal import print_report, show_report
from contract_tests.results.verdict import LayerSummary, Report
from tests.support.reports import make_crashed, make_hostile, make_intermittent, summarize_earlier


def _print_to_text(
    report: Report, width: int = 100, *, colours: bool = False, folder: str | None = None
) -> str:
    console = Console(
        file=io.StringIO(), width=width, force_terminal=colours, color_system="standard" if colours else None
    )
    print_report(report, console, plan_reproduction(report, folder))
    return console.file.getvalue()  # type: ignore[attr-defined,no-any-return]


def _matrix(text: str) -> list[str]:
    lines = text.splitlines()
    return lines[1 : next(n for n, line in enumerate(lines) if line.startswith("  seconds")) + 1]


@pytest.mark.parametrize("width", [80, 100, 160])
def test_matrix_fits_the_terminal(report: Report, width: int) -> None:
    """Each rule is one row within the width, with its whole id and the count of every layer."""
    rows = _matrix(_print_to_text(report, width))
    assert max(map(len, rows)) <= width
    by_grade = sorted(report.verdicts, key=lambda row: GRADES.index(row.rule.grade))
    shown = [
        found[1] for found in (re.match(r"[ ✗] ([a-z-]+) +[a-zA-Z]", line) for line in rows[1:]) if found
    ]
    assert shown == [row.rule.id for row in by_grade]
    assert [line for line in rows if "…" in line] == []
    row = next(line for line in rows if "slug-unique" in line)
    assert re.fullmatch(r"✗ slug-unique +VIOLATED +\d+/\d+! +3/3! *", row)


@pytest.mark.parametrize("width", [80, 95, 96, 100, 107, 108, 160])
def test_the_names_of_all_layers_fit(report: Report, width: int) -> None:
    """With each layer and the longest verdict, no name of a layer is cut at any usual width."""
    verdicts = (replace(report.verdicts[0], verdict="not observed"), *report.verdicts[1:])
    whole = replace(
        report, verdicts=verdicts, layers={layer: LayerSummary(999, 9999, 99.9) for layer in LAYERS}
    )
    header, *_ = _matrix(_print_to_text(whole, width))
    assert "…" not in header
    assert header.split()[-1] in ("prop", "properties")


def test_texts_of_a_block_are_below_each_other(report: Report) -> None:
    """All texts of a block begin in one column, also beside the longest label."""
    text = _print_to_text(replace(report, findings=make_intermittent(report.findings)))
    labels = "Contract|Reason|Received|Expected|How often|Change|Finding|Seen as"
    found = re.findall(rf"^(  (?:{labels}) +)\S", text, re.MULTILINE)
    assert "  How often  " in found
    assert {len(start) for start in found} == {13}


def test_a_finding_that_shows_sometimes_names_no_request_that_behaved(report: Report) -> None:
    """The request itself behaves at times, so an edit of it that behaved once says nothing about the cause."""
    sometimes = replace(report, findings=make_intermittent(report.findings))
    assert ["Behaves" in _print_to_text(shown) for shown in (report, sometimes)] == [True, False]


def test_failures_stand_out(report: Report) -> None:
    """A violated rule is in capitals and in color, and has a block below; a note has neither."""
    text = _print_to_text(report, colours=True)
    assert "\x1b[1;31m✗ slug-unique" in text
    assert re.search(r"\x1b\[1;7;31m\d+/\d+!\x1b\[0m", text)
    assert re.findall(r"^✗ ([a-z-]+)  ", _print_to_text(report).split("seconds")[1], re.MULTILINE) == [
        "team-scope", "exposed-port-range", "slug-unique", "slug-unique",
    ]  # fmt: skip


@pytest.mark.parametrize("width", [60, 80, 160])
def test_a_target_writes_no_command_of_a_runner(report: Report, width: int) -> None:
    """Whatever a target says, no line begins as a command of a CI runner, wrapped or not."""
    text = "word " * 9 + "::error::##[group]\n::stop-commands::a"
    findings = [
        replace(one, reason=text, received=text, expected=text, story=text) for one in report.findings
    ]
    spoken = replace(report, findings=tuple(findings), notes=(text,), target=text, unusable_callers=(text,))
    shown = _print_to_text(spoken, width)
    assert shown.count("stop-commands") > 3
    assert not re.search(r"##\[|^\s*::[\w-]+( .*)?::", shown, re.MULTILINE)


@pytest.mark.parametrize("width", [80, 160])
def test_choices_are_one_entry_each(report: Report, width: int) -> None:
    """A violated assumed rule is one compact entry under a heading, with its choice and without a block."""
    text = _print_to_text(report, width).split("Assumed rules that differ here (they do not fail the run)\n")[
        1
    ]
    line = (
        "gpu-count-range accepted a request that breaks this rule: gpu_count -N → 201 (create), 200 (update)"
        " (choice: gpu-count-below-minus-one)"
    )
    assert re.sub(r"-\d+", "-N", " ".join(text.partition("\n\n")[0].split())) == line
    assert "gpu-count-range" not in text.partition("\n\n")[2]


def test_reasons_follow_the_matrix(report: Report) -> None:
    """Rules that were not judged or are waived are grouped by reason."""
    text = _print_to_text(report, 160).split("Not judged, or waived\n")[1]
    assert text.splitlines()[:2] == [line for line in text.splitlines()[:2] if line.startswith("  ")]
    assert re.search(r"not observed: needs --control-hook to set a service's status\s+not-while-busy", text)
    assert re.search(r"waived: known \| since \*May\* \(until 9999-12-31\)\s+service-desc-type", text)


def test_command_is_one_line_with_its_caller(report: Report) -> None:
    """A curl command is one line at any width, and names the caller of its token."""
    line = next(
        line for line in _print_to_text(report, 80).splitlines() if "exposed_port" in line and "curl" in line
    )
    assert re.fullmatch(r"  curl -i -X P.* --data-binary '\{.*\}'  # as (sk|dk|jwt)-[a-z]+", line)


def _block(text: str, rule: str) -> list[str]:
    """Return the lines of the first block about a rule."""
    blocks = text.split("\n✗ ")
    return next(block for block in blocks if re.match(rf"{rule}  \w+; ", block)).splitlines()


def test_block_names_both_operations(report: Report) -> None:
    """A rule that create and update break for one reason is one block, with the values and a file for each."""
    lines = _block(_print_to_text(report, 160, folder="out"), "exposed-port-range")
    heading = "exposed-port-range  documented; create and update; cases; seen "
    assert lines[0].startswith(heading)
    findings = [f for f in report.findings if f.rule.id == "exposed-port-range"]
    for finding, status in zip(findings, (201, 200), strict=True):
        assert any(line.split() == ["File", f"out/findings/{finding.id}.json"] for line in lines)
        assert (
            f"  contract-tests replay out/findings/{finding.id}.json --target http://localhost/api/v1"
            in lines
        )
        values = {line.split()[-3] for line in lines if re.search(rf"exposed_port \S+ → {status} *$", line)}
        assert len(values & {"-1", "0", "65536", "70000", "4294967297"}) >= 2
        assert 3 <= len(values) <= 5


def test_file_that_was_not_written_has_no_command(report: Report) -> None:
    """Without a report folder no block has a file or a replay command; the end names the option that writes them."""
    text = _print_to_text(report, 160)
    assert "contract-tests replay findings" not in text
    assert "  File" not in text
    assert text.count("No finding was written; with --report DIR") == 1


@pytest.mark.parametrize(("columns", "width"), [("72", 72), ("", 160)])
def test_pipe_gets_no_padding(
    report: Report,
    columns: str,
    width: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A pipe gets lines of ``COLUMNS`` or 160 columns, without blanks at their ends."""
    monkeypatch.setenv("COLUMNS", columns)
    show_report(report, quiet=False)
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line != line.rstrip()] == []
    matrix = _matrix("\n".join(lines))
    assert max(map(len, matrix)) <= width
    folded = [line for line in lines if line.startswith("  Contract")]
    assert max(map(len, folded)) > width - 40


def test_a_width_beyond_all_screens_is_cut(
    report: Report, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A ``COLUMNS`` of twelve digits fills no memory, and loses no verdict."""
    with monkeypatch.context() as only_here:  # pytest itself prints so many columns with -v
        only_here.setenv("COLUMNS", "9" * 12)
        show_report(report, quiet=False)
    assert "VIOLATED in" in capsys.readouterr().out


def test_groups_and_layers_without_content_are_left_out(report: Report) -> None:
    """A grade without rules has no heading, and a layer that never ran has no column."""
    provider = tuple(row for row in report.verdicts if row.rule.grade == "provider")
    rows = _matrix(_print_to_text(replace(report, verdicts=provider)))
    assert rows[0].split() == ["rule", "verdict", "excludes", "cases", "wire", "lifecycle", "race"]
    assert [line.strip() for line in rows if re.match(r"[a-z]+ \(\d+\)", line)] == [
        f"provider ({len(provider)})"
    ]


@pytest.mark.parametrize(("forgotten", "style"), [(0, "1;32"), (60, "1;33")])
def test_little_judged_is_yellow(report: Report, forgotten: int, style: str) -> None:
    """The last line of a run without a finding is green only if at least half of the rules have a verdict."""
    clean = [row for row in report.verdicts if row.verdict == "conforms"]
    lost = [replace(row, verdict="not observed", reason="why", layers={}) for row in clean[:forgotten]]
    run = replace(report, findings=(), verdicts=(*lost, *clean[forgotten:]), expired=())
    assert f"\x1b[{style}mCONFORMS in" in _print_to_text(run, 160, colours=True)


def test_block_names_the_value_and_the_change(report: Report) -> None:
    """The reason names the value and the responses, and a row says what to change."""
    lines = _block(_print_to_text(report, 160), "exposed-port-range")
    reason = r"  Reason +accepted a request .*: exposed_port -?\d+ → 201 \(create\), 200 \(update\) *"
    assert any(re.fullmatch(reason, line) for line in lines)
    change = r"  Change +Respond with any 4xx to a create or an update with exposed_port -?\d+, and store nothing\. *"
    assert any(re.fullmatch(change, line) for line in lines)


def test_difference_to_an_earlier_report_is_listed(report: Report) -> None:
    """With an earlier report the terminal marks new blocks, and lists what is new, fixed or no longer judged."""
    earlier = summarize_earlier(report, frozenset({"team-scope"}), ("created", "not-while-busy"))
    text = _print_to_text(report.compare_with(earlier), 160)
    counts = "Compared with old of 2026-11-02 09:00:00: 1 new, 1 fixed, 6 still broken, 1 no longer judged"
    listed, accepted = (
        text.partition(f"{counts}\n")[2].splitlines()[:3],
        "accepted a request that breaks this rule",
    )
    assert listed == [
        f"  new: team-scope: update after create as jwt; update after create as sk: {accepted}",
        "  fixed: created: create in one request: was wrong",
        "  no longer judged: not-while-busy: create in one request: was wrong",
    ]
    assert re.findall(r"✗ ([a-z-]+)  new; ", text) == ["team-scope"]


def test_known_findings_are_listed_apart(report: Report) -> None:
    """What the baseline has is one line per rule with its age; only what is new has a block."""
    later = replace(report, started="2026-11-29T08:00:00+00:00")
    earlier = summarize_earlier(report, frozenset({"team-scope"}), ["created"])
    text = _print_to_text(later.compare_with(earlier, is_baseline=True), 160)
    known = text.partition("Known from the baseline (they do not fail the run)\n")[2].splitlines()[:2]
    assert [line.split()[0] for line in known] == ["exposed-port-range", "slug-unique"]
    assert known[0].rstrip().endswith("201 (create), 200 (update); known since 2026-11-02, 27 days")
    assert re.findall(r"^✗ ([a-z-]+)  new; ", text, re.MULTILINE) == ["team-scope"]
    assert "Compared with the baseline old of 2026-11-02 09:00:00: 1 new, 1 fixed, 6 still broken" in text
    assert "1 violated, 2 known" in text


def test_a_departure_from_the_profile_is_a_note_or_a_warning(report: Report) -> None:
    """A departure is a note; it is a warning where it fails the run."""
    departure = Departure("id-version", "4", ChosenOption("7", "why"))
    line = "drift: id-version: the deployment chose 7, its profile says 4: why"
    lines = [
        _print_to_text(replace(report, departures=(departure,), strict=strict)).splitlines()
        for strict in (False, True)
    ]
    assert [f"note: {line}" in each for each in lines] == [True, False]
    assert [line in each for each in lines] == [False, True]


def test_same_server_error_is_one_block(report: Report) -> None:
    """The same server error under several rules is one block with all rules and a few of its findings."""
    findings = make_crashed(f for f in report.findings if f.rule.id != "service-desc-type")
    text = _print_to_text(replace(report, findings=findings), 160)
    assert re.findall(r"^✗ (.*?)  \w", text.partition("seconds")[2], re.MULTILINE) == [
        "team-scope and 2 more rules"
    ]
    assert re.search(r"^  Rules +team-scope, exposed-port-range, slug-unique", text, re.MULTILINE)
    assert text.count("  Finding ") == 4
    assert f"# {len(findings) - 4} more findings got the same response" in text


def test_race_has_a_sentence_and_one_command(report: Report) -> None:
    """The block of a race tells what was sent at once, and its command sends it at once."""
    block = next(b for b in _print_to_text(report, 160).split("\n✗ ") if "race; seen" in b)
    assert "Six creates with the same slug were sent at the same moment: six got 201" in block
    assert re.search(
        r"^  for n in 1 2 3 4 5 6; do curl .* & done; wait  # at the same moment, as", block, re.MULTILINE
    )


def test_readback_is_compared_by_property(report: Report) -> None:
    """The block of a read-back has a row per property, with "absent" for a property that is not there."""
    finding = replace(
        next(f for f in report.findings if f.rule.id == "team-scope"),
        differences=(("exposed_port", "absent", "8080"), ("gpu_count", "1", "0")),
    )
    lines = _block(_print_to_text(replace(report, findings=(finding,))), "team-scope")
    start = next(n for n, line in enumerate(lines) if line.split() == ["Property", "Received", "Expected"])
    assert [line.split() for line in lines[start + 1 : start + 3]] == [
        ["exposed_port", "absent", "8080"],
        ["gpu_count", "1", "0"],
    ]
    assert not any(line.startswith("  Received") for line in lines)


@pytest.mark.slow
def test_responses_cannot_control_the_terminal(report: Report) -> None:
    """No control character of a response reaches the terminal."""
    assert re.findall("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", _print_to_text(make_hostile(report))) == []


def test_report_prints_in_any_encoding(report: Report) -> None:
    """A report prints completely to an output that can only encode ASCII."""
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding="ascii")
    print_report(make_hostile(report), Console(file=file, width=80))
    file.flush()
    assert format_last_line(report) in " ".join(raw.getvalue().decode("ascii").split())


def test_the_last_lines_keep_the_width(report: Report) -> None:
    """Sentences are wrapped between words as the blocks are; only commands and headings may be longer."""
    noted = replace(report, notes=("word " * 40,), findings=())
    file = io.StringIO()
    print_report(noted, Console(file=file, width=80, force_terminal=True, color_system=None))
    lines = file.getvalue().splitlines()
    (start,) = (number for number, line in enumerate(lines) if line.startswith("How sure: most rules"))
    assert max(map(len, lines[start:])) <= 80
    assert len(lines[start:]) > 5


def test_the_outcome_is_one_line_in_a_pipe(report: Report) -> None:
    """A script reads the last line, however many callers it names."""
    named = replace(report, findings=(), unusable_callers=("a caller with a reason " * 10,))
    file = io.StringIO()
    print_report(named, Console(file=file, width=80))
    assert file.getvalue().splitlines()[-1].strip() == format_last_line(named).strip()


@pytest.mark.parametrize(
    ("cut_short", "said"),
    [
        ("", "CONFORMS in {0} of {0} rules: "),
        ("stopped after --time 10s as asked", "CONFORMS in {0} of {0} rules: "),
        ("interrupted", "CONFORMS so far in {0} of {0} rules: "),
        ("the target stopped responding: refused", "NOT JUDGED to its end, but in {0} of {0} rules"),
    ],
)
def test_last_line_promises_no_more_than_observed(report: Report, cut_short: str, said: str) -> None:
    """A run without a finding conforms, unless the target went away; an interrupted one only says so far."""
    clean = tuple(row for row in report.verdicts if row.verdict == "conforms")
    run = replace(report, findings=(), verdicts=clean, expired=(), cut_short=cut_short)
    assert format_last_line(run).startswith(said.format(len(clean)))
    so_far = " so far" if cut_short == "interrupted" else ""
    violated = format_last_line(replace(report, cut_short=cut_short))
    assert violated.startswith(f"VIOLATED{so_far} in 3 of 83 rules: ")
