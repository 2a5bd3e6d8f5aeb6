"""Plants faults in a mock: by WSGI middleware, by a second app without a rule, or by another store.

The mock has no code for this. An interceptor returns the response to one request. It receives the request, and a
function that sends a request to the unchanged mock.
"""

import io
import json
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from functools import lru_cache
from http import HTTPStatus
from typing import Any

from werkzeug.test import run_wsgi_app

from mock_server import create_app
from mock_server.contract import loader, model, resources
from mock_server.pipeline.mock import RULES_IN_CODE
from mock_server.services.memory import MemoryStore
from mock_server.services.model import Service, Store
from tests.support.gate.gate import App
from tests.support.gate.messages import (
    CRASHED,
    Interceptor,
    Request,
    Response,
    Send,
    When,
    known,
)


@lru_cache(maxsize=64)  # a contract holds much, and there are many profiles
def served(disabled: frozenset[str] = frozenset(), profile: str = "") -> model.Contract:
    """Return the contract as the mock reads it; the profile is JSON, empty for none."""
    return loader.load_contract(
        resources.find_resource("spec/openapi.yaml"),
        disabled,
        frozenset(RULES_IN_CODE),
        json.loads(profile) if profile else None,
    )


#: The profile of the mocks in which a fault is being planted, as JSON.
_profile: ContextVar[str] = ContextVar("profile", default="")


def build_mock(store: Store, disabled: Iterable[str] = ()) -> App:
    """Return the mock in which a fault is being planted, without some rules."""
    return create_app(spec=served(frozenset(disabled), _profile.get()), callers=known(), store=store)


@dataclass(frozen=True)
class Fault:
    """A named fault.

    The gate must report the rules in ``breaks``. It may also report those in ``also``, which gives a reason for each.
    ``intercept`` returns a new interceptor for a store.
    """

    name: str
    breaks: frozenset[str]
    intercept: Callable[[Store], Interceptor] | None = None
    store: Callable[[], Store] = MemoryStore
    also: Mapping[str, str] = field(default_factory=dict)

    def app(self, profile: Mapping[str, Any] | None = None) -> App:
        """Return a mock with the fault and an empty store, which has chosen as the profile says."""
        store = self.store()
        token = _profile.set(json.dumps(profile) if profile else "")
        try:
            app = build_mock(store)
            return app if self.intercept is None else add_interceptor(app, self.intercept(store))
        finally:
            _profile.reset(token)


def add_interceptor(app: App, intercept: Interceptor) -> App:
    """Return an app whose requests all pass the interceptor."""

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        length = environ.get("CONTENT_LENGTH")
        stream, unframed = environ["wsgi.input"], environ.get("wsgi.input_terminated")
        raw = stream.read(int(length)) if length else stream.read() if unframed else b""
        response = intercept(Request(environ, raw), sending(app))
        status = f"{response.status} {HTTPStatus(response.status).phrase}"
        start_response(
            status, [("Content-Type", response.media_type), ("Content-Length", str(len(response.body)))]
        )
        return [response.body]

    return application


def sending(app: App) -> Send:
    """Return a function that sends a request to an app."""

    def send(request: Request) -> Response:
        environ = {**request.environ, "wsgi.input": io.BytesIO(request.raw)}
        environ["CONTENT_LENGTH"] = str(len(request.raw))
        chunks, status, headers = run_wsgi_app(app, environ, buffered=True)
        return Response(int(status.split()[0]), b"".join(chunks), headers.get("Content-Type", ""))

    return send


# --- constructors of faults, by their kind


def fault(name: str, breaks: str, intercept: Interceptor, also: Mapping[str, str] | None = None) -> Fault:
    """Return a fault with a stateless interceptor; ``breaks`` are rule ids separated by blanks."""
    return Fault(name, frozenset(breaks.split()), lambda _store: intercept, also=also or {})


def remembering(
    name: str, breaks: str, intercept: Callable[[Store], Interceptor], also: Mapping[str, str] | None = None
) -> Fault:
    """Return a fault whose interceptor has state, or reads the store; each planting makes a new one."""
    return Fault(name, frozenset(breaks.split()), intercept, also=also or {})


def stored_in(
    name: str, breaks: str, store: Callable[[], Store], also: Mapping[str, str] | None = None
) -> Fault:
    """Return a fault of the store."""
    return Fault(name, frozenset(breaks.split()), None, store, also or {})


