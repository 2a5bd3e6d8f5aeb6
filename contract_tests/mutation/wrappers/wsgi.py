"""Requests to a WSGI app, and its responses, as values, for wrappers that change them on their way."""

import io
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from http import HTTPStatus
from typing import Any

from werkzeug.test import run_wsgi_app

from contract_tests.cases.callers import CallerPool
from contract_tests.contract.files.json_text import parse_json
from contract_tests.contract.spec import Spec

App = Callable[..., Any]


@dataclass(frozen=True)
class WsgiRequest:
    """One request on its way to an app."""

    environ: Mapping[str, Any]
    raw_body: bytes

    @property
    def method(self) -> str:
        """The method."""
        return str(self.environ["REQUEST_METHOD"])

    @property
    def path(self) -> str:
        """The path, without its percent-encoding."""
        return str(self.environ["PATH_INFO"])

    @cached_property
    def body(self) -> dict[str, Any]:
        """The body if it is a JSON object, else an empty one."""
        try:
            value = parse_json(self.raw_body)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}

    @property
    def header_names(self) -> frozenset[str]:
        """The names of the headers, in lower case."""
        names = (key.removeprefix("HTTP_") for key in self.environ if key.startswith("HTTP_"))
        return frozenset(name.replace("_", "-").lower() for name in names)

    def find_header(self, name: str) -> str | None:
        """Return the value of a header, None if it is absent."""
        key = name.upper().replace("-", "_")
        value = self.environ.get(key if key == "CONTENT_TYPE" else f"HTTP_{key}")
        return None if value is None else str(value)

    def with_path(self, path: str) -> "WsgiRequest":
        """Return the same request to another path."""
        return WsgiRequest({**self.environ, "PATH_INFO": path}, self.raw_body)


@dataclass(frozen=True, slots=True)
class WsgiResponse:
    """One response on its way back."""

    status: int
    body: bytes = b"{}"
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/json"),)

    @property
    def accepted(self) -> bool:
        """True for a success."""
        return 200 <= self.status < 300

    def read_object(self) -> dict[str, Any]:
        """Return the body as a JSON object, an empty one if it is something else."""
        try:
            value = parse_json(self.body)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}

    def with_object(self, value: Mapping[str, Any]) -> "WsgiResponse":
        """Return the same response with another JSON object."""
        return replace(self, body=json.dumps(value).encode())

    def with_id(self, old: str, new: str) -> "WsgiResponse":
        """Return the same response with one id in place of another."""
        return replace(self, body=self.body.replace(old.encode(), new.encode())) if old != new else self


def send_request(app: App, request: WsgiRequest) -> WsgiResponse:
    """Send a request to an app."""
    environ = {**request.environ, "wsgi.input": io.BytesIO(request.raw_body)}
    chunks, status, headers = run_wsgi_app(app, environ, buffered=True)
    return WsgiResponse(int(status.split()[0]), b"".join(chunks), tuple(headers))


def serve_requests(handle: Callable[[WsgiRequest], WsgiResponse]) -> App:
    """Return a WSGI app that hands every request to a function."""

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        length = -1 if environ.get("wsgi.input_terminated") else int(environ.get("CONTENT_LENGTH") or 0)
        response = handle(WsgiRequest(environ, environ["wsgi.input"].read(length)))
        headers = [(name, value) for name, value in response.headers if name.lower() != "content-length"]
        status = f"{response.status} {HTTPStatus(response.status).phrase}"
        start_response(status, [*headers, ("Content-Length", str(len(response.body)))])
        return [response.body]

    return application


class RequestReader:
    """Finds the operation of a request, and who sends it."""

    def __init__(self, spec: Spec, pool: CallerPool) -> None:
        """Read the operations of the contract and the callers of the run."""
        self._operations = [
            (
                operation.id,
                operation.method,
                re.compile(".*" + re.sub(r"\{[^}]*\}", "([^/]*)", operation.path)),
            )
            for operation in spec.operations.values()
        ]
        self._pool = pool
        self._callers = {caller.token: caller for caller in pool.callers}

    def find_operation(self, request: WsgiRequest) -> tuple[str, str]:
        """Return the id of the operation and the value of its path parameter; both are empty if there is none."""
        for name, method, path in self._operations:
            if request.method == method and (match := path.fullmatch(request.path)):
                return name, "".join(match.groups())
        return "", ""

    def find_kind(self, request: WsgiRequest) -> str:
        """Return the kind of the caller, empty without a token."""
        token = _read_token(request)
        if token in self._callers:
            return self._callers[token].kind
        prefix = token.partition("-")[0]
        return prefix if prefix in ("sk", "dk", "ak") else "jwt" if token else ""

    def find_team(self, request: WsgiRequest) -> str | None:
        """Return the team for which a request acts, None if that is unknown."""
        caller = self._callers.get(_read_token(request))
        if caller is None or not caller.teams:
            return None
        return request.find_header("X-Team-ID") if caller.kind == "jwt" else caller.teams[0]

    @property
    def teams(self) -> tuple[str | None, str | None]:
        """The two teams of the run."""
        return self._pool.red, self._pool.blue


def _read_token(request: WsgiRequest) -> str:
    return (request.find_header("Authorization") or "").partition(" ")[2]
