"""Faults in what is stored, and in what is stored allows."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from mock_server.services.model import Store
from tests.support.gate.messages import (
    REFUSED,
    Interceptor,
    Request,
    Response,
    Send,
)
from tests.support.gate.planting import (
    Fault,
    fault,
    remembering,
    unenforced,
)

CREDENTIAL = "external_auth_credential_id"


def _changing(store: Store, service_id: str, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Changes what is stored behind the mock's back."""
    with store.transaction() as step:
        service = step.get(service_id)
        if service is not None:
            step.replace(replace(service, values=change(dict(service.values))))


def after_update(
    when: Callable[[dict[str, Any]], bool], change: Callable[[dict[str, Any], dict[str, Any]], dict[str, Any]]
) -> Callable[[Store], Interceptor]:
    """Changes what is stored once an update is accepted; ``change`` is given what is stored and what was sent."""

    def planted(store: Store) -> Interceptor:
        def intercept(request: Request, send: Send) -> Response:
            response = send(request)
            if request.operation == "update" and response.accepted and when(request.body):
                _changing(store, request.service, lambda values: change(values, request.body))
            return response

        return intercept

    return planted


def without_default(name: str, other: Any = None) -> Callable[[Store], Interceptor]:
    """Stores another value than the default, or none, where a create leaves the property out."""

    def planted(store: Store) -> Interceptor:
        def intercept(request: Request, send: Send) -> Response:
            response = send(request)
            if request.operation == "create" and response.accepted and name not in request.body:
                right = {} if other is None else {name: other}
                _changing(
                    store, response.value["id"], lambda v: {k: x for k, x in v.items() if k != name} | right
                )
            return response

        return intercept

    return planted


DEFAULTS: tuple[Fault, ...] = (
    remembering("port-default-not-stored", "exposed-port-default", without_default("exposed_port")),
    remembering("port-default-80", "exposed-port-default", without_default("exposed_port", 80)),
    remembering("port-default-as-text", "exposed-port-default", without_default("exposed_port", "8080")),
    remembering("health-path-default-not-stored", "health-path-default", without_default("health_path")),
    remembering("health-path-default-slash", "health-path-default", without_default("health_path", "/")),
    remembering("gpu-default-not-stored", "gpu-count-default", without_default("gpu_count")),
    remembering("gpu-default-all", "gpu-count-default", without_default("gpu_count", -1)),
    remembering("replica-default-not-stored", "replica-count-default", without_default("replica_count")),
    remembering("replica-default-0", "replica-count-default", without_default("replica_count", 0)),
    remembering("type-default-not-stored", "service-type-default", without_default("service_type")),
    remembering("type-default-external", "service-type-default", without_default("service_type", "external"), also={
        "external-url-on-external-only": "the service that a create without a type makes is external",
        "external-credential-on-external-only": "the service that a create without a type makes is external",
    }),
)  # fmt: skip

_KEPT = ("service_slug", "service_type")
_DEFAULTS = {"exposed_port": 8080, "health_path": "/health", "gpu_count": 0, "replica_count": 1}


def _replaced(values: dict[str, Any], sent: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in values.items() if name in _KEPT}
    return {**_DEFAULTS, **sent, **kept}


def _cleared(values: dict[str, Any], _sent: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key != CREDENTIAL}


def _env_cleared(values: dict[str, Any], sent: dict[str, Any]) -> dict[str, Any]:
    return values if "env_config" in sent else {**values, "env_config": []}


def _defaults_again(values: dict[str, Any], sent: dict[str, Any]) -> dict[str, Any]:
    return {**values, **{name: value for name, value in _DEFAULTS.items() if name not in sent}}


def _last_property(body: dict[str, Any]) -> str:
    names = [name for name in body if name not in _KEPT]
    return names[-1] if names else ""


