"""A proxy in process, before an upstream in a thread."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from werkzeug.test import Client, TestResponse
from werkzeug.wrappers import Request, Response

from mock_server.proxy.app import create_proxy
from tests.support.clients import serving
from tests.support.fixture_player import CALLERS

CREATE = "/api/v1/containers"
SERVICE = f"{CREATE}/0192f0c1-9a8b-7c6d-9e5f-404142434445"
ID = "0192f0c1-9a8b-7c6d-9e5f-404142434445"
TOKENS = {caller["name"]: caller["token"] for caller in CALLERS["callers"]}
HEADERS = {"Authorization": f"Bearer {TOKENS['sk-red']}", "Content-Type": "application/json"}
BODY = {"service_slug": "proxied", "display_name": "d", "docker_image": "n"}


@dataclass
class FixedUpstream:
    """An upstream that sends the same response to every request, and stores the requests."""

    status: int = 201
    body: bytes = json.dumps({"id": ID}).encode()
    headers: Mapping[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})
    requests: list[Request] = field(default_factory=list)

    def __call__(self, environ: Any, start_response: Any) -> Any:
        """Send the response once the body of the request is read."""
        request = Request(environ)
        request.get_data()
        self.requests.append(request)
        response = Response(self.body, self.status)
        response.headers.clear()
        response.headers.update(self.headers)
        return response(environ, start_response)


@contextmanager
def proxy_client(app: Any, **options: Any) -> Iterator[Client]:
    """Yield a client of a proxy before an app."""
    with serving(app) as port:
        yield Client(create_proxy(f"http://127.0.0.1:{port}/api/v1", **options), use_cookies=False)


def create(client: Client, **changes: Any) -> TestResponse:
    """Send a create with changes, and return the response."""
    return client.post(CREATE, json={**BODY, **changes}, headers=HEADERS)


def journal_violations(client: Client) -> set[tuple[str, str, str]]:
    """Return the rule, grade and location of each violation in the journal of a proxy."""
    entries = client.get("/_mock/journal").json["requests"]
    return {(v["rule"], v["grade"], v["in"]) for entry in entries for v in entry["violations"]}


def upstream_with(
    status: int = 201, value: Any = None, media_type: str = "application/json"
) -> FixedUpstream:
    """Return an upstream with this response."""
    body = json.dumps({"id": ID} if value is None else value).encode()
    return FixedUpstream(status, body, {"Content-Type": media_type} if media_type else {})
