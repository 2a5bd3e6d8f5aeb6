"""Drift: whether a deployment still chooses as its profile says, by a calibration after the gate."""

from collections.abc import Callable
from dataclasses import replace

from contract_tests.calibration.learner import INTERRUPTED, Calibration, calibrate
from contract_tests.contract.profile import ChosenOption, Profile, find_departures
from contract_tests.execution.executor import Executor
from contract_tests.execution.preflight.plain_creates import CannotJudge
from contract_tests.execution.sending.limits import TargetGone
from contract_tests.results.verdict import Report
from contract_tests.targets.clock import RunStopped


def check_profile(report: Report, profile: Profile, open_executor: Callable[[], Executor]) -> Report:
    """Return the report of a run with the departures from a profile; a note says what that took.

    The executor is one that has sent nothing: the limits of a calibration are its own. `open_executor` may raise
    CannotJudge.
    """
    try:
        executor = open_executor()
        calibration = calibrate(executor)
    except (CannotJudge, TargetGone, RunStopped) as error:
        return _add_note(report, f"not compared with the profile {profile.name}: {error}")
    except KeyboardInterrupt:
        return _add_note(report, f"not compared with the profile {profile.name}: {INTERRUPTED}")
    except Exception as error:  # the report of the run is worth more than a traceback
        reason = f"an error of the suite, please report it: {type(error).__name__}"
        return _add_note(report, f"not compared with the profile {profile.name}: {reason}")
    if calibration.cut_short == INTERRUPTED:
        report = _add_note(report, f"not compared to the end with the profile {profile.name}: {INTERRUPTED}")
    compared = replace(
        report,
        departures=find_departures(profile, read_calibration(calibration)),
        requests=report.requests + calibration.requests,
        created=report.created + calibration.created,
        traffic=(*report.traffic, *executor.sender.traffic),
    )
    return _add_note(compared, _describe_comparison(profile, calibration))


def read_calibration(calibration: Calibration) -> Profile:
    """Return what a calibration saw as a profile."""
    options = {
        name: ChosenOption(one.option, one.evidence, one.confidence == "high")
        for name, one in calibration.seen.items()
    }
    return Profile(calibration.target, options, calibration.not_seen)


def _describe_comparison(profile: Profile, calibration: Calibration) -> str:
    """Return how much of a profile could be compared, and what that took."""
    unseen = [name for name in profile.options if name not in calibration.seen]
    names = f"; not seen: {', '.join(unseen)}" if unseen else ""
    seen = f"{len(profile.options) - len(unseen)} of {len(profile.options)} choices"
    extent = f"{calibration.requests} requests, {calibration.created} services created"
    return f"compared with the profile {profile.name}: {seen} seen in {extent}{names}"


def _add_note(report: Report, note: str) -> Report:
    return replace(report, notes=(*report.notes, note))