def _shows_sent_slug(_store: Store) -> Interceptor:
    """Shows the slug that the last update of a service sent, in place of its own."""
    shown: dict[str, str] = {}

    def intercept(request: Request, send: Send) -> Response:
        response = send(request)
        if request.operation == "update" and response.accepted and "service_slug" in request.body:
            shown[response.value["id"]] = request.body["service_slug"]
        if request.environ["REQUEST_METHOD"] == "GET" and response.accepted and response.value["id"] in shown:
            return response.with_value({**response.value, "service_slug": shown[response.value["id"]]})
        return response

    return intercept


def _last_restored(store: Store) -> Interceptor:
    """Leaves the last property of an update as it was."""

    def intercept(request: Request, send: Send) -> Response:
        with store.transaction() as transaction:
            before = transaction.get(request.service)
        response = send(request)
        name = _last_property(request.body)
        if request.operation == "update" and response.accepted and before is not None and name:
            old = {name: before.values[name]} if name in before.values else {}
            _changing(
                store,
                request.service,
                lambda values: {key: value for key, value in values.items() if key != name} | old,
            )
        return response

    return intercept


def _last_lost(store: Store) -> Interceptor:
    """Stores a create without its last property."""

    def intercept(request: Request, send: Send) -> Response:
        response = send(request)
        name = _last_property(request.body)
        if request.operation == "create" and response.accepted:
            _changing(
                store, response.value["id"], lambda values: {k: v for k, v in values.items() if k != name}
            )
        return response

    return intercept


def _as_text(store: Store) -> Interceptor:
    """Stores the port of a create as text."""

    def intercept(request: Request, send: Send) -> Response:
        response = send(request)
        if request.operation == "create" and response.accepted and request.body.get("exposed_port"):
            text = str(request.body["exposed_port"])
            _changing(store, response.value["id"], lambda values: {**values, "exposed_port": text})
        return response

    return intercept


def _image_refused(store: Store) -> Interceptor:
    """Refuses a docker_image on a service that is external."""

    def intercept(request: Request, send: Send) -> Response:
        with store.transaction() as step:
            service = step.get(request.service)
        external = service is not None and service.values.get("service_type") == "external"
        return REFUSED if external and "docker_image" in request.body else send(request)

    return intercept


def _needs_name(request: Request, send: Send) -> Response:
    lacking = request.operation == "update" and "display_name" not in request.body
    return REFUSED if lacking and isinstance(request.value, dict) else send(request)


def _null_refused(kind: str, on: str) -> Callable[[Store], Interceptor]:
    """Refuses a null credential, for one kind of caller or all, on services of a type."""

    def planted(store: Store) -> Interceptor:
        def intercept(request: Request, send: Send) -> Response:
            with store.transaction() as step:
                service = step.get(request.service)
            asked = request.operation == "update" and request.body.get(CREDENTIAL, "") is None
            if (
                asked
                and service
                and service.values.get("service_type") == on
                and request.kind in (kind or request.kind)
            ):
                return REFUSED
            return send(request)

        return intercept

    return planted


def always(_body: dict[str, Any]) -> bool:
    """After every update."""
    return True


def _to_external(values: dict[str, Any], sent: dict[str, Any]) -> dict[str, Any]:
    return {**values, "service_type": "external"} if sent.get("service_type") == "external" else values


def _overlapping(store: Store) -> Interceptor:
    """Reads a service, waits, and writes all of it back: an update at the same time is lost."""

    def intercept(request: Request, send: Send) -> Response:
        with store.transaction() as step:
            before = step.get(request.service) if request.operation == "update" else None
        time.sleep(0.003 if before else 0)
        response = send(request)
        if before is not None and response.accepted:
            sent = request.body.keys()
            _changing(
                store,
                request.service,
                lambda now: {**before.values, **{name: value for name, value in now.items() if name in sent}},
            )
        return response

    return intercept


