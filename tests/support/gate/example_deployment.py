"""The example deployment, served in process for its tests, with each of its sets of choices."""

from __future__ import annotations

import asyncio
import json
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import yaml

from examples.deployment.app import DEFAULT_CALLERS, create_app
from examples.deployment.choices import DEFAULT, USUAL, VARIANTS, Choices
from examples.deployment.service import Call, Deployment, load_callers

if TYPE_CHECKING:
    from collections.abc import Iterator

KNOWN = yaml.safe_load(DEFAULT_CALLERS.read_text(encoding="utf-8"))
TEAMS = KNOWN["teams"]
TOKENS = {row["name"]: row["token"] for row in KNOWN["callers"]}
CALLERS = load_callers(DEFAULT_CALLERS)
SETS = {"default": DEFAULT, "usual": USUAL, **VARIANTS}
# Choices that do not affect bodies: tests with very many bodies would only repeat themselves under these.
BODILESS = (
    "auth-",
    "agent-",
    "sk-",
    "scheme-",
    "unknown-token",
    "unknown-service",
    "foreign-",
    "busy-",
    "slug-",
)
BODILESS += (
    "malformed-team",
    "malformed-id",
    "empty-team",
    "ids-",
    "options-",
    "media-",
    "parameters-",
    "errors-",
)
CREDENTIAL = "3c90c3cc-0d44-4b50-8888-8dd25736052a"
CONTAINERS = "/api/v1/containers"
DEPLOYED = {"service_slug": "one", "display_name": "One", "docker_image": "acme/one:1"}
EXTERNAL = {
    "service_slug": "two",
    "display_name": "Two",
    "service_type": "external",
    "external_url": "https://two.example.com/",
}


@dataclass
class DeployedApp:
    """A deployment called in process, and its choices."""

    choices: Choices
    deployment: Deployment
    http: httpx.AsyncClient
    runner: asyncio.Runner

    def send(
        self, method: str, path: str, body: Any, caller: str = "dk-red", **headers: Any
    ) -> httpx.Response:
        """Send a body, as bytes or as JSON, for a caller; a header with the value None is left out."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"Authorization": f"Bearer {TOKENS[caller]}", "Content-Type": "application/json"}
        if caller.startswith("jwt"):
            sent["X-Team-ID"] = TEAMS["red"]
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {name: value for name, value in sent.items() if value is not None}
        answer = self.runner.run(self.http.request(method, path, content=content, headers=sent))
        assert answer.status_code < 500
        return answer

    def create(self, body: Any, caller: str = "dk-red", **headers: Any) -> httpx.Response:
        """Send a create."""
        return self.send("POST", CONTAINERS, body, caller, **headers)

    def update(self, service_id: str, body: Any, caller: str = "dk-red", **headers: Any) -> httpx.Response:
        """Send an update."""
        return self.send("PUT", f"{CONTAINERS}/{service_id}", body, caller, **headers)

    def create_service(self, body: dict[str, Any], **changes: Any) -> str:
        """Create a service and return its id."""
        return read_accepted_id(self.create({**body, **changes}))

    def read_stored(self, slug: str) -> dict[str, Any]:
        """Read a service back, directly from the deployment if it offers callers no read-back."""
        answer = self.send("GET", f"/api/v1/r/containers/{slug}", b"")
        if self.choices.readback:
            return answer.json()
        assert_refused(answer, 404)
        inside = Call([f"Bearer {TOKENS['dk-red']}"], [], None, b"", management=False)
        return self.deployment.read(inside, slug)

    def set_status(self, service_id: str, status: str) -> None:
        """Set a service's status as the operator."""
        read_accepted_id(self.send("POST", f"/ops/services/{service_id}/status/{status}", b""))


def read_accepted_id(answer: httpx.Response) -> str:
    """Return the id in a successful response."""
    assert answer.is_success, answer.text
    assert answer.headers["content-type"] == "application/json"
    found = answer.json()["id"]
    assert str(uuid.UUID(found)) == found.lower()
    return found


def assert_refused(answer: httpx.Response, *statuses: int) -> None:
    """Assert that the request was refused, with one of the statuses if any are given."""
    assert answer.is_client_error, answer.text
    assert not statuses or answer.status_code in statuses


@contextmanager
def open_deployment(choices: Choices) -> Iterator[DeployedApp]:
    """Serve a deployment with these choices."""
    app = create_app(choices, CALLERS)
    http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://deployment.test")
    with asyncio.Runner() as runner:
        yield DeployedApp(choices, app.state.deployment, http, runner)
        runner.run(http.aclose())
