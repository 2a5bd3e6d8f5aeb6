"""Requests and responses between the gate and a mock with a planted fault."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any

from mock_server.validation import callers

CONTAINERS = "/api/v1/containers"
_NO_JSON = object()


@cache
def known() -> callers.CallerDirectory:
    """Return the callers of the fixtures."""
    return callers.load_callers()


@dataclass(frozen=True)
class Request:
    """One request on its way to the mock."""

    environ: Mapping[str, Any]
    raw: bytes

    @property
    def chunked(self) -> bool:
        """Whether the body came in chunks, without its length."""
        return "chunked" in str(self.environ.get("HTTP_TRANSFER_ENCODING", "")).lower() or (
            bool(self.raw) and not self.environ.get("CONTENT_LENGTH")
        )

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
        """The part of Authorization after the scheme."""
        return str(self.environ.get("HTTP_AUTHORIZATION", "")).partition(" ")[2]

    @property
    def kind(self) -> str:
        """The kind of the caller: sk, dk, ak, jwt, or empty without a token."""
        prefix = self.token.partition("-")[0]
        return prefix if prefix in ("sk", "dk", "ak") else "jwt" if self.token else ""

    @property
    def caller(self) -> str:
        """The name of the caller, empty for an unknown token."""
        caller = known().callers.get(self.token)
        return caller.name if caller else ""

    @property
    def team(self) -> str:
        """The team that the request works for: the credential's, or the one that a JWT caller names."""
        caller = known().callers.get(self.token)
        return caller.teams[0] if caller and self.kind != "jwt" else self.header("X-Team-ID") or ""

    @cached_property
    def value(self) -> Any:
        """The body as JSON, or ``_NO_JSON``."""
        try:
            return json.loads(self.raw)
        except (ValueError, RecursionError):
            return _NO_JSON

    @property
    def body(self) -> dict[str, Any]:
        """The body if it is a JSON object, else an empty one."""
        return self.value if isinstance(self.value, dict) else {}

    def header(self, name: str) -> str | None:
        """Return a header, None if it is absent."""
        key = name.upper().replace("-", "_")
        found = self.environ.get(key if key == "CONTENT_TYPE" else f"HTTP_{key}")
        return None if found is None else str(found)

    def with_header(self, name: str, value: str | None) -> "Request":
        """Return the same request with another header, or without it."""
        key = name.upper().replace("-", "_")
        key = key if key == "CONTENT_TYPE" else f"HTTP_{key}"
        environ = {k: v for k, v in self.environ.items() if k != key}
        return Request(environ if value is None else {**environ, key: value}, self.raw)

    def with_raw(self, raw: bytes) -> "Request":
        """Return the same request with another body."""
        return Request(self.environ, raw)

    def with_body(self, body: Any) -> "Request":
        """Return the same request with another JSON body."""
        return self.with_raw(json.dumps(body).encode())

    def setting(self, **values: Any) -> "Request":
        """Return the same request with properties of its body set."""
        return self.with_body({**self.body, **values})


@dataclass(frozen=True)
class Response:
    """One response on its way back."""

    status: int
    body: bytes = b"{}"
    media_type: str = "application/json"

    @property
    def accepted(self) -> bool:
        """True for a success."""
        return 200 <= self.status < 300

    @property
    def value(self) -> Any:
        """The JSON body."""
        return json.loads(self.body)

    @property
    def broken(self) -> set[str]:
        """The rules that the mock names in a refusal."""
        refused = self.media_type.startswith("application/problem+json")
        return {row["rule"] for row in self.value.get("violations", ())} if refused else set()

    def with_value(self, value: Any) -> "Response":
        """Return the same response with another JSON body."""
        return replace(self, body=json.dumps(value).encode())


Send = Callable[[Request], Response]
When = Callable[[Request], bool]
Interceptor = Callable[[Request, Send], Response]

REFUSED = Response(400)
CRASHED = Response(500)
