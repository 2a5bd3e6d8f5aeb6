"""Requests that the pages of the mock show, for tests of these pages."""

from typing import Any

from werkzeug.test import Client, TestResponse

from tests.support.api import TOKENS

HEADERS = {"Authorization": f"Bearer {TOKENS['sk-red']}", "Content-Type": "application/json"}
#: Markup and invisible characters that a page must escape.
HOSTILE_TEXT = "<script>alert(1)</script>'\"><img src=x>\u202e\x00\x1b[2J"


def create(client: Client, slug: str = "a-service", **properties: Any) -> TestResponse:
    """Send a create and return the response."""
    body = {"service_slug": slug, "display_name": "a", "docker_image": "n", **properties}
    return client.post("/api/v1/containers", json=body, headers=HEADERS)
