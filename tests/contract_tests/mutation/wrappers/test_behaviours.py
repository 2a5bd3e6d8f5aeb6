"""Faults made by wrappers around an app: valid requests refused, values stored wrongly."""

import json
from collections import Counter
from typing import Any

import pytest

from contract_tests.mutation.engine import run_fault
from contract_tests.mutation.session import MutationSession
from contract_tests.mutation.wrappers.behaviours import Behaviour, list_refusals
from contract_tests.mutation.wrappers.storage import list_storage_faults
from contract_tests.mutation.wrappers.wsgi import WsgiRequest, send_request
from mock_server import create_app

SK = "sk-red-5f0c7c1e9a"
CREATE = {"service_slug": "a-slug", "display_name": "Name", "docker_image": "nginx"}


def build_request(method: str, path: str, raw_body: bytes = b"", **headers: str) -> WsgiRequest:
    """Return a request by a service key."""
    from werkzeug.test import create_environ

    environ = create_environ(path=f"/api/v1{path}", method=method, data=raw_body)
    fields = {"HTTP_AUTHORIZATION": f"Bearer {SK}", "CONTENT_TYPE": "application/json", **headers}
    return WsgiRequest({**environ, **fields}, raw_body)


def find_behaviour(session: MutationSession, name: str) -> Behaviour:
    """Return a behaviour by the end of its id."""
    behaviours = (*list_refusals(), *list_storage_faults(session.spec.document))
    return next(behaviour for behaviour in behaviours if behaviour.id.partition(":")[2] == name)


def test_every_behaviour_has_its_own_name_and_rules(session: MutationSession) -> None:
    """No two behaviours share an id, and each names rules of the catalogue."""
    behaviours = (*list_refusals(), *list_storage_faults(session.spec.document))
    assert [name for name, count in Counter(b.id for b in behaviours).items() if count > 1] == []
    assert {rule for b in behaviours for rule in b.rules} <= set(session.template.catalogue)
    assert all(behaviour.rules for behaviour in behaviours)


FORMS: dict[str, tuple[bytes, dict[str, str]]] = {
    "an-accept-list": (json.dumps(CREATE).encode(), {"HTTP_ACCEPT": "text/html, application/json"}),
    "a-further-header": (json.dumps(CREATE).encode(), {"HTTP_X_REQUEST_ID": "1"}),
    "a-media-type-in-capitals": (json.dumps(CREATE).encode(), {"CONTENT_TYPE": "Application/JSON"}),
    "a-closing-connection": (json.dumps(CREATE).encode(), {"HTTP_CONNECTION": "close"}),
    "space-around-the-body": (json.dumps(CREATE).encode() + b" ", {}),
    "a-body-of-several-lines": (json.dumps(CREATE, indent=1).encode(), {}),
    "a-unicode-escape": (json.dumps(CREATE).replace("N", "\\u004e").encode(), {}),
    "an-escaped-solidus": (json.dumps({**CREATE, "health_path": "/"}).replace("/", "\\/").encode(), {}),
    "a-body-not-in-ascii": (
        json.dumps({**CREATE, "display_name": "\u00e9"}, ensure_ascii=False).encode(),
        {},
    ),
    "a-body-over-4-kib": (json.dumps({**CREATE, "service_desc": "d" * 5000}).encode(), {}),
    "a-body-over-15-kib": (json.dumps({**CREATE, "service_desc": "d" * 15500}).encode(), {}),
}


@pytest.mark.parametrize("form", FORMS)
def test_refusal_refuses_its_form_only(session: MutationSession, form: str) -> None:
    """The mock accepts a request of each form and a plain one; with the fault it accepts the plain one only."""
    raw_body, headers = FORMS[form]
    plain = build_request("POST", "/containers", json.dumps({**CREATE, "service_slug": "plain"}).encode())
    odd = build_request("POST", "/containers", raw_body, **headers)
    app = find_behaviour(session, f"{form}-refused-on-create").build_app(create_app(), session.open_reader())
    assert send_request(create_app(), odd).accepted
    assert (send_request(app, plain).accepted, send_request(app, odd).accepted) == (True, False)


def show_stored(session: MutationSession, name: str, *bodies: dict[str, Any]) -> dict[str, Any]:
    """Return the read-back of a service with a storage fault, after a create and updates."""
    app = find_behaviour(session, name).build_app(create_app(), session.open_reader())
    created = send_request(
        app, build_request("POST", "/containers", json.dumps({**CREATE, **bodies[0]}).encode())
    )
    for body in bodies[1:]:
        path = f"/containers/{created.read_object()['id']}"
        assert send_request(app, build_request("PUT", path, json.dumps(body).encode())).accepted
    return send_request(app, build_request("GET", "/r/containers/a-slug")).read_object()


@pytest.mark.parametrize(
    ("name", "bodies", "shown"),
    [
        ("exposed_port-lost-on-create", ({"exposed_port": 9000},), 8080),
        ("exposed_port-lost-on-update", ({"exposed_port": 9000}, {"exposed_port": 9001}), 9000),
        ("exposed_port-lost-on-update", ({"exposed_port": 9000},), 9000),
        ("exposed_port-forgotten-on-update", ({"exposed_port": 9000}, {"display_name": "b"}), None),
        ("exposed_port-forgotten-on-update", ({}, {"exposed_port": 9000}), 9000),
        ("gpu_count-lost-if-empty-on-update", ({"gpu_count": 2}, {"gpu_count": 0}), 2),
        ("service_desc-cut-to-255-characters-on-create", ({"service_desc": "d" * 300},), "d" * 255),
        ("service_desc-lost-on-create", ({"service_desc": "d"},), None),
        ("required_labels-reversed-on-update", ({}, {"required_labels": ["a", "b"]}), ["b", "a"]),
        ("required_labels-reversed-on-update", ({"required_labels": ["a", "b"]},), ["a", "b"]),
    ],
)
def test_storage_fault_shows_another_value(
    session: MutationSession, name: str, bodies: tuple[dict[str, Any], ...], shown: Any
) -> None:
    """The read-back shows the value that a store with the fault would hold, for its operation only."""
    assert show_stored(session, name, *bodies).get(name.partition("-")[0]) == shown


@pytest.mark.parametrize(
    "name",
    ["replica_count-lost-on-create", "display_name-forgotten-on-update", "dk-answered-403-on-create",
     "an-accept-list-refused-on-update"],
)  # fmt: skip
def test_behaviour_is_killed(session: MutationSession, name: str) -> None:
    """A case sees that a value is lost, that a caller is refused, and that a form is refused."""
    assert run_fault(session, find_behaviour(session, name)).state == "killed"
