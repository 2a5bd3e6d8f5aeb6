"""The example deployment as a WSGI app without threads: a request in process takes a millisecond."""

import asyncio
import atexit
import threading
from collections.abc import Iterable
from functools import cache
from http import HTTPStatus
from typing import Any

from examples.deployment.app import create_app, current_deployment
from examples.deployment.choices import Choices
from examples.deployment.service import Deployment
from tests.support.gate.gate import App

_NO_HEADER = ("CONTENT_TYPE", "CONTENT_LENGTH")
_LOCK = threading.Lock()


@cache
def open_event_loop() -> asyncio.Runner:
    """Return the one event loop of this process."""
    made = asyncio.Runner()
    atexit.register(made.close)
    return made


def build_deployment_app(choices: Choices) -> App:
    """Return a deployment with these choices; requests run one at a time."""
    app = create_app(choices)
    state: Deployment = app.state.deployment

    async def current() -> Deployment:
        return state

    app.dependency_overrides[current_deployment] = (
        current  # a dependency that is not a coroutine needs a thread
    )

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        whole = environ.get("wsgi.input_terminated", False)
        raw = environ["wsgi.input"].read(-1 if whole else int(environ.get("CONTENT_LENGTH") or 0))
        messages: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": raw, "more_body": False}

        async def send(message: Any) -> None:
            messages.append(message)

        with _LOCK:
            open_event_loop().run(app(build_scope(environ), receive, send))
        start = next(message for message in messages if message["type"] == "http.response.start")
        headers = [(name.decode(), value.decode("latin-1")) for name, value in start["headers"]]
        start_response(f"{start['status']} {HTTPStatus(start['status']).phrase}", headers)
        return [message.get("body", b"") for message in messages if message["type"] == "http.response.body"]

    return application


def build_scope(environ: dict[str, Any]) -> dict[str, Any]:
    """Return the ASGI scope of a WSGI request."""
    headers = [
        (name.removeprefix("HTTP_").replace("_", "-").lower().encode(), str(value).encode("latin-1"))
        for name, value in environ.items()
        if name.startswith("HTTP_") or (name in _NO_HEADER and value)
    ]
    path = environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace")
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": environ["REQUEST_METHOD"],
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": ("localhost", 80),
    }
