"""The control hook: how the user lets the suite set a service's status on a target."""

from contract_tests.targets.base import HttpTarget, Reply, Request, Target, TargetError, quoted


class Hook:
    """A URL template with ``{id}`` and ``{status}``, called with POST (or ``METHOD URL``)."""

    def __init__(self, template: str, target: Target) -> None:
        """Read the template; TargetError where it lacks a part. A path alone is one of the target's host."""
        method, _, url = template.strip().rpartition(" ")
        self._method = method.upper() or "POST"
        if "{id}" not in url or "{status}" not in url:
            raise TargetError(f"--control-hook {template!r} needs {{id}} and {{status}} in its URL")
        self._target, self._path = _place(url, target)

    def set_status(self, service: str, status: str) -> str:
        """Set the status of a service; return what went wrong, empty where nothing did."""
        path = self._path.replace("{id}", quoted(service)).replace("{status}", quoted(status))
        reply = self._target.send(Request(self._method, path, (), b""))
        if isinstance(reply, Reply):
            return "" if 200 <= reply.status < 300 else f"it answers {reply.status}"
        return reply.reason


def _place(url: str, target: Target) -> tuple[Target, str]:
    if not url.startswith("/"):
        scheme, _, rest = url.partition("://")
        host, slash, path = rest.partition("/")
        return HttpTarget(f"{scheme}://{host}"), slash + path
    if isinstance(target, HttpTarget):
        scheme, _, rest = target.url.partition("://")
        return HttpTarget(f"{scheme}://{rest.partition('/')[0]}"), url
    from contract_tests.targets.wsgi import WsgiTarget  # imports Werkzeug, which a run over HTTP does without

    if not isinstance(target, WsgiTarget):
        raise TargetError("--control-hook needs an absolute URL for this target")
    return WsgiTarget(target.app, ""), url
