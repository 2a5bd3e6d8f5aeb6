"""Faults are planted here: by WSGI middleware, by a second app without a rule, by another store.

Nothing in the mock knows of it. A *twist* answers one request; it is given the request and a function that
lets the right mock answer.
"""

import io
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from http import HTTPStatus
from typing import Any

from werkzeug.test import run_wsgi_app

from mock_server import create_app
from mock_server.contract import loader, model, resources
from mock_server.pipeline.mock import RULES_IN_CODE
from mock_server.services.memory import MemoryStore
from mock_server.services.model import Store
from mock_server.validation import callers
from tests.support.gate.gate import App

CONTAINERS = "/api/v1/containers"
_NO_JSON = object()


@cache
def served() -> model.Contract:
    """The contract as the mock reads it."""
    return loader.load_contract(
        resources.find_resource("spec/openapi.yaml"), frozenset(), frozenset(RULES_IN_CODE)
    )


@cache
def known() -> callers.CallerDirectory:
    """The callers of the fixtures."""
    return callers.load_callers()


@dataclass(frozen=True)
class Request:
    """One request on its way to the mock."""

    environ: Mapping[str, Any]
    raw: bytes

    @property
    def operation(self) -> str:
        """``create`` or ``update``, empty for anything else."""
        method, path = self.environ["REQUEST_METHOD"], self.environ["PATH_INFO"]
        if method == "POST" and path == CONTAINERS:
            return "create"
        return "update" if method == "PUT" and path.startswith(CONTAINERS + "/") else ""

    @property
    def service(self) -> str:
        """The id in the path of an update."""
        return (
            str(self.environ["PATH_INFO"]).removeprefix(CONTAINERS + "/")
            if self.operation == "update"
            else ""
        )

    @property
    def token(self) -> str:
        """What stands after the scheme of Authorization."""
        return str(self.environ.get("HTTP_AUTHORIZATION", "")).partition(" ")[2]

    @property
    def kind(self) -> str:
        """The kind of the caller: sk, dk, ak, jwt, or empty without a token."""
        prefix = self.token.partition("-")[0]
        return prefix if prefix in ("sk", "dk", "ak") else "jwt" if self.token else ""

    @cached_property
    def value(self) -> Any:
        """The body as JSON, or a value that is like no other."""
        try:
            return json.loads(self.raw)
        except (ValueError, RecursionError):
            return _NO_JSON

    @property
    def body(self) -> dict[str, Any]:
        """The body where it is a JSON object, else an empty one."""
        return self.value if isinstance(self.value, dict) else {}

    def header(self, name: str) -> str | None:
        """A header, None where it is left out."""
        key = name.upper().replace("-", "_")
        found = self.environ.get(key if key == "CONTENT_TYPE" else f"HTTP_{key}")
        return None if found is None else str(found)

    def with_header(self, name: str, value: str | None) -> "Request":
        """The same request with another header, or without it."""
        key = name.upper().replace("-", "_")
        key = key if key == "CONTENT_TYPE" else f"HTTP_{key}"
        environ = {k: v for k, v in self.environ.items() if k != key}
        return Request(environ if value is None else {**environ, key: value}, self.raw)

    def with_raw(self, raw: bytes) -> "Request":
        """The same request with another body."""
        return Request(self.environ, raw)

    def with_body(self, body: Any) -> "Request":
        """The same request with another JSON body."""
        return self.with_raw(json.dumps(body).encode())

    def setting(self, **values: Any) -> "Request":
        """The same request with properties of its body set."""
        return self.with_body({**self.body, **values})


@dataclass(frozen=True)
class Response:
    """One answer on its way back."""

    status: int
    body: bytes = b"{}"
    media_type: str = "application/json"

    @property
    def accepted(self) -> bool:
        """Whether it is a success."""
        return 200 <= self.status < 300

    @property
    def value(self) -> Any:
        """The JSON body."""
        return json.loads(self.body)

    def with_value(self, value: Any) -> "Response":
        """The same answer with another JSON body."""
        return replace(self, body=json.dumps(value).encode())


Send = Callable[[Request], Response]
Twist = Callable[[Request, Send], Response]

REFUSED = Response(400)
CRASHED = Response(500)


