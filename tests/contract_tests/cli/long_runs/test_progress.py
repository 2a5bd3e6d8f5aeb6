"""The totals of a run while it runs."""

import threading
from dataclasses import replace
from typing import Any

import pytest

from contract_tests.cases.model import Case, Step
from contract_tests.cli.long_runs.progress import (
    PIPE_SECONDS,
    Display,
    RunTotals,
    WorkTotals,
    announce_resumed,
    format_duration,
    format_left,
    suggest_next,
    track_work,
)
from contract_tests.contract.rules import load_catalogue
from contract_tests.results.aggregate import Aggregate
from contract_tests.results.judge import Judgement
from contract_tests.results.observation import Observation
from contract_tests.results.verdict import LayerSummary, Report, RuleVerdict
from contract_tests.runs.checkpoint import RunState

CATALOGUE = load_catalogue()


def observe(rule: str, operation: str = "createContainer", reason: str = "why") -> Observation:
    """Build a violation."""
    case = Case("c", rule, "cases", (Step(operation, expect="refuse"),))  # type: ignore[arg-type]
    return Observation(case, Judgement("violated", rule, reason))


def build_totals(state: RunState, sent: int, after: float, left: float | None = None) -> RunTotals:
    """Build the totals of a run that has sent some requests in this part."""
    clock = iter([0.0])
    return RunTotals(state, CATALOGUE, lambda: sent, left, lambda: next(clock, after))


def test_line_has_units() -> None:
    """The line says the requests, their rate, the kinds of findings, and the time of its limit."""
    line = build_totals(RunState("t", "now"), 2170, 70.0, left=1800.0).format_line()
    assert line == "2,170 requests, 31/s, 1m 10s of 30m, 28m 50s left, 0 kinds of findings"


def test_line_of_a_budget_has_its_end() -> None:
    """The requests of a run with --budget are shown beside the number at which it ends."""
    totals = RunTotals(RunState("t", "now"), CATALOGUE, lambda: 60, None, lambda: 0.0, budget=1000)
    assert totals.format_line() == "60 of 1,000 requests, 0s, 0 kinds of findings"


def test_a_run_whose_time_is_up_is_finishing() -> None:
    """No time is left while the last requests end and findings are explained, so the line says what goes on."""
    assert build_totals(RunState("t", "now"), 9, 12.0, left=10.0).format_time() == "12s of 10s, finishing"


def test_kinds_are_counted_as_the_report_shows_them() -> None:
    """Repeated violations are one kind, and so are both operations; an assumed rule is none."""
    totals = build_totals(RunState("t", "now"), 0, 1.0)
    seen = [
        *[observe("exposed-port-range")] * 5,
        observe("exposed-port-range", "updateContainer"),
        observe("slug-unique"),
        observe("gpu-count-range"),
    ]
    totals.count_findings(RunState("t", "now", pending=Aggregate.of(seen[:5])))
    assert totals.format_line() == "0 requests, 1s, 1 kind of finding (exposed-port-range)"
    totals.count_findings(RunState("t", "now", pending=Aggregate.of(seen)))
    assert totals.format_line() == "0 requests, 1s, 2 kinds of findings (exposed-port-range, slug-unique)"


def test_resumed_run_starts_with_its_earlier_parts(capsys: pytest.CaptureFixture[str]) -> None:
    """A resumed run reports at once the requests, findings, time and layers of its earlier parts."""
    state = RunState(
        "t",
        "now",
        seconds=70.0,
        requests=1204,
        done_layers=["cases", "wire"],
        committed=Aggregate.of([observe("slug-unique")]),
    )
    state.add_layer("cases", 10, 10, 1.0)
    state.add_layer("wire", 10, 10, 1.0)
    announce_resumed(build_totals(state, 0, 0.0, left=1730.0))
    assert capsys.readouterr().err == (
        "resumed: 1,204 requests, 1m 10s of 30m, 28m 50s left, 1 kind of finding (slug-unique); "
        "layers done: cases, wire\n"
    )


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.9, "0s"), (59, "59s"), (60, "1m"), (70, "1m 10s"), (1800, "30m"), (3600, "1h"), (7500, "2h 5m")],
)
def test_durations_have_units(seconds: float, text: str) -> None:
    """A duration has its two largest units."""
    assert format_duration(seconds) == text


