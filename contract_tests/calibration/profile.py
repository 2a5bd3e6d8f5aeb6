"""The profile that a calibration learnt, as the YAML that ``mock-server --profile`` reads."""

from pathlib import Path
from typing import Any

import yaml

from contract_tests.calibration.learner import Calibration
from contract_tests.contract.files.report_file import write_named_file

_HEAD = """\
# How {target} chose, as contract-tests calibrate saw it on {day}.
# mock-server --profile FILE behaves so. What is not under `choices` keeps its usual option.
"""
_LINE = 110


def profile_to_json(calibration: Calibration) -> dict[str, Any]:
    """Return the profile as plain values; ``not_seen`` is for people, and read by no program."""
    choices = {
        name: {"option": one.option, "evidence": one.evidence, "confidence": one.confidence}
        for name, one in calibration.seen.items()
    }
    return {"choices": choices, "not_seen": dict(calibration.not_seen)}


def format_profile(calibration: Calibration, day: str) -> str:
    """Return the text of the profile; ``day`` is a date as text."""
    body = yaml.safe_dump(profile_to_json(calibration), sort_keys=False, width=_LINE)
    return _HEAD.format(target=calibration.target, day=day) + body


def write_profile(calibration: Calibration, file: Path, day: str) -> None:
    """Write the profile; raise OSError if that fails."""
    write_named_file(file, format_profile(calibration, day))