@dataclass(frozen=True)
class Fault:
    """A named fault.

    ``breaks`` are the rules that the gate must name, and the only ones but for those that ``also`` holds with the
    reason why they may be named beside them. ``twist`` makes a new twist for each planting; it is given the store.
    """

    name: str
    breaks: frozenset[str]
    twist: Callable[[Store], Twist] | None = None
    store: Callable[[], Store] = MemoryStore
    also: Mapping[str, str] = field(default_factory=dict)

    def app(self) -> App:
        """A mock with the fault in it, and nothing stored."""
        store = self.store()
        app = create_app(spec=served(), callers=known(), store=store)
        return app if self.twist is None else twisted(app, self.twist(store))


def twisted(app: App, twist: Twist) -> App:
    """An app all of whose requests go through a twist."""

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        length = environ.get("CONTENT_LENGTH")
        raw = environ["wsgi.input"].read(int(length)) if length else b""
        response = twist(Request(environ, raw), sending(app))
        status = f"{response.status} {HTTPStatus(response.status).phrase}"
        start_response(
            status, [("Content-Type", response.media_type), ("Content-Length", str(len(response.body)))]
        )
        return [response.body]

    return application


def sending(app: App) -> Send:
    """A function that lets an app answer a request."""

    def send(request: Request) -> Response:
        environ = {**request.environ, "wsgi.input": io.BytesIO(request.raw)}
        environ["CONTENT_LENGTH"] = str(len(request.raw))
        chunks, status, headers = run_wsgi_app(app, environ, buffered=True)
        return Response(int(status.split()[0]), b"".join(chunks), headers.get("Content-Type", ""))

    return send


# --- what a twist does, and when


def fault(name: str, breaks: str, twist: Twist, also: Mapping[str, str] | None = None) -> Fault:
    """A fault of a twist that remembers nothing; ``breaks`` are ids with blanks between."""
    return Fault(name, frozenset(breaks.split()), lambda _store: twist, also=also or {})


def remembering(
    name: str, breaks: str, twist: Callable[[Store], Twist], also: Mapping[str, str] | None = None
) -> Fault:
    """A fault of a twist that is made anew for each planting, with the store at hand."""
    return Fault(name, frozenset(breaks.split()), twist, also=also or {})


def stored_in(
    name: str, breaks: str, store: Callable[[], Store], also: Mapping[str, str] | None = None
) -> Fault:
    """A fault of the store."""
    return Fault(name, frozenset(breaks.split()), None, store, also or {})


def unenforced(name: str, breaks: str, when: Callable[[], Callable[[Request], bool]]) -> Fault:
    """Rules that are not enforced for some requests: another mock without them has the same store.

    ``when`` makes a new condition for each planting.
    """

    def twist(store: Store) -> Twist:
        condition, off = when(), sending(create_app(disabled_rules=set(breaks.split()), store=store))
        return lambda request, send: off(request) if condition(request) else send(request)

    return Fault(name, frozenset(breaks.split()), twist)


Test = Callable[[Any], bool]


def holds(request: Request, operation: str, name: str, test: Test) -> bool:
    """Whether a request of an operation (or of either) has a property that passes a test."""
    named = request.operation == operation or (not operation and request.operation != "")
    return named and name in request.body and test(request.body[name])


def takes(operation: str, name: str, test: Test, instead: Any) -> Twist:
    """Takes values that are to be refused, for another that is right; a function makes it of the value."""

    def twist(request: Request, send: Send) -> Response:
        if not holds(request, operation, name, test):
            return send(request)
        right = instead(request.body[name]) if callable(instead) else instead
        return send(request.setting(**{name: right}))

    return twist


def refuses(operation: str, name: str, test: Test, status: int = 400) -> Twist:
    """Refuses values that are to be accepted."""
    return lambda request, send: Response(status) if holds(request, operation, name, test) else send(request)


def crashes(when: Callable[[Request], bool]) -> Twist:
    """Answers some requests with a 500."""
    return lambda request, send: CRASHED if when(request) else send(request)


def answers(operation: str, change: Callable[[Response], Response]) -> Twist:
    """Answers otherwise where an operation succeeds."""

    def twist(request: Request, send: Send) -> Response:
        response = send(request)
        return change(response) if response.accepted and request.operation == operation else response

    return twist
