"""Whether a deployment still chooses as its profile says."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache

import pytest

from contract_tests.calibration.drift import check_profile
from contract_tests.calibration.probing.limits import MAX_CREATED
from contract_tests.contract.choices import Option
from contract_tests.contract.profile import ChosenOption, Departure, Profile
from contract_tests.execution.factory import ExecutorOptions, open_executor
from contract_tests.results.verdict import Report
from contract_tests.targets.wsgi import WsgiTarget
from mock_server import create_app
from tests.support.gate.gate import App, spec

CHOSEN: Mapping[str, Option] = {"invalid-body-status": 422, "unknown-properties": "refused"}
EMPTY = Report("t", "2026-11-29T00:00:00+00:00", 1.0, 0, False, (), (), (), {}, 10, 1)


def check(app: App, options: Mapping[str, Option], report: Report = EMPTY) -> Report:
    """Compare an app with the options of a profile."""
    profile = Profile("staging.yaml", {name: ChosenOption(option) for name, option in options.items()})
    limits = ExecutorOptions(spec=spec(), max_created=MAX_CREATED)
    return check_profile(report, profile, lambda: open_executor(WsgiTarget(app), options=limits))


@cache
def check_departed() -> Report:
    """Compare a deployment that chose otherwise on one of three points, of which one cannot be seen."""
    expected: Mapping[str, Option] = {**CHOSEN, "invalid-body-status": 400, "busy-status": 423}
    return check(create_app(profile={"choices": CHOSEN}), expected)


@pytest.mark.slow
def test_a_departure_has_the_answer_that_shows_it() -> None:
    """Only the choice that was seen otherwise is a departure; one that could not be seen is none."""
    (departure,) = check_departed().departures
    assert (departure.choice, departure.expected, departure.seen.option) == ("invalid-body-status", 400, 422)
    assert "was answered 422" in departure.seen.evidence


@pytest.mark.slow
def test_what_it_took_is_told_and_counted() -> None:
    """A note has the number of requests and services, which count as those of the run, and what was not seen."""
    report = check_departed()
    requests, created = report.requests - EMPTY.requests, report.created - EMPTY.created
    extent = f"{requests} requests, {created} services created"
    note = f"compared with the profile staging.yaml: 2 of 3 choices seen in {extent}; not seen: busy-status"
    assert report.notes == (note,)
    assert 0 < requests <= 150
    assert 0 < created <= MAX_CREATED
    assert len(report.traffic) >= requests


def test_a_departure_fails_a_strict_run_only() -> None:
    """A certain departure is exit code 1 with --strict; an uncertain one never is."""
    certain = Departure("id-version", "4", ChosenOption("7", "why"))
    uncertain = Departure("id-version", "4", ChosenOption("7", "why", is_certain=False))
    assert [replace(EMPTY, strict=strict, departures=(certain,)).drift for strict in (True, False)] == [
        (certain,),
        (),
    ]
    assert replace(EMPTY, strict=True, departures=(certain,)).exit_code == 1
    assert replace(EMPTY, strict=True, departures=(uncertain,)).drift == ()


@pytest.mark.slow
def test_a_fault_is_no_departure() -> None:
    """A choice that concerns a broken rule is not compared: what was seen may be the fault."""
    report = check(create_app(disabled_rules={"exposed-port-range"}), {"invalid-body-status": 422})
    assert report.departures == ()
    assert report.notes[0].endswith("; not seen: invalid-body-status")


def test_a_target_that_cannot_be_judged_is_a_note() -> None:
    """Where nothing can be asked, the note says why, and the report stays as it is."""

    def refuse(_: object, start_response: object) -> list[bytes]:
        start_response("403 Forbidden", [("Content-Type", "text/plain")])  # type: ignore[operator]
        return [b"no"]

    report = check(refuse, CHOSEN)
    assert replace(report, notes=()) == EMPTY
    assert report.notes[0].startswith("not compared with the profile staging.yaml: http")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (KeyboardInterrupt(), "interrupted"),
        (RuntimeError("sk-secret"), "an error of the suite, please report it: RuntimeError"),
    ],
    ids=["Ctrl-C", "error"],
)
def test_the_report_of_the_run_is_never_lost(
    error: BaseException, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever ends the comparison, the report of the gate stays, and a note says why there is no more."""

    def fail(_: object) -> None:
        raise error

    monkeypatch.setattr("contract_tests.calibration.drift.calibrate", fail)
    report = check(create_app(), CHOSEN)
    assert report == replace(EMPTY, notes=(f"not compared with the profile staging.yaml: {reason}",))