UPDATES: tuple[Fault, ...] = (
    remembering("null-clears-the-credential", "external-credential-null-keeps",
                after_update(lambda body: body.get(CREDENTIAL, "") is None, _cleared)),
    remembering("null-refused-on-deployed", "external-credential-null-accepted", _null_refused("", "deployed")),
    remembering("null-refused-on-external", "external-credential-null-accepted", _null_refused("", "external")),
    remembering("null-refused-on-deployed-for-dk", "external-credential-null-accepted",
                _null_refused("dk", "deployed")),
    remembering("create-stores-the-port-as-text", "created-stored", _as_text),
    remembering("create-loses-the-last-property", "created-stored", _last_lost),
    remembering("update-loses-the-last-property", "updated-stored", _last_restored),
    remembering("image-refused-on-external-update", "unused-properties-accepted", _image_refused),
    fault("update-needs-a-name", "update-partial", _needs_name),
    remembering("update-replaces-all", "update-keeps-omitted", after_update(always, _replaced)),
    remembering("updates-at-once-lose-each-other", "update-keeps-omitted", _overlapping),
    remembering("update-clears-env", "update-keeps-omitted", after_update(always, _env_cleared)),
    remembering("update-sets-defaults-again", "update-keeps-omitted",
                after_update(always, _defaults_again)),
    remembering("update-forgets-the-credential", "update-keeps-omitted",
                after_update(lambda body: CREDENTIAL not in body, _cleared)),
    remembering("update-makes-external", "service-type-immutable",
                after_update(lambda body: "service_type" in body, _to_external)),
    remembering("update-changes-the-shown-slug", "slug-immutable", _shows_sent_slug),
    unenforced("update-changes-the-slug", "slug-immutable", lambda: lambda r: r.operation == "update"),
    unenforced("update-stores-nothing", "updated-stored", lambda: lambda r: r.operation == "update"),
    unenforced("url-on-deployed-with-others", "external-url-on-external-only",
               lambda: lambda r: r.operation == "update" and len(r.body) > 1),
    unenforced("url-on-deployed-for-dk", "external-url-on-external-only", lambda: lambda r: r.kind == "dk"),
    unenforced("url-on-deployed-for-jwt", "external-url-on-external-only", lambda: lambda r: r.kind == "jwt"),
    unenforced("credential-on-deployed-for-sk", "external-credential-on-external-only",
               lambda: lambda r: r.kind == "sk"),
    unenforced("credential-on-deployed", "external-credential-on-external-only",
               lambda: lambda r: r.operation == "update"),
)  # fmt: skip


def _busy(*statuses: str) -> Callable[[Store], Interceptor]:
    """Accepts updates in a status in which there must be none."""

    def planted(store: Store) -> Interceptor:
        def intercept(request: Request, send: Send) -> Response:
            with store.transaction() as step:
                service = step.get(request.service)
            if service is None or service.status not in statuses:
                return send(request)
            with store.transaction() as step:
                step.replace(replace(service, status="running"))
            response = send(request)
            with store.transaction() as step:
                now = step.get(request.service)
                step.replace(replace(now or service, status=service.status))
            return response

        return intercept

    return planted


def _refused_in(status: str) -> Callable[[Store], Interceptor]:
    """Refuses updates in a status in which they must be accepted."""

    def planted(store: Store) -> Interceptor:
        def intercept(request: Request, send: Send) -> Response:
            with store.transaction() as step:
                service = step.get(request.service)
            return Response(409) if service is not None and service.status == status else send(request)

        return intercept

    return planted


STATUS: tuple[Fault, ...] = (
    remembering("update-while-deploying", "not-while-busy", _busy("deploying")),
    remembering("update-while-stopping", "not-while-busy", _busy("stopping")),
    remembering("no-update-while-running", "not-while-busy", _refused_in("running")),
    remembering("no-update-once-failed", "not-while-busy", _refused_in("failed")),
    remembering("no-update-once-stopped", "not-while-busy", _refused_in("stopped")),
)  # fmt: skip

STATE = (*DEFAULTS, *UPDATES, *STATUS)
