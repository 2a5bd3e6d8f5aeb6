"""The learner: every choice has a probe, within the limits, and of a broken target little is learnt."""

import itertools
from collections.abc import Callable
from dataclasses import replace

import pytest

from contract_tests.calibration.learner import calibrate
from contract_tests.calibration.probes.table import PROBES
from contract_tests.calibration.probing import wire
from contract_tests.calibration.report import format_last_line
from contract_tests.cases.callers import load_callers
from contract_tests.contract.choices import load_choices
from contract_tests.contract.resources import data_file
from contract_tests.execution.factory import ExecutorOptions, open_executor
from contract_tests.targets.wsgi import WsgiTarget
from mock_server import create_app
from tests.support.gate.calibration import build_mock, calibrate_app
from tests.support.gate.gate import MOCK_HOOK, App, spec
from tests.support.gate.messages import (
    REFUSED,
    Request,
    Response,
    Send,
)
from tests.support.gate.planting import add_interceptor


def with_answers(intercept: Callable[[Request, Send], Response]) -> App:
    """Return a mock whose requests pass an interceptor."""
    return add_interceptor(build_mock(), intercept)


def test_each_choice_has_a_probe() -> None:
    """The table of probes has every choice of the contract, and no other."""
    assert set(PROBES) == set(load_choices())


