"""Requests of the packaged callers, for tests of the mock."""

from werkzeug.test import Client

from tests.support.fixture_player import CALLERS

RED, BLUE = CALLERS["teams"]["red"], CALLERS["teams"]["blue"]
TOKENS = {caller["name"]: caller["token"] for caller in CALLERS["callers"]}
BODY = {"service_slug": "seeded", "display_name": "d", "docker_image": "n"}
CREATE = "/api/v1/containers"


def auth(caller: str = "sk-red") -> dict[str, str]:
    """Return the Authorization header of a caller."""
    return {"Authorization": f"Bearer {TOKENS[caller]}"}


def create_status(client: Client, slug: str = "seeded", caller: str = "sk-red") -> int:
    """Send a create and return the status."""
    return client.post(CREATE, json={**BODY, "service_slug": slug}, headers=auth(caller)).status_code
