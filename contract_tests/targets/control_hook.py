"""The control hook: a URL of the user's that sets a service's status on the target."""

from typing import Protocol

from contract_tests.targets.base import Request, Response, Target, TargetError, quote_segment
from contract_tests.targets.http import HttpTarget

CONTROL_HOOK_HELP = "URL or path with {id} and {status} that sets a service's status."
_EXAMPLE = "give a path or a URL without a user name, like https://host/services/{id}/status/{status}"


class StatusHook(Protocol):
    """Anything that sets the status of a service."""

    def set_status(self, service: str, status: str) -> str:
        """Set the status of a service; return the error in words, or an empty string."""
        ...


class ControlHook:
    """A URL template with ``{id}`` and ``{status}``, called with POST or with the method before it."""

    def __init__(self, template: str, target: Target) -> None:
        """Read the template; a bare path belongs to the target's host. Raise TargetError if a part is missing."""
        method, _, url = template.strip().rpartition(" ")
        self._method = method.strip().upper() or "POST"
        if "{id}" not in url or "{status}" not in url:
            raise TargetError(f"--control-hook {template!r} needs {{id}} and {{status}} in its URL")
        self._target, self._path = _resolve_url(url, target)

    def set_status(self, service: str, status: str) -> str:
        """Set the status of a service; return the error in words, or an empty string."""
        path = self._path.replace("{id}", quote_segment(service)).replace("{status}", quote_segment(status))
        response = self._target.send(Request(self._method, path, (), b""))
        if isinstance(response, Response):
            return "" if 200 <= response.status < 300 else f"it responds with {response.status}"
        return response.reason


def _resolve_url(url: str, target: Target) -> tuple[Target, str]:
    if not url.startswith("/"):
        scheme, _, rest = url.partition("://")
        host, slash, path = rest.partition("/")
        try:
            return HttpTarget(f"{scheme}://{host}", timeout=target.timeout, clock=target.clock), slash + path
        except ValueError:  # not repeated: it is about --target, and the URL may hold a password
            raise TargetError(f"--control-hook is not a usable URL; {_EXAMPLE}") from None
    return target.open_host(), url