def unenforced(name: str, breaks: str, when: Callable[[], Callable[[Request], bool]]) -> Fault:
    """Rules that are not enforced for some requests: another mock without them has the same store.

    ``when`` makes a new condition for each planting.
    """

    def intercept(store: Store) -> Interceptor:
        condition, off = when(), sending(build_mock(store, breaks.split()))
        return lambda request, send: off(request) if condition(request) else send(request)

    return Fault(name, frozenset(breaks.split()), intercept)


def lenient(name: str, breaks: str, when: Callable[[Request, Service | None], bool]) -> Fault:
    """Rules that are not enforced for some requests, which depend on the service that an update is for."""

    def intercept(store: Store) -> Interceptor:
        off = sending(build_mock(store, breaks.split()))
        return lambda request, send: (off if when(request, service_of(store, request)) else send)(request)

    return Fault(name, frozenset(breaks.split()), intercept)


Test = Callable[[Any], bool]


def holds(request: Request, operation: str, name: str, test: Test) -> bool:
    """Whether a request of an operation (or of either) has a property that passes a test."""
    named = request.operation == operation or (not operation and request.operation != "")
    return named and name in request.body and test(request.body[name])


def takes(operation: str, name: str, test: Test, instead: Any) -> Interceptor:
    """Takes values that are to be refused, for another that is right; a function makes it of the value."""

    def intercept(request: Request, send: Send) -> Response:
        if not holds(request, operation, name, test):
            return send(request)
        right = instead(request.body[name]) if callable(instead) else instead
        return send(request.setting(**{name: right}))

    return intercept


def refuses(operation: str, name: str, test: Test, status: int = 400) -> Interceptor:
    """Refuses values that are to be accepted."""
    return lambda request, send: Response(status) if holds(request, operation, name, test) else send(request)


def turns_away(when: When, status: int = 400) -> Interceptor:
    """Refuses some requests."""
    return lambda request, send: Response(status) if when(request) else send(request)


def crashes(when: When) -> Interceptor:
    """Answers some requests with a 500."""
    return lambda request, send: CRASHED if when(request) else send(request)


def answers(operation: str, change: Callable[[Response], Response]) -> Interceptor:
    """Answers otherwise where an operation succeeds."""

    def intercept(request: Request, send: Send) -> Response:
        response = send(request)
        return change(response) if response.accepted and request.operation == operation else response

    return intercept


# --- what is stored


def service_of(store: Store, request: Request) -> Service | None:
    """Return the service that an update is for, None if there is none."""
    if request.operation != "update":
        return None
    with store.transaction() as step:
        return step.get(request.service.lower())


def type_of(request: Request, service: Service | None) -> object:
    """Return the type of the service that a request makes or changes."""
    values = request.body if service is None else service.values
    return values.get("service_type", "deployed")


@dataclass(frozen=True)
class Write:
    """An accepted create or update: its request, and the service before (None on create) and after it."""

    request: Request
    before: Service | None
    after: Service

    @property
    def sent(self) -> dict[str, Any]:
        """The properties that it sends."""
        return self.request.body

    @property
    def old(self) -> Mapping[str, Any]:
        """The values that were stored before."""
        return self.before.values if self.before else {}


def rewrites(operation: str, change: Callable[[Write], Mapping[str, Any]]) -> Callable[[Store], Interceptor]:
    """Changes what is stored once an operation (or either) is accepted, by the values that it returns."""

    def planted(store: Store) -> Interceptor:
        def intercept(request: Request, send: Send) -> Response:
            before = service_of(store, request)
            response = send(request)
            if (
                response.accepted
                and request.operation
                and request.operation in (operation or request.operation)
            ):
                with store.transaction() as step:
                    after = step.get(response.value["id"])
                    if after is not None:
                        other = change(Write(request, before, after))
                        step.replace(replace(after, values={**after.values, **other}))
            return response

        return intercept

    return planted


def stores(operation: str, name: str, change: Callable[[Any], Any]) -> Callable[[Store], Interceptor]:
    """Stores a property that is sent otherwise."""

    def changed(write: Write) -> Mapping[str, Any]:
        value = write.sent.get(name)
        return {} if value is None else {name: change(value)}

    return rewrites(operation, changed)


def ignores(name: str, test: Test) -> Callable[[Store], Interceptor]:
    """Keeps what is stored where an update sends a value that passes the test."""
    return rewrites(
        "update",
        lambda write: {name: write.old.get(name)} if name in write.sent and test(write.sent[name]) else {},
    )
