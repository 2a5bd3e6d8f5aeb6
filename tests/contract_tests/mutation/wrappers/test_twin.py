"""Two apps behind one address, of which one is changed."""

from collections.abc import Callable
from typing import Any

import pytest

from contract_tests.execution.race import build_race_cases
from contract_tests.mutation.session import MutationSession, run_cases
from contract_tests.mutation.wrappers.scopes import SCOPES, Phase, Scope
from contract_tests.mutation.wrappers.twin import Twin
from contract_tests.mutation.wrappers.wsgi import WsgiRequest, WsgiResponse, send_request, serve_requests
from mock_server import create_app
from tests.support.sampling import keep_first

SK, DK = "sk-red-5f0c7c1e9a", "dk-red-1b6e20f8d4"
CONTAINERS = "/api/v1/containers"


def open_twin(session: MutationSession, scope: Scope, changed: Any = None) -> Any:
    """Return an app whose requests in a scope go to another mock, the same or a changed one."""
    reader = session.open_reader()
    twin = Twin(create_app(), changed or create_app(), scope.choose(reader, Phase(2)), reader)
    return twin.build_app()


def find_scope(name: str) -> Scope:
    """Return the scope with a name."""
    return next(scope for scope in SCOPES if scope.name == name)


def open_client(app: Any) -> Callable[..., tuple[int, dict[str, Any]]]:
    """Return a function that sends one request to an app, as a caller."""
    from werkzeug.test import Client

    client = Client(app)

    def send(method: str, path: str, body: Any = None, token: str = SK) -> tuple[int, dict[str, Any]]:
        response = client.open(path, method=method, json=body, headers={"Authorization": f"Bearer {token}"})
        return response.status_code, response.json or {}

    return send


@pytest.mark.slow
@pytest.mark.parametrize("scope", keep_first(2, SCOPES), ids=lambda scope: scope.name)
def test_twin_of_two_equal_apps_is_one_app(session: MutationSession, scope: Scope) -> None:
    """No case can tell two equal apps with requests split by a scope from one app."""
    outcomes = []
    for app in (create_app(), open_twin(session, scope)):
        executor = session.open_app_executor(app)
        cases = [*session.cases, *build_race_cases()]
        outcomes.append([(o.case.id, o.judgement.outcome) for o in run_cases(executor, cases)])
    assert outcomes[0] == outcomes[1]


def test_changed_app_serves_its_scope_only(session: MutationSession) -> None:
    """With a changed app for deploy keys, only a deploy key may create a service with the port 0."""
    changed = create_app(disabled_rules={"exposed-port-range"})
    send = open_client(open_twin(session, find_scope("dk-only"), changed))
    body = {"service_slug": "a-port", "display_name": "Port", "docker_image": "nginx", "exposed_port": 0}
    assert send("POST", CONTAINERS, body)[0] == 400
    assert send("POST", CONTAINERS, body, DK)[0] == 201


def test_service_is_one_service_in_both_apps(session: MutationSession) -> None:
    """A service that one app created can be updated and read through the other, under the same id."""
    send = open_client(open_twin(session, find_scope("dk-only")))
    body = {"service_slug": "one-of-two", "display_name": "First", "docker_image": "nginx"}
    status, created = send("POST", CONTAINERS, body)
    updated = send("PUT", f"{CONTAINERS}/{created['id']}", {"display_name": "Second"}, DK)
    shown = send("GET", "/api/v1/r/containers/one-of-two")[1]
    assert (status, updated) == (201, (200, {"id": created["id"]}))
    assert (shown["id"], shown["display_name"]) == (created["id"], "Second")


def test_service_of_the_changed_app_alone_stays_usable(session: MutationSession) -> None:
    """A service that only the changed app accepted can be read and updated outside the scope."""
    changed = create_app(disabled_rules={"exposed-port-range"})
    send = open_client(open_twin(session, find_scope("create-only"), changed))
    body = {"service_slug": "odd-port", "display_name": "Port", "docker_image": "nginx", "exposed_port": 0}
    created = send("POST", CONTAINERS, body)[1]
    assert send("PUT", f"{CONTAINERS}/{created['id']}", {"display_name": "Still"})[0] == 200
    assert send("GET", "/api/v1/r/containers/odd-port")[1]["exposed_port"] == 0


def test_wrapper_passes_everything_on(session: MutationSession) -> None:
    """A wrapper that changes nothing returns the response of the app, with its status, headers and body."""
    app = create_app()
    seen: list[WsgiRequest] = []

    def pass_on(request: WsgiRequest) -> WsgiResponse:
        seen.append(request)
        return send_request(app, request)

    send = open_client(serve_requests(pass_on))
    status, problem = send("POST", CONTAINERS, {"display_name": 1})
    assert (status, seen[0].body) == (400, {"display_name": 1})
    assert problem["violations"]
    assert session.open_reader().find_operation(seen[0]) == ("createContainer", "")
