"""A WSGI app compared with the mock in process."""

import tempfile
from pathlib import Path
from typing import Any

from contract_tests.calibration.profile import write_profile
from contract_tests.parity.report import ParityReport, build_report
from contract_tests.parity.session import ParityOptions, open_session
from contract_tests.targets.wsgi import WsgiTarget
from examples.deployment.choices import Choices
from tests.support.gate.calibration import calibrate_app
from tests.support.gate.example_app import build_deployment_app
from tests.support.gate.gate import EXAMPLE_HOOK, MOCK_HOOK, App


def compare_app(app: App, hook: str | None = MOCK_HOOK, **options: Any) -> ParityReport:
    """Return the comparison of an app with the mock; ``options`` are those of the comparison."""
    session = open_session(WsgiTarget(app), None, ParityOptions(control_hook=hook, **options))
    session.run()
    return build_report(session, target="app", profile="a profile", started="2026-01-01", strict=False)


def compare_calibrated(choices: Choices, **options: Any) -> ParityReport:
    """Return the comparison of an example deployment with the mock that was calibrated on an equal one."""
    calibration = calibrate_app(build_deployment_app(choices))
    with tempfile.TemporaryDirectory() as folder:
        profile = Path(folder) / "profile.yaml"
        write_profile(calibration, profile, "2026-01-01")
        return compare_app(build_deployment_app(choices), EXAMPLE_HOOK, profile=profile, **options)


def describe_parts(report: ParityReport) -> str:
    """Return where the two part in words, for a failed assertion."""
    return "\n".join(
        f"{part.name} {part.dimension} {part.count}: {example.exchange.method} {example.exchange.url} "
        f"{example.exchange.body!r}: {example.difference}"
        for part in report.parts for example in part.examples
    )  # fmt: skip


def list_parted(report: ParityReport) -> list[str]:
    """Return the names of the rules and choices that part, the most frequent first."""
    return [*dict.fromkeys(part.name for part in report.parts)]
