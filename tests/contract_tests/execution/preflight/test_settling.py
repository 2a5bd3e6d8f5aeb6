"""Settling: a deployment may answer a create before its updates find the service."""

import time
from dataclasses import replace

import pytest

from contract_tests.execution.preflight import settling
from contract_tests.runs.options import RunOptions
from contract_tests.runs.run import Run
from mock_server import create_app
from tests.support.gate.gate import App, open_app_executor, violated_rules
from tests.support.gate.messages import Request, Response, Send
from tests.support.gate.planting import add_interceptor

RULES = frozenset({"team-ignored-for-credentials", "external-credential-null-accepted"})
LIFECYCLE = ("lifecycle",)
SECONDS = 0.03


@pytest.fixture(autouse=True)
def ask_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the preflight ask for a new service often enough for a test."""
    monkeypatch.setattr(settling, "_INTERVAL", 0.05)


def hide_new_services(app: App, seconds: float, updates: int = 0, status: int = 404) -> App:
    """Return an app that updates no service so soon after its create, nor by the first updates."""
    created: dict[str, float] = {}
    tries: dict[str, int] = {}

    def intercept(request: Request, send: Send) -> Response:
        identifier = request.service
        tries[identifier] = tries.get(identifier, 0) + 1
        if identifier in created and (
            time.monotonic() < created[identifier] + seconds or tries[identifier] <= updates
        ):
            return Response(status)
        response = send(request)
        if request.operation == "create" and response.status == 201:
            created[response.value["id"]] = time.monotonic()
        return response

    return add_interceptor(app, intercept)


@pytest.mark.parametrize("status", [404, 409], ids=["not-found", "deploying"])
def test_a_service_that_updates_find_after_a_moment_breaks_no_rule(status: int) -> None:
    """No page says that an update finds a service at once, nor that a create does not deploy it; a note says so."""
    executor = open_app_executor(hide_new_services(create_app(), SECONDS, status=status))
    report = Run(executor, RunOptions(rules=RULES, layers=LIFECYCLE)).execute()
    assert (violated_rules(report), executor.sender.settling > SECONDS) == (set(), True)
    assert any("only some time after its create" in note for note in report.notes)


def test_a_fault_of_a_deployment_that_takes_a_moment_is_found() -> None:
    """The wait hides no fault."""
    app = create_app(disabled_rules={"exposed-port-range"})
    executor = open_app_executor(hide_new_services(app, SECONDS))
    report = Run(executor, RunOptions(rules=frozenset({"exposed-port-range"}), layers=("cases",))).execute()
    assert (violated_rules(report), executor.sender.settling > SECONDS) == ({"exposed-port-range"}, True)


def test_an_update_that_fails_once_is_not_one_that_comes_too_soon() -> None:
    """A deployment that does not find a service in the first update, however late it comes, breaks a rule."""
    executor = open_app_executor(hide_new_services(create_app(), 0, updates=1))
    report = Run(executor, RunOptions(rules=RULES, layers=LIFECYCLE)).execute()
    assert (bool(violated_rules(report)), executor.sender.settling) == (True, 0)


def test_a_create_without_an_id_is_judged_all_the_same() -> None:
    """The preflight updates nothing where a create returned no id, which breaks a rule."""

    def intercept(request: Request, send: Send) -> Response:
        response = send(request)
        return replace(response, body=b"{}") if request.operation == "create" else response

    executor = open_app_executor(add_interceptor(create_app(), intercept))
    report = Run(executor, RunOptions(rules=frozenset({"created"}), layers=("cases",))).execute()
    assert violated_rules(report) == {"created"}
