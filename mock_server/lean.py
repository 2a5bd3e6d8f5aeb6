"""Flask that spares a request what nobody looks at: half of what a request costs is Flask's own."""

from collections.abc import Callable, Mapping
from typing import Any

from flask import Flask, Request, Response, signals
from werkzeug.exceptions import HTTPException
from werkzeug.routing import MapAdapter, Rule

#: As many hosts are known at a time; a client may name any.
MOST = 100
#: They have no body, whatever the response says.
_BODILESS = frozenset({*range(100, 200), 204, 304})
#: Whoever receives one of these sees that Flask handles a request.
_SIGNALS = (
    *(signals.request_started, signals.request_finished, signals.request_tearing_down),
    *(signals.appcontext_pushed, signals.appcontext_popped, signals.got_request_exception),
)


class _Rule(Rule):
    """A route; what builds its URL is made when it is first asked for, which takes longer than all the rest."""

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        def build(rule: Rule, *args: Any, **kwargs: Any) -> tuple[str, str]:
            made = super(_Rule, self)._compile_builder(append_unknown)
            return made(rule, *args, **kwargs)

        return build


class LeanFlask(Flask):
    """Flask that spares a request what nobody looks at.

    What follows from the host is found out once for each. And what `direct` names for a view is handed the
    request: where no hook, no signal and no test client would see a request context, there is none.
    """

    url_rule_class = _Rule
    #: All that an adapter is made of beside the request line.
    _HOST = ("HTTP_HOST", "SERVER_NAME", "SERVER_PORT", "SCRIPT_NAME", "wsgi.url_scheme", "HTTP_CONNECTION",
             "HTTP_UPGRADE")  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.direct: dict[Callable[..., Any] | None, Callable[[Request, Mapping[str, str]], Response]] = {}
        self._adapters: dict[tuple[str | None, ...], MapAdapter] = {}
        self._watchers = (
            *(self.before_request_funcs, self.after_request_funcs, self.teardown_request_funcs),
            *(self.teardown_appcontext_funcs, self.url_value_preprocessors),
            *(signal.receivers for signal in _SIGNALS),
        )

    def wsgi_app(self, environ: Any, start_response: Any) -> Any:
        """Answers a request of the contract directly, and lets Flask handle all others."""
        if any(self._watchers) or "werkzeug.debug.preserve_context" in environ:
            return super().wsgi_app(environ, start_response)
        asked = self.request_class(environ, populate_request=False)
        try:
            adapter = self.create_url_adapter(asked)
            endpoint, values = adapter.match() if adapter else ("", {})
        except HTTPException:  # Flask says why
            endpoint, values = "", {}
        answered = self.direct.get(self.view_functions.get(endpoint))
        if answered is None:
            return super().wsgi_app(environ, start_response)
        return answered(asked, values)(environ, start_response)

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """What matches the path: made as for the first request to the same host."""
        if request is None:
            return super().create_url_adapter(request)
        environ = request.environ
        host = tuple(environ.get(name) for name in self._HOST)
        known = self._adapters.get(host)
        if known is None:
            known = super().create_url_adapter(request)
            if known is None or len(self._adapters) >= MOST:
                return known
            self._adapters[host] = known
        return MapAdapter(
            known.map,
            known.server_name,
            known.script_name,
            known.subdomain,
            known.url_scheme,
            _text(environ, "PATH_INFO"),
            environ["REQUEST_METHOD"],
            _text(environ, "QUERY_STRING"),
        )


def _text(environ: Mapping[str, Any], name: str) -> str:
    return str(environ.get(name) or "").encode("latin-1").decode("utf-8", "replace")


class WholeResponse(Response):
    """A response in one piece; nothing is left to find out when it is sent, but where HTTP wants less than that."""

    def __call__(self, environ: Any, start_response: Any) -> Any:
        """Sends it."""
        if environ["REQUEST_METHOD"] == "HEAD" or self.status_code in _BODILESS or "Location" in self.headers:
            return super().__call__(environ, start_response)
        start_response(self.status, self.headers.to_wsgi_list())
        return self.response
