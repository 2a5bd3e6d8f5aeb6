"""The totals of a run while it runs."""

import pytest

from contract_tests.cases.model import Case, Step
from contract_tests.cli.progress import RunTotals, announce_resumed, format_duration
from contract_tests.contract.rules import load_catalogue
from contract_tests.results.aggregate import Aggregate
from contract_tests.results.judge import Judgement
from contract_tests.results.observation import Observation
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
    assert line == "2,170 requests, 31/s, 0 kinds of findings, 1m 10s of 30m"


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
    assert totals.format_line() == "0 requests, 1 kind of finding, 1s"
    totals.count_findings(RunState("t", "now", pending=Aggregate.of(seen)))
    assert totals.format_line() == "0 requests, 2 kinds of findings, 1s"


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
        "resumed: 1,204 requests, 1 kind of finding, 1m 10s of 30m; layers done: cases, wire\n"
    )


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.9, "0s"), (59, "59s"), (60, "1m"), (70, "1m 10s"), (1800, "30m"), (3600, "1h"), (7500, "2h 5m")],
)
def test_durations_have_units(seconds: float, text: str) -> None:
    """A duration has its two largest units."""
    assert format_duration(seconds) == text
