"""Creates and updates services; nothing but the standard library is needed."""

import json
import time
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

_INVALID, _TAKEN, _BUSY = (400, 422), 409, 503


class InvalidServiceError(ValueError):
    """The API refuses the values of a service."""


class SlugTakenError(InvalidServiceError):
    """The team has a service with this slug already."""


class ContainersClient:
    """Talks to one deployment with one token; a busy deployment is asked again a few times."""

    def __init__(self, base_url: str, token: str, tries: int = 3) -> None:
        self._base_url, self._token, self._tries = base_url.rstrip("/"), token, tries
        self._open = build_opener(ProxyHandler({})).open

    def create(self, slug: str, name: str, image: str, **options: Any) -> str:
        """Create a deployed service and return its id."""
        service = {"service_slug": slug, "display_name": name, "docker_image": image, **options}
        return self._send("POST", "/containers", service)

    def update(self, service_id: str, **changes: Any) -> str:
        """Change the named properties of a service and return its id."""
        return self._send("PUT", f"/containers/{service_id}", changes)

    def _send(self, method: str, path: str, body: dict[str, Any]) -> str:
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        request = Request(self._base_url + path, json.dumps(body).encode(), headers, method=method)
        for left in reversed(range(self._tries)):
            try:
                with self._open(request, timeout=10) as response:
                    return str(json.load(response)["id"])
            except HTTPError as error:
                with error:
                    if error.code != _BUSY or not left:
                        raise _explain(error) from error
                    time.sleep(float(error.headers.get("Retry-After", "1")))
        raise AssertionError("the last try returns or raises")


def _explain(error: HTTPError) -> Exception:
    """Return the error of the client for a refusal; its text differs between deployments, so it is only shown."""
    text = error.read().decode("utf-8", "replace")
    if error.code == _TAKEN:
        return SlugTakenError(text)
    return InvalidServiceError(text) if error.code in _INVALID else RuntimeError(f"{error.code}: {text}")