def test_the_limit_of_requests_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once the limit is reached, what is left is not seen, and the reason says so."""
    monkeypatch.setattr(wire, "MAX_REQUESTS", 60)
    calibration = calibrate_app(build_mock(), MOCK_HOOK)
    assert calibration.requests <= 60
    assert calibration.not_seen["check-order"] == "the limit of 60 requests is reached"
    assert len(calibration.seen) > 15


def test_a_target_that_goes_away_ends_the_calibration() -> None:
    """Once a target is busy for too long, nothing more is learnt, and the exit code is 3."""
    numbers = itertools.count()
    app = with_answers(lambda request, send: send(request) if next(numbers) < 40 else Response(503))
    calibration = calibrate_app(app, MOCK_HOOK)
    assert calibration.exit_code == 3
    assert calibration.requests < 50
    assert set(calibration.seen) | set(calibration.not_seen) == set(load_choices())
    assert "stopped responding" in calibration.not_seen["error-body"]


@pytest.mark.parametrize("after", [40, 100])
def test_what_an_interrupted_calibration_saw_is_kept(after: int) -> None:
    """Ctrl-C ends it with 130; what was seen is not certain, since nothing confirmed it."""
    numbers = itertools.count()

    def interrupt(request: Request, send: Send) -> Response:
        if next(numbers) == after:
            raise KeyboardInterrupt
        return send(request)

    calibration = calibrate_app(with_answers(interrupt), MOCK_HOOK)
    assert (calibration.exit_code, calibration.cut_short) == (130, "interrupted")
    assert {sighting.confidence for sighting in calibration.seen.values()} == {"medium"}
    assert set(calibration.seen) | set(calibration.not_seen) == set(load_choices())
    assert calibration.not_seen["id-case"] == "interrupted"
    assert format_last_line(calibration).startswith("interrupted: ")


def test_a_calibration_that_is_interrupted_at_once_saw_nothing() -> None:
    """Ctrl-C before the first choice is seen ends it without a profile."""

    def interrupt(_request: Request, _send: Send) -> Response:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        calibrate_app(with_answers(interrupt), MOCK_HOOK)


@pytest.mark.parametrize("after", [80, 110])
def test_refusals_of_everything_are_not_learnt(after: int) -> None:
    """A target that refuses every request from some point on teaches and breaks nothing, at the limit too."""
    numbers = itertools.count()
    app = with_answers(lambda request, send: send(request) if next(numbers) < after else Response(403))
    calibration = calibrate_app(app)
    assert (calibration.seen, calibration.findings, calibration.exit_code) == ({}, (), 3)
    assert calibration.requests <= 160
    assert "proves anything" in calibration.not_seen["unknown-tokens"]


def test_a_readback_that_refuses_the_caller_hides_only_what_it_shows() -> None:
    """Where the read-back refuses service keys, the choices that show in the two operations are learnt."""

    def intercept(request: Request, send: Send) -> Response:
        read = request.environ["REQUEST_METHOD"] == "GET"
        return Response(403) if read and request.kind == "sk" else send(request)

    calibration = calibrate_app(with_answers(intercept), MOCK_HOOK)
    assert (calibration.exit_code, calibration.seen["invalid-body-status"].option) == (0, 400)
    assert calibration.not_seen["absent-values"] == "the target offers no read-back"


def test_a_server_error_is_reported_and_not_learnt() -> None:
    """A 5xx is a finding, even on a choice, and the exit code is 1."""
    app = with_answers(lambda request, send: Response(500) if b"\\u0000" in request.raw else send(request))
    calibration = calibrate_app(app, MOCK_HOOK)
    assert calibration.exit_code == 1
    assert "which breaks the rule" in calibration.not_seen["nul-characters"]
    assert [finding.reason for finding in calibration.findings] == ["a server error is never correct"]


def test_a_redirect_is_reported() -> None:
    """A redirected update is a finding, and no choice of updates is learnt."""
    redirected = Response(308)
    app = with_answers(lambda request, send: redirected if request.operation == "update" else send(request))
    calibration = calibrate_app(app, MOCK_HOOK)
    assert "updated" in {finding.rule.id for finding in calibration.findings}
    assert "invalid-body-status" in calibration.not_seen


def test_an_accepted_malformed_slug_is_reported() -> None:
    """A broken rule is a finding, and the status of its refusals is left out."""
    app = create_app(disabled_rules={"service-slug-pattern"})
    calibration = calibrate_app(app, MOCK_HOOK)
    assert [finding.rule.id for finding in calibration.findings] == ["service-slug-pattern"]
    assert set(calibration.not_seen) == {"invalid-body-status"}


@pytest.mark.parametrize("readback", [True, False])
def test_wrong_ids_let_nothing_be_learnt(*, readback: bool) -> None:
    """Where creates return the id of another service, requests by id prove nothing."""
    known = "0192f0c0-1111-7aaa-8bbb-0123456789ab"

    def intercept(request: Request, send: Send) -> Response:
        if not readback and not request.operation:
            return Response(404)
        response = send(request)
        is_create = request.operation == "create" and response.accepted
        return response.with_value({"id": known}) if is_create else response

    calibration = calibrate_app(with_answers(intercept), MOCK_HOOK)
    assert calibration.seen == {}
    assert [finding.rule.id for finding in calibration.findings] == ["created"]


@pytest.mark.parametrize(
    ("statuses", "option"), [((403, 403), "refused-403"), ((401, 403), None)], ids=["same", "different"]
)
def test_service_keys_that_are_refused_are_a_choice(statuses: tuple[int, int], option: str | None) -> None:
    """All sk- keys must be refused alike; nothing else is learnt from them."""

    def intercept(request: Request, send: Send) -> Response:
        if request.kind == "sk" and request.operation:
            return Response(statuses[request.caller == "sk-blue"])
        return send(request)

    calibration = calibrate_app(with_answers(intercept), MOCK_HOOK)
    seen = calibration.seen.get("service-keys")
    assert (seen and seen.option) == option
    assert calibration.seen["unknown-token-status"].option == 401


def test_without_a_hook_the_status_of_busy_services_is_not_seen() -> None:
    """The reason names the option that is missing."""
    calibration = calibrate_app(build_mock(), None)
    assert calibration.not_seen == {"busy-status": "needs --control-hook to set a service's status"}


def test_a_refusal_without_an_accepted_control_proves_nothing() -> None:
    """Where whole items are refused, that broken ones are refused shows no choice."""
    app = with_answers(lambda request, send: REFUSED if "volume_config" in request.body else send(request))
    calibration = calibrate_app(app, MOCK_HOOK)
    assert {"host-path", "container-path", "unknown-item-properties"} <= set(calibration.not_seen)
    assert "volume-config-type" in {finding.rule.id for finding in calibration.findings}


def test_what_a_create_decides_otherwise_is_not_seen() -> None:
    """A choice of both operations is dropped where a create is refused for what an update may hold."""

    def intercept(request: Request, send: Send) -> Response:
        is_refused = request.operation == "create" and "x_calibration" in request.body
        return REFUSED if is_refused else send(request)

    calibration = calibrate_app(with_answers(intercept), MOCK_HOOK)
    assert calibration.not_seen.keys() == {"unknown-properties"}
    assert calibration.not_seen["unknown-properties"].startswith("an update is accepted, a create is refused")


def test_one_caller_of_each_kind_and_team_is_used() -> None:
    """Thirty keys of one team cost one create, not thirty."""
    red = next(caller for caller in load_callers(data_file("fixtures/callers.yaml")) if caller.kind == "sk")
    many = [replace(red, name=f"sk-{number}", token=f"sk-red-{number:04}") for number in range(30)]
    options = ExecutorOptions(control_hook=MOCK_HOOK, spec=spec())
    calibration = calibrate(open_executor(WsgiTarget(build_mock()), [red, *many], options))
    assert calibration.created < 15
    assert calibration.exit_code == 0
    assert "needs a JWT caller" in calibration.not_seen["empty-team"]


def test_a_target_that_refuses_everything_after_a_refusal_shows_nothing() -> None:
    """A valid update that is refused for what happened before breaks no rule about values, and nothing is learnt."""
    refused: list[bool] = []

    def intercept(request: Request, send: Send) -> Response:
        response = Response(409) if refused and request.operation == "update" else send(request)
        if request.operation == "update" and b"display_name" in request.raw and not response.accepted:
            refused.append(True)
        return response

    calibration = calibrate_app(with_answers(intercept), MOCK_HOOK)
    assert calibration.findings == ()
    assert calibration.seen == {}
    assert "so that no refusal before it proves anything" in calibration.not_seen["immutable-properties"]


@pytest.mark.parametrize("most", [8, 9, 10, 14])
def test_a_limit_of_services_that_is_reached_shows_nothing(most: int) -> None:
    """Creates that are refused for it show no choice, neither of values nor of a status."""
    created: list[Response] = []

    def intercept(request: Request, send: Send) -> Response:
        if request.operation == "create" and len(created) >= most:
            return Response(403)
        response = send(request)
        if request.operation == "create" and response.accepted:
            created.append(response)
        return response

    calibration = calibrate_app(with_answers(intercept), MOCK_HOOK)
    assert (calibration.seen, calibration.findings, calibration.exit_code) == ({}, (), 3)
    assert "so that no refusal before it proves anything" in calibration.not_seen["empty-docker-image"]


def test_a_key_with_a_wrong_team_is_named_and_breaks_no_rule() -> None:
    """Two keys of one team look like a team that reaches another's services; the callers file is blamed for it."""
    callers = {caller.name: caller for caller in load_callers(data_file("fixtures/callers.yaml"))}
    wrong = replace(callers["dk-red"], teams=callers["sk-blue"].teams)
    options = ExecutorOptions(control_hook=MOCK_HOOK, spec=spec())
    executor = open_executor(WsgiTarget(build_mock()), [callers["sk-red"], wrong], options)
    calibration = calibrate(executor)
    assert (calibration.findings, calibration.exit_code) == ((), 0)
    assert "cannot be used: dk-red (acts for the team of sk-red: check its `teams`" in calibration.notes[-1]
    assert calibration.requests <= wire.MAX_REQUESTS


def refuse_partial(request: Request, send: Send) -> Response:
    """Refuse an update with 400 that is no whole one."""
    whole = {"display_name", "health_path"} <= request.body.keys()
    return REFUSED if request.operation == "update" and not whole else send(request)


def test_a_target_that_takes_whole_updates_shows_the_statuses_of_bodies_that_are_no_object() -> None:
    """An array and half an array leave nothing out, so that the status of their refusals is learnt."""
    seen = calibrate_app(with_answers(refuse_partial), MOCK_HOOK).seen
    assert (seen["invalid-body-status"].option, seen["malformed-body-status"].option) == (400, 400)


def test_the_evidence_of_a_target_that_takes_whole_updates_says_so() -> None:
    """It does not say that an empty update was accepted, which is the rule that is broken."""
    calibration = calibrate_app(with_answers(refuse_partial), MOCK_HOOK)
    assert {finding.rule.id for finding in calibration.findings} == {"update-partial"}
    evidence = calibration.seen["service-keys"].evidence
    assert evidence.endswith("with {} as sk, completed to a whole update was answered 200")