class Clock:
    """A clock that stands until a test moves it."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


def test_work_has_units_rate_and_time_left() -> None:
    """The line of some work says how much is done, how fast, for how long, what is left, and the results."""
    clock = Clock()
    totals = WorkTotals("mutants", 1500, clock)
    assert totals.format_line() == "0 of 1,500 mutants, 0s"
    clock.now, totals.done = 50.0, 400
    totals.results.update(killed=399, survived=1)
    line = "400 of 1,500 mutants, 8.0/s, 50s, about 2m 17s left, 399 killed, 1 survived"
    assert totals.format_line() == line


def test_pipe_gets_a_plain_line_every_half_minute(capsys: pytest.CaptureFixture[str]) -> None:
    """Where no terminal is, an update prints a whole line, at most one in half a minute."""
    clock = Clock()
    with Display(lambda: f"at {clock.now:.0f}", clock=clock) as display:
        for clock.now in (1.0, PIPE_SECONDS, PIPE_SECONDS + 1, 2 * PIPE_SECONDS):
            display.update()
    assert capsys.readouterr().err == "at 30\nat 60\n"


def test_pipe_gets_a_line_while_no_item_ends(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A line is printed when it is due, though nothing updates the display."""
    monkeypatch.setattr("contract_tests.cli.long_runs.progress.PIPE_SECONDS", 0.001)
    described = threading.Event()

    def describe() -> str:
        described.set()
        return "still busy"

    with Display(describe):
        assert described.wait(20)
    assert set(capsys.readouterr().err.splitlines()) == {"still busy"}


@pytest.mark.parametrize(("seconds", "left"), [(3.0, ""), (25.0, "about 1m 15s left")])
def test_time_left_is_estimated_after_some_seconds(seconds: float, left: str) -> None:
    """The first seconds are no measure: only then the rate so far tells the time that is left."""
    assert format_left(25, 100, seconds) == left


def test_quiet_display_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """A quiet display prints nothing, however long the work takes."""
    clock = Clock()
    with Display(lambda: "line", quiet=True, clock=clock) as display:
        clock.now = 10 * PIPE_SECONDS
        display.update()
    assert capsys.readouterr().err == ""


def test_terminal_is_redrawn(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """In a terminal the line is redrawn as the work goes on, and removed at its end."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("contract_tests.cli.long_runs.progress._REDRAW_SECONDS", 0.0)
    results = list(track_work(iter("ab"), 2, "letters", str.upper))
    text = capsys.readouterr().err
    assert results == ["a", "b"]
    assert [line for line in ("0 of 2 letters", "1 of 2 letters", "2 of 2 letters") if line not in text] == []
    assert text.rstrip().endswith("\x1b[2K") or text.rstrip("\r").endswith("\x1b[2K")


def test_line_is_cut_to_one_line_of_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A line that is longer than the terminal is wide, as with names of rules at its end, is cut, not wrapped."""
    for name, value in (("FORCE_COLOR", "1"), ("TERM", "xterm"), ("COLUMNS", "40")):
        monkeypatch.setenv(name, value)
    with Display(lambda: "9 requests, 3 kinds of findings (slug-unique, exposed-port-range)", threaded=False):
        pass
    text = capsys.readouterr().err
    assert "9 requests, 3 kinds of findings (slug-u…" in text
    assert "range" not in text


def build_report(**changes: Any) -> Report:
    """Build the report of a run that could be judged, with some changes."""
    rule = CATALOGUE["created"]
    rows = (RuleVerdict(rule, "conforms", "", "", {}),)
    layers = {"properties": LayerSummary(1, 1, 1.0)}
    plain = Report("t", "now", 1.0, 0, False, (), rows, (), layers, 1, 1)  # type: ignore[arg-type]
    return replace(plain, **changes)


VIOLATED = (RuleVerdict(CATALOGUE["created"], "violated", "failure", "why", {}),)


@pytest.mark.parametrize(
    ("changes", "folder", "advice"),
    [
        ({}, "out", ""),
        ({"verdicts": VIOLATED}, None, "add --report DIR for a page"),
        (
            {"verdicts": VIOLATED},
            "out",
            "open out/report.html; after a fix, --previous out/report.json tells",
        ),
        (
            {"cut_short": "stopped after --time 10s as asked"},
            "out",
            "contract-tests run --resume out --target t --time 30m goes on from here",
        ),
        (
            {"cut_short": "stopped after --time 10s as asked"},
            None,
            "add --report DIR, so that a run can be resumed",
        ),
        (
            {"verdicts": VIOLATED, "cut_short": "interrupted"},
            "out",
            "contract-tests run --resume out --target t goes on from here",
        ),
        (
            {"verdicts": (), "cut_short": "the target stopped responding"},
            "out",
            "contract-tests run --resume out --target t goes on from here",
        ),
        ({"verdicts": ()}, "out", "the reasons are above; more callers, or --control-hook"),
        (
            {"unusable_callers": ("jwt-red (401: check its token)",)},
            "out",
            "correct the callers file, or a token: jwt-red (401: check its token)",
        ),
    ],
)
def test_end_says_what_to_do_next(changes: dict[str, Any], folder: str | None, advice: str) -> None:
    """The end of a run names the next command for its outcome, and nothing if all is done."""
    line = suggest_next(build_report(**changes), folder, "--target t")
    assert (line[: len(advice)], bool(line)) == (advice, bool(advice))
