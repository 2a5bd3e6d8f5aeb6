"""The profile that a calibration writes."""

from pathlib import Path

import yaml

from contract_tests.calibration.learner import Calibration
from contract_tests.calibration.probing.sighting import Sighting
from contract_tests.calibration.profile import format_profile, write_profile
from mock_server.contract.choices import load_choices
from mock_server.contract.profile import load_profile
from tests.support.gate.calibration import build_mock, calibrate_app
from tests.support.gate.gate import MOCK_HOOK
from tests.support.gate.messages import (
    Request,
    Response,
    Send,
    known,
)
from tests.support.gate.planting import add_interceptor


def calibration_of(**seen: Sighting) -> Calibration:
    """Return a calibration that saw some choices."""
    named = {name.replace("_", "-"): one for name, one in seen.items()}
    return Calibration("https://host/api/v1", named, {"busy-status": "needs a hook"}, (), (), 9, 2)


def test_the_mock_reads_the_profile(tmp_path: Path) -> None:
    """Options that YAML could read as something else stay what they are, and what was not seen stays usual."""
    file = tmp_path / "staging.yaml"
    sightings = {
        "absent_values": "null",
        "id_version": "4",
        "invalid_body_status": 422,
        "created_status": 200,
    }
    seen = {name: Sighting(option, "PUT was answered") for name, option in sightings.items()}
    write_profile(calibration_of(**seen), file, "2026-11-29")
    options = load_profile(file, load_choices(), {})
    learnt = [options[name.replace("_", "-")] for name in sightings]
    assert learnt == ["null", "4", 422, 200]
    assert options["busy-status"] == 409


def test_evidence_and_reasons_are_kept() -> None:
    """Each choice has its evidence and confidence; what was not seen has its reason."""
    sighting = Sighting(422, 'PUT with {"a": 1} was answered 422', "medium")
    text = format_profile(calibration_of(invalid_body_status=sighting), "2026-11-29")
    assert yaml.safe_load(text) == {
        "choices": {
            "invalid-body-status": {
                "option": 422,
                "evidence": 'PUT with {"a": 1} was answered 422',
                "confidence": "medium",
            }
        },
        "not_seen": {"busy-status": "needs a hook"},
    }
    assert text.startswith(
        "# How https://host/api/v1 chose, as contract-tests calibrate saw it on 2026-11-29.\n"
    )


def test_no_token_is_in_a_profile() -> None:
    """A target that repeats the token in every answer brings it into no profile."""

    def repeat(request: Request, send: Send) -> Response:
        response = send(request)
        token = request.token or "none"
        if not response.accepted:
            return Response(response.status, token.encode(), "text/plain")
        return response.with_value({**response.value, "as": token}) if request.operation else response

    calibration = calibrate_app(add_interceptor(build_mock(), repeat), MOCK_HOOK)
    text = format_profile(calibration, "2026-11-29")
    assert calibration.seen["error-body"].option == "text"
    assert [token for token in known().callers if token in text or token in repr(calibration)] == []
